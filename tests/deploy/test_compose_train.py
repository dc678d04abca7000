"""The compose profile that trains and registers: what it runs, in which order, and where the two leave the adapter."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from dockerfile import stages

from gateway.adapters.keeping import FOLDER

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "deploy" / "compose.yaml"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]


def arguments(name: str, folder: Path, **environment: str) -> list[str]:
    """What the service's entry point hands to `wardgate`, word by word."""
    shell, option, script = SERVICES[name]["entrypoint"]
    program = folder / "wardgate"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    program.chmod(0o755)
    (folder / "secret").write_text("s3cret")
    script = script.replace("$$", "$")
    for secret in SERVICES[name]["secrets"]:
        script = script.replace(f"/run/secrets/{secret}", str(folder / "secret"))
    done = subprocess.run(
        [shell, option, script],
        env={"PATH": f"{folder}:/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        timeout=10,
        check=True,
    )
    return done.stdout.splitlines()


def test_starts_only_when_asked_for() -> None:
    """The two stand in the profile `train`, run once, and everything else stands in none."""
    assert {name for name, service in SERVICES.items() if service.get("profiles") == ["train"]} == {"train", "register"}
    assert {name for name, service in SERVICES.items() if "profiles" not in service} == SERVICES.keys() - {
        "train",
        "register",
    }
    assert [SERVICES[name]["restart"] for name in ("train", "register")] == ["no", "no"]


@pytest.mark.parametrize("extra", [[], ["--quantize", "nf4"]], ids=["bf16", "nf4"])
def test_trains_from_the_store_and_continues(extra: list[str], tmp_path: Path) -> None:
    """Training reads the gateway's own store, takes further flags, and continues where it was interrupted."""
    words = arguments("train", tmp_path, ADAPTER="aiops@3", TRAIN_ARGS=" ".join(extra))
    assert words[0] == "train"
    assert words[words.index("--store") + 1] == SERVICES["gateway"]["environment"]["WARDGATE_STORE_URL"]
    assert words[words.index("--out") + 1] == "/adapters/aiops@3"
    assert "--resume" in words
    assert words[words.index("--json") + 1 :] == extra


def test_registers_what_was_trained_and_nothing_unfinished(tmp_path: Path) -> None:
    """Registration waits for a training that ended well, and names its folder."""
    assert SERVICES["register"]["depends_on"]["train"]["condition"] == "service_completed_successfully"
    assert arguments("register", tmp_path, ADAPTER="aiops@3") == [
        *("adapters", "register", "aiops@3", "/adapters/aiops@3"),
        *("--url", "http://gateway:8000", "--key", "s3cret"),
    ]


def test_all_see_the_adapter_under_one_path() -> None:
    """Training writes /adapters, which the gateway reads; its own copies lie where vLLM finds them and cannot write."""
    mounts = {name: [str(mount) for mount in service.get("volumes", [])] for name, service in SERVICES.items()}
    assert "adapters:/adapters" in mounts["train"]
    assert all("adapters:/adapters:ro" in mounts[name] for name in ("register", "gateway"))
    kept = f"{stages(ROOT / 'Dockerfile')[-1].environment['WARDGATE_HOME']}/{FOLDER}"
    assert f"registered:{kept}" in mounts["gateway"]
    assert f"registered:{kept}:ro" in mounts["vllm"]


@pytest.mark.parametrize("recipe", ["Dockerfile", "deploy/vllm.Dockerfile"])
def test_volumes_begin_with_the_images_owner(recipe: str) -> None:
    """A new volume takes owner and mode from the image's folder, so both images have it, for the user who writes."""
    made = next(step.text for step in stages(ROOT / recipe)[-1].all("RUN") if "install --directory" in step.text)
    assert "--owner=10001" in made
    assert {"/adapters", "/var/lib/wardgate/adapters"} <= set(made.split())


def test_nobody_but_the_gateway_sees_its_home() -> None:
    """The volume with the gateway's key and spool is mounted in its own container alone."""
    holders = [
        name
        for name, service in SERVICES.items()
        if any(str(mount).startswith("gateway:") for mount in service.get("volumes", []))
    ]
    assert holders == ["gateway"]


def test_trains_on_the_checkpoint_that_is_served() -> None:
    """Training and vLLM mount the same base model, under the same path."""
    (base,) = [mount for mount in SERVICES["vllm"]["volumes"] if ":/models/base" in mount]
    assert base in SERVICES["train"]["volumes"]


def test_reserves_one_gpu() -> None:
    """One device, by a number that a host with several can change."""
    (device,) = SERVICES["train"]["deploy"]["resources"]["reservations"]["devices"]
    assert device == {"driver": "nvidia", "device_ids": ["${TRAIN_GPU:-0}"], "capabilities": ["gpu"]}
