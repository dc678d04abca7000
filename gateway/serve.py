"""`wardgate serve`: flags, settings, and what goes wrong before the gateway runs."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path  # noqa: TC003  # the command line is read from the annotations
from typing import Annotated

from cyclopts import Parameter

from gateway.settings import Settings, SettingsError, load_settings


def _means(setting: str, more: str = "") -> Parameter:
    return Parameter(help=f"{Settings.model_fields[setting].description}{more}", negative=())


@Parameter(name="*", group="Further settings")
@dataclass(frozen=True, kw_only=True)
class Further:
    """The settings that are seldom given as flags, in the settings' own words."""

    home: Annotated[Path | None, _means("home")] = None
    aligned: Annotated[str | None, _means("aligned")] = None
    permit_key: Annotated[str | None, _means("permit_key")] = None
    project: Annotated[str | None, _means("project")] = None
    retention_days: Annotated[int | None, _means("retention_days")] = None
    drain_seconds: Annotated[float | None, _means("drain_seconds")] = None
    engine_timeout: Annotated[float | None, _means("engine_timeout")] = None
    metrics_open: Annotated[bool | None, _means("metrics_open")] = None
    keys: Annotated[str | None, _means("keys", " A JSON array.")] = None
    upstream_key: Annotated[str | None, _means("upstream_key", " Everybody on this machine sees a flag.")] = None
    upstream_logprobs_mode: Annotated[str | None, _means("upstream_logprobs_mode")] = None
    log_level: Annotated[str | None, _means("log_level")] = None
    log_format: Annotated[str | None, _means("log_format")] = None


DEFAULTS = Further()


def serve(
    *,
    model: str | None = None,
    base: Annotated[bool | None, Parameter(negative=())] = None,
    upstream: Annotated[tuple[str, ...] | None, Parameter(consume_multiple=True, negative=())] = None,
    store: str | None = None,
    policy: Path | None = None,
    host: str | None = None,
    port: int | None = None,
    vllm_arg: Annotated[tuple[str, ...] | None, Parameter(allow_leading_hyphen=True, negative=())] = None,
    config: Annotated[Path | None, Parameter(env_var="WARDGATE_CONFIG")] = None,
    further: Further = DEFAULTS,
) -> None:
    """Start the gateway, and a vLLM of its own unless upstreams are given.

    Example: `wardgate serve --model meta-llama/Llama-3.1-8B-Instruct --vllm-arg=--tensor-parallel-size=2`

    Every setting can also come from the environment (WARDGATE_PORT=9000) or from the file given by --config; flags win
    over the file, the file over the environment. State is kept in WARDGATE_HOME (./var). Exit status: 0 after an
    orderly stop, 1 when something the gateway needs is not there, 2 when it was called wrongly.

    Args:
        model: The embedded default's name, a hub id, or a folder with a checkpoint.
        base: Serve the base model alone, without adapters.
        upstream: URL of a vLLM that already runs; may be repeated.
        store: sqlite:///PATH or postgresql://USER@HOST/NAME.
        policy: Policy file for the guard.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        vllm_arg: Further argument for vLLM; may be repeated.
        config: YAML or TOML file with settings.
        further: The settings that are seldom given as flags.
    """
    flags = {
        "model": model,
        "base": base,
        "upstream": upstream,
        "store": store,
        "policy": policy,
        "host": host,
        "port": port,
        "vllm_arg": vllm_arg,
        **asdict(further),
    }
    try:
        settings = load_settings(os.environ, config, flags)
    except SettingsError as error:
        sys.exit(_refuse(error))
    # Half a second of web framework and database, which neither `--help` nor a misspelled flag needs.
    from gateway.running import Refused, run  # noqa: PLC0415

    try:
        run(settings)
    except Refused as error:
        sys.exit(_refuse(error, error.status))


def _refuse(error: Exception, status: int = 2) -> int:
    sys.stderr.write(f"wardgate serve: {error}\n")
    return status
