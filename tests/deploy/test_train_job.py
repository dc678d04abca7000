"""The Kubernetes Jobs that train on an A100, as far as they can be tried without a cluster: by schema, word by word."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from dataclasses import asdict
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from gateway.cli import build
from training.config import make_config

ROOT = Path(__file__).resolve().parents[2]
FILES = {"8b": ROOT / "deploy" / "train-job.yaml", "70b": ROOT / "deploy" / "train-job-70b.yaml"}
DOCUMENTS: dict[str, list[dict[str, Any]]] = {
    size: list(yaml.safe_load_all(file.read_text(encoding="utf-8"))) for size, file in FILES.items()
}
VERSIONS = ("1.31", "1.37")  # the first in which podFailurePolicy is stable, and the newest that is carried
sizes = pytest.mark.parametrize("size", FILES)


def job(size: str) -> dict[str, Any]:
    (found,) = [document for document in DOCUMENTS[size] if document["kind"] == "Job"]
    spec: dict[str, Any] = found["spec"]
    return spec


def pod(size: str) -> dict[str, Any]:
    spec: dict[str, Any] = job(size)["template"]["spec"]
    return spec


def containers(size: str) -> dict[str, dict[str, Any]]:
    return {container["name"]: container for key in ("initContainers", "containers") for container in pod(size)[key]}


def words(size: str, name: str) -> list[str]:
    """The command with what Kubernetes substitutes from plain values."""
    container = containers(size)[name]
    values = {item["name"]: item["value"] for item in container["env"] if "value" in item}
    given = [*container["command"], *container["args"]]
    return [re.sub(r"\$\((\w+)\)", lambda found: values.get(found[1], found[0]), word) for word in given]


@sizes
@pytest.mark.parametrize("version", VERSIONS)
def test_fits_kubernetes_own_schemas(size: str, version: str) -> None:
    """Every document passes the strict schema, in which an unknown field is an error."""
    for document in DOCUMENTS[size]:
        kubernetes_validate.validate(document, version, strict=True)


@pytest.mark.parametrize("version", VERSIONS)
def test_schemas_would_notice(version: str) -> None:
    """The validation is no empty pass: a field one letter off is refused."""
    broken = {**DOCUMENTS["8b"][-1], "spec": {**job("8b"), "backofLimit": 1}}
    with pytest.raises(kubernetes_validate.ValidationError, match="backofLimit"):
        kubernetes_validate.validate(broken, version, strict=True)


@sizes
def test_runs_confined(size: str) -> None:
    """No container runs as root, writes into its image, gains a right, or reaches the cluster's API."""
    context = pod(size)["securityContext"]
    assert context["runAsNonRoot"] is True
    assert context["runAsUser"] > 0
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod(size)["automountServiceAccountToken"] is False
    for container in containers(size).values():
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
        assert "memory" in container["resources"]["limits"]


@sizes
def test_asks_for_one_a100(size: str) -> None:
    """Training takes one GPU of an A100 node; registering takes none."""
    assert "A100" in pod(size)["nodeSelector"]["nvidia.com/gpu.product"]
    for name, count in (("train", "1"), ("register", None)):
        resources = containers(size)[name]["resources"]
        assert resources["limits"].get("nvidia.com/gpu") == count
        assert resources["requests"].get("nvidia.com/gpu") == count


@sizes
def test_holds_no_secret(size: str) -> None:
    """Whatever is called a password, key or token comes from the Secret, and no URL holds one."""
    for container in containers(size).values():
        for item in container["env"]:
            secret = re.search(r"PASSWORD|KEY|TOKEN|SECRET", item["name"])
            assert ("value" not in item) if secret else ("value" in item), item["name"]
    assert not re.search(r"://[^/\s]*:[^/\s]*@", FILES[size].read_text())


@sizes
def test_preempted_pod_continues(size: str) -> None:
    """A preemption is not counted as a failure, and the next pod resumes from the claim that the last one wrote to."""
    rules = job(size)["podFailurePolicy"]["rules"]
    assert rules[0] == {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
    assert pod(size)["restartPolicy"] == "Never"  # podFailurePolicy is allowed with no other
    assert {rule["onExitCodes"]["containerName"] for rule in rules[1:]} == {"train", "register"}
    assert "--resume" in words(size, "train")
    (out,) = [word.removeprefix("--out=") for word in words(size, "train") if word.startswith("--out=")]
    (mount,) = [item for item in containers(size)["train"]["volumeMounts"] if out.startswith(item["mountPath"] + "/")]
    (volume,) = [item for item in pod(size)["volumes"] if item["name"] == mount["name"]]
    claims = {document["metadata"]["name"] for document in DOCUMENTS["8b"] if document["kind"] != "Job"}
    assert volume["persistentVolumeClaim"]["claimName"] in claims


@sizes
def test_fetches_what_is_trained(size: str) -> None:
    """The hub's client, whose flags these are, fetches the model into the cache that training reads offline."""
    fetch, train = words(size, "fetch"), words(size, "train")
    shown = subprocess.run(
        [Path(sys.executable).with_name(fetch[0]), fetch[1], "--help"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert all(word.partition("=")[0] in shown.stdout for word in fetch if word.startswith("--"))
    assert f"--model={fetch[2]}" in train
    variables = {
        name: {item["name"]: item.get("value") for item in containers(size)[name]["env"]} for name in containers(size)
    }
    assert variables["fetch"]["HF_HOME"] == variables["train"]["HF_HOME"] == "/models"
    assert variables["train"]["HF_HUB_OFFLINE"] == "1"
    assert [name for name, given in variables.items() if "HF_TOKEN" in given] == ["fetch"]


@sizes
def test_our_own_program_understands_its_flags(size: str) -> None:
    """The command line that is installed binds every flag of both commands to the value that is meant."""
    leaves = {entry.name: entry.value for entry in entry_points(group="wardgate.commands")}
    program, *given = words(size, "train")
    assert program == "wardgate"
    _, bound, _ = build(leaves).parse_args(given, exit_on_error=False, print_error=False)
    told = bound.arguments
    assert (told["loss"], told["resume"], told["json_"]) == ("dpo", True, True)
    assert told["store"] == "postgresql://wardgate@postgres/wardgate"
    recipe = asdict(told["recipe"]) if "recipe" in told else {}
    config = make_config(recipe | {"loss": "dpo", "model": told["model"], "out": str(told["out"])})
    assert (config.quantize, config.recompute) == (("nf4", True) if size == "70b" else (None, False))
    assert (config.lora_r, config.learning_rate, config.pairs_a_step) == (16, 5e-6, 32)
    _, bound, _ = build(leaves).parse_args(words(size, "register")[1:], exit_on_error=False, print_error=False)
    told = bound.arguments
    assert (told["adapter"], str(told["path"])) == (words(size, "register")[3], str(config.out))
    assert (told["where"].url, told["where"].key) == ("http://gateway:8000", "$(GATEWAY_KEY)")


@sizes
def test_registers_what_was_trained(size: str) -> None:
    """The adapter that training writes is the one that is registered, under one name, by the gateway's address."""
    train, register = words(size, "train"), words(size, "register")
    name = register[3]
    assert re.fullmatch(r"[a-z0-9-]+@\d+", name)
    assert register[:5] == ["wardgate", "adapters", "register", name, f"/adapters/{name}"]
    assert f"--out=/adapters/{name}" in train
    assert register[5:] == ["--url=http://gateway:8000", "--key=$(GATEWAY_KEY)"]


def test_images_are_the_projects() -> None:
    """Both images carry the project's version; the one that trains has torch, the one that registers needs none."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    for size in FILES:
        assert containers(size)["fetch"]["image"] == containers(size)["train"]["image"] == f"wardgate-vllm:{version}"
        assert containers(size)["register"]["image"] == f"wardgate-gateway:{version}"


def test_70b_differs_in_nothing_else() -> None:
    """The two Jobs differ in name, model, NF4, adapter, memory and time, and in nothing else."""
    one, other = (FILES[size].read_text().rpartition("---\n")[2].splitlines() for size in ("8b", "70b"))
    at = next(number for number, line in enumerate(other) if line == "apiVersion: batch/v1")
    changed = {line.strip() for line in {*one} ^ {*other[at:]}}
    assert {re.split(r"[ :=,]", line.removeprefix("- ").strip("{"))[0] for line in changed} == {
        *("name", "activeDeadlineSeconds", "args", "--model", "--quantize", "--recompute", "requests", "limits"),
    }
    assert {"--quantize=nf4", "--recompute"} <= set(words("70b", "train"))
