from __future__ import annotations

import importlib.metadata
import socket
import sys
from pathlib import Path

import pytest

from gateway.engine import command, embedded
from gateway.engine.checkpoint import Checkpoint
from gateway.engine.command import ArgumentTaken, EngineMissing, build_command, build_environment, free_port

SMALL = Checkpoint("/models/SmolLM2-135M-Instruct", embedded.NAME, local=True)
LARGE = Checkpoint("meta-llama/Llama-3.1-8B-Instruct", "meta-llama/Llama-3.1-8B-Instruct", local=False)


def after(line: list[str], flag: str) -> str:
    return line[line.index(flag) + 1]


def test_the_embedded_model_on_a_cpu() -> None:
    line = build_command(SMALL, 8123, (), cuda=False, adapters=True)
    assert line[:3] == [sys.executable, "-m", command.MODULE]
    assert after(line, "--host") == "127.0.0.1"
    assert after(line, "--port") == "8123"
    assert after(line, "--served-model-name") == embedded.NAME
    assert after(line, "--max-model-len") == "2048"
    assert after(line, "--logprobs-mode") == "processed_logprobs"
    assert after(line, "--tool-call-parser") == "hermes"
    assert {"--enforce-eager", "--enable-lora", "--lora-target-modules"} <= set(line)


def test_a_large_model_on_a_gpu_keeps_vllms_own_choices() -> None:
    line = build_command(LARGE, 8123, (), cuda=True, adapters=True)
    assert not {"--enforce-eager", "--dtype", "--max-model-len", "--lora-target-modules"} & set(line)
    assert after(line, "--tool-call-parser") == "llama3_json"
    assert "--enable-lora" in line


@pytest.mark.parametrize("cuda", [True, False])
def test_the_base_model_alone_is_served_without_adapters(cuda: bool) -> None:
    line = build_command(SMALL, 8123, (), cuda=cuda, adapters=False)
    assert not [word for word in line if "lora" in word]


def test_a_teams_arguments_come_last() -> None:
    line = build_command(LARGE, 8123, ["--max-loras", "8"], cuda=True, adapters=True)
    assert line[-2:] == ["--max-loras", "8"]


@pytest.mark.parametrize("argument", ["--port=9", "--host", "--served_model_name=x", "--uds", "--api-key"])
def test_what_the_gateway_relies_on_cannot_be_changed(argument: str) -> None:
    with pytest.raises(ArgumentTaken, match="--upstream"):
        build_command(SMALL, 8123, [argument], cuda=False, adapters=True)


def test_the_environment_adds_what_is_needed_and_keeps_what_was_set() -> None:
    given = {"PATH": "/bin", "PYTHONDONTWRITEBYTECODE": "1", "VLLM_CPU_KVCACHE_SPACE": "4", "TORCHDYNAMO_DISABLE": "0"}
    built = build_environment(SMALL, Path("/home"), given, cuda=False)
    assert built["PATH"] == "/bin"
    assert built["WARDGATE_HOME"] == "/home"
    assert built["HF_HUB_OFFLINE"] == "1"
    assert built["VLLM_ALLOW_RUNTIME_LORA_UPDATING"] == "True"
    assert (built["VLLM_CPU_KVCACHE_SPACE"], built["TORCHDYNAMO_DISABLE"]) == ("4", "0")
    assert "PYTHONDONTWRITEBYTECODE" not in built
    assert "PYTHONDONTWRITEBYTECODE" in given


def test_a_hub_id_may_be_fetched_and_a_gpu_may_compile() -> None:
    built = build_environment(LARGE, Path("/home"), {}, cuda=True)
    assert not {"HF_HUB_OFFLINE", "TORCHDYNAMO_DISABLE", "VLLM_CPU_KVCACHE_SPACE"} & set(built)


def test_a_free_port_is_one_that_can_be_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    assert port in command.PORTS
    monkeypatch.setattr(command, "PORTS", range(port, port + 1))
    with socket.create_server(("127.0.0.1", port)), pytest.raises(OSError, match="is free"):
        free_port()


@pytest.mark.parametrize(
    ("installed", "cuda"), [({"vllm-cpu"}, False), ({"vllm"}, True), ({"vllm-cpu", "vllm"}, False)]
)
def test_the_build_is_known_by_what_is_installed(
    monkeypatch: pytest.MonkeyPatch, installed: set[str], cuda: bool
) -> None:
    def version(name: str) -> str:
        if name in installed:
            return "0.32.0"
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    assert command.has_cuda_build() is cuda
    installed.clear()
    with pytest.raises(EngineMissing, match="make setup"):
        command.has_cuda_build()
