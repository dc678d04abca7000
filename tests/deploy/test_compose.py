"""The compose file, as far as it can be tried without a container engine: by its schema, and against what it names."""

from __future__ import annotations

import hashlib
import re
import shlex
import shutil
import stat
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from dockerfile import stages

from gateway.engine.checkpoint import Checkpoint
from gateway.engine.command import build_command
from gateway.settings import load_settings

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = DEPLOY / "compose.yaml"
HOUSE: dict[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = HOUSE["services"]
every_service = pytest.mark.parametrize("name", SERVICES)


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """The folder that make-secrets.sh fills, beside a copy of it."""
    shutil.copy(DEPLOY / "make-secrets.sh", tmp_path)
    subprocess.run([tmp_path / "make-secrets.sh"], check=True, timeout=30)
    return tmp_path / "secrets"


def split(argument: str) -> tuple[str, str, str]:
    return argument.partition("=")


def gateway_environment(secrets: Path) -> dict[str, str]:
    given = dict(SERVICES["gateway"]["environment"])
    for file in SERVICES["gateway"]["env_file"]:
        for line in shlex.split((secrets / Path(file).name).read_text()):
            name, _, value = line.partition("=")
            given[name] = value
    return given


def test_file_fits_the_specification() -> None:
    """The Compose specification's own JSON schema accepts the file."""
    checker = Path(sys.executable).with_name("check-jsonschema")
    done = subprocess.run(
        [checker, "--builtin-schema", "vendor.compose-spec", COMPOSE],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@every_service
def test_service_is_hardened(name: str) -> None:
    """No service runs as root, keeps a capability, gains one, or is published beyond loopback."""
    service = SERVICES[name]
    recipe = service.get("build", {}).get("dockerfile", "Dockerfile")
    user = service.get("user") or stages(ROOT / recipe)[-1].last("USER").text
    assert int(user.partition(":")[0]) > 0
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


@pytest.mark.parametrize(
    ("name", "neighbours"),
    [pytest.param("vllm", {"gateway"}, id="vllm"), pytest.param("postgres", {"gateway", "train"}, id="postgres")],
)
def test_only_who_must_reaches_vllm_and_the_database(name: str, neighbours: set[str]) -> None:
    """The internal network of vLLM is the gateway's alone; training is on that of PostgreSQL too."""
    (network,) = SERVICES[name]["networks"]
    assert HOUSE["networks"][network]["internal"] is True
    assert {other for other, service in SERVICES.items() if network in service["networks"]} == {name} | neighbours


def test_no_secret_is_written_down() -> None:
    """Whatever is called a password, key or token is a file, and git ignores the folder of those files."""
    for service in SERVICES.values():
        for variable in service.get("environment", {}):
            assert not re.search(r"PASSWORD|KEY|TOKEN|SECRET", variable) or variable.endswith("_FILE")
    files = [secret["file"] for secret in HOUSE["secrets"].values()] + SERVICES["gateway"]["env_file"]
    assert {Path(file).parts[0] for file in files} == {"secrets"}
    assert "/secrets/" in (DEPLOY / ".gitignore").read_text().splitlines()


def test_secrets_are_made_once(secrets: Path) -> None:
    """A second run changes nothing, and nobody else on the host reads what it made."""
    before = {file.name: file.read_bytes() for file in secrets.iterdir()}
    subprocess.run([secrets.parent / "make-secrets.sh"], check=True, timeout=30)
    assert {file.name: file.read_bytes() for file in secrets.iterdir()} == before
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    assert set(before) == {Path(secret["file"]).name for secret in HOUSE["secrets"].values()} | {"gateway.env"}
    assert all(len(before[name]) >= 32 for name in set(before) - {"gateway.env"})


def test_gateway_understands_its_environment(secrets: Path) -> None:
    """The gateway's own settings accept the environment, find vLLM and the database, and know both keys."""
    settings = load_settings({**stages(ROOT / "Dockerfile")[-1].environment, **gateway_environment(secrets)})
    arguments = SERVICES["vllm"]["command"]
    port = next(argument.partition("=")[2] for argument in arguments if argument.startswith("--port="))
    assert settings.upstreams == (f"http://vllm:{port}",)
    store = urlsplit(settings.store_url)
    assert (store.hostname, store.password) == ("postgres", None)
    assert store.username == SERVICES["postgres"]["environment"]["POSTGRES_USER"]
    assert store.path == "/" + SERVICES["postgres"]["environment"]["POSTGRES_DB"]
    assert [(key.name, key.scopes, key.sha256) for key in settings.keys] == [
        ("prometheus", ("metrics",), hashlib.sha256((secrets / "metrics_key").read_bytes()).hexdigest()),
        ("training", ("admin",), hashlib.sha256((secrets / "training_key").read_bytes()).hexdigest()),
    ]


@pytest.mark.parametrize(("name", "verb"), [("gateway", "serve"), ("train", "train")])
def test_service_gets_the_password_from_its_secret(name: str, verb: str, secrets: Path, tmp_path: Path) -> None:
    """The entry point hands the secret to libpq, whole, and does not start where there is none."""
    shell, option, script = SERVICES[name]["entrypoint"]
    program = tmp_path / "wardgate"
    program.write_text('#!/bin/sh\nprintf "%s %s" "$PGPASSWORD" "$1"\n')
    program.chmod(0o755)
    for file, expected in ((secrets / "postgres_password", 0), (secrets / "absent", 1)):
        command = script.replace("$$", "$").replace("/run/secrets/postgres_password", str(file))
        done = subprocess.run(
            [shell, option, command],
            env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
        assert done.returncode == expected
        assert done.stdout == (f"{file.read_text()} {verb}" if expected == 0 else "")


def test_prometheus_finds_gateway_and_key() -> None:
    """Prometheus scrapes the port that the gateway's image exposes, with a key that is mounted there."""
    (job,) = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())["scrape_configs"]
    exposed = stages(ROOT / "Dockerfile")[-1].last("EXPOSE").text
    assert job["static_configs"] == [{"targets": [f"gateway:{exposed}"]}]
    assert Path(job["authorization"]["credentials_file"]).name in SERVICES["prometheus"]["secrets"]
    assert set(SERVICES["prometheus"]["networks"]) & set(SERVICES["gateway"]["networks"])
    (mounted,) = SERVICES["prometheus"]["configs"]
    assert f"--config.file={mounted['target']}" in SERVICES["prometheus"]["command"]
    assert (DEPLOY / HOUSE["configs"][mounted["source"]]["file"]).is_file()


def test_prometheus_accepts_its_configuration(secrets: Path, tmp_path: Path) -> None:
    """Prometheus's own checker has no objection, the key's file included."""
    checker = shutil.which("promtool")
    if checker is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    text = (DEPLOY / "prometheus.yml").read_text()
    config = tmp_path / "prometheus.yml"
    config.write_text(text.replace("/run/secrets/metrics_key", str(secrets / "metrics_key")))
    done = subprocess.run([checker, "check", "config", config], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_images_carry_the_projects_version() -> None:
    """Our images are tagged with the project's version, all others with one that stays."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    for service in SERVICES.values():
        _, _, tag = service["image"].partition(":")
        assert tag == version if "build" in service else tag not in ("", "latest")


def test_vllm_is_started_as_the_gateway_starts_its_own() -> None:
    """Every flag that the gateway gives a vLLM of its own on CUDA is given here, with the same value."""
    own = build_command(Checkpoint("/models/base", "llama-3", local=True), 8001, (), cuda=True, adapters=True)
    flags = [word for word in own if word.startswith("--")]
    values = {flag: (value if not value.startswith("--") else "") for flag, value in pairwise([*own, "--"])}
    here = {
        flag: re.sub(r"\$\{\w+:-(.*?)\}", r"\1", value) for flag, _, value in map(split, SERVICES["vllm"]["command"])
    }
    for flag in flags:
        if flag not in ("--model", "--served-model-name", "--host"):
            assert here[flag] == values[flag], flag


@pytest.mark.slow
def test_vllm_understands_its_arguments() -> None:
    """The pinned vLLM's own parser takes every flag, and has that tool parser."""
    arguments = [re.sub(r"\$\{\w+:-(.*?)\}", r"\1", argument) for argument in SERVICES["vllm"]["command"]]
    code = (
        "import sys\n"
        "from vllm.entrypoints.launchers.cli_args import make_arg_parser\n"
        "from vllm.tool_parsers import ToolParserManager\n"
        "from vllm.utils.argparse_utils import FlexibleArgumentParser\n"
        "given = make_arg_parser(FlexibleArgumentParser()).parse_args(sys.argv[1:])\n"
        "assert given.tool_call_parser in ToolParserManager.list_registered()\n"
        "assert given.enable_lora and given.logprobs_mode == 'processed_logprobs'\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
