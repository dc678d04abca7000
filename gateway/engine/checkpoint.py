"""What `--model` names: a folder with a checkpoint, or an id on the model hub; and the digests of what lies there."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import threading
from pathlib import Path
from typing import NamedTuple

import msgspec

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
PIECE = 1 << 22
NOTE = "wardgate.json"  # beside the weights: what they were made of
WEIGHTS = ("*.safetensors", "*.bin", "*.pt")


class ModelError(ValueError):
    """`--model` names nothing that can be served; the message says what to give instead."""


class Merged(msgspec.Struct, frozen=True):
    """What a merged checkpoint was made of; kept in it as `wardgate.json`.

    Attributes:
        adapter: `name@version`; answers, records and metrics say this.
        adapter_digest: Of the adapter's files.
        base_model: Public id of the base.
        base_digest: SHA-256 of the base's weights.
        digest: SHA-256 of the merged weights.
    """

    adapter: str
    adapter_digest: str
    base_model: str
    base_digest: str
    digest: str


class _Note(msgspec.Struct):
    merged: Merged | None = None


class Checkpoint(NamedTuple):
    """What vLLM is told to load.

    Attributes:
        model: Folder or hub id, as vLLM takes it.
        name: Public id of the model.
        local: Whether it is a folder, so that nothing needs to be fetched.
        merged: What `wardgate adapters merge` wrote beside the weights; None where they are somebody else's.
    """

    model: str
    name: str
    local: bool
    merged: Merged | None = None

    @property
    def family(self) -> str:
        """The name of the model that it is, or was made of."""
        return self.name if self.merged is None else self.merged.base_model


class FileDigest(msgspec.Struct, frozen=True):
    """A file's SHA-256, and the size and time (ns) at which it was computed."""

    sha256: str
    size: int
    modified: int


_read_digests = msgspec.json.Decoder(dict[str, FileDigest]).decode


def find_checkpoint(model: str) -> Checkpoint:
    """Take `--model` for what it is.

    Raises:
        ModelError: It is neither a folder with a checkpoint nor a hub id.
    """
    folder = Path(model).expanduser()
    if folder.is_dir():
        return _folder(folder.resolve())
    if folder.is_file():
        raise ModelError(f"--model: {model!r} is a file. Give the folder with config.json and the weights.")
    if _HUB_ID.fullmatch(model):
        return Checkpoint(model, model, local=False)
    raise ModelError(
        f"--model: {model!r} does not exist here and is no hub id. Give a folder with a checkpoint, a hub id like "
        "meta-llama/Llama-3.1-8B-Instruct, or leave --model out to serve the embedded default."
    )


def _folder(folder: Path) -> Checkpoint:
    if (folder / "adapter_config.json").exists():
        raise ModelError(
            f"--model: {str(folder)!r} holds an adapter, not a model. Serve its base model and load the adapter, "
            "or merge the two and give the merged folder."
        )
    if not (folder / "config.json").is_file():
        raise ModelError(f"--model: {str(folder)!r} has no config.json, so it is no checkpoint. Give its folder.")
    if not weights(folder):
        raise ModelError(f"--model: {str(folder)!r} has a config.json and no weights ({', '.join(WEIGHTS)}).")
    merged = read_merged(folder)
    return Checkpoint(str(folder), merged.adapter if merged else folder.name, local=True, merged=merged)


def read_merged(folder: Path) -> Merged | None:
    """What was merged to make the checkpoint in `folder`; None where nothing was.

    Raises:
        ModelError: It says what it is in a way that cannot be read.
    """
    try:
        return msgspec.json.decode((folder / NOTE).read_bytes(), type=_Note).merged
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise ModelError(f"--model: {folder / NOTE} cannot be read: {error}. Merge again, or delete it.") from error


def locate(model: str) -> Path | None:
    """The folder whose files are served: the one named, or the hub's cache of that id; None where none is here."""
    folder = Path(model)
    if _HUB_ID.fullmatch(model):
        hub = os.environ.get("HF_HUB_CACHE") or Path(os.environ.get("HF_HOME") or "~/.cache/huggingface") / "hub"
        cached = Path(hub).expanduser() / f"models--{model.replace('/', '--')}"
        try:
            folder = cached / "snapshots" / (cached / "refs" / "main").read_text(encoding="ascii").strip()
        except OSError:
            return None
    return folder if folder.is_absolute() and folder.is_dir() else None


def weights(folder: Path) -> list[Path]:
    """The files with weights, of the first kind that is there."""
    return next((found for kind in WEIGHTS if (found := sorted(folder.glob(kind)))), [])


def base_digest(folder: Path, known: DigestCache) -> str:
    """SHA-256 of the weights, hex: of the one file, or of `name digest` lines where they are in several."""
    files = weights(folder)
    if len(files) == 1:
        return known.sha256(files[0])
    lines = "".join(f"{file.name} {known.sha256(file)}\n" for file in files)
    return hashlib.sha256(lines.encode()).hexdigest()


def chat_template_digest(folder: Path) -> str:
    """SHA-256 of the chat template, hex; empty where the folder has none."""
    with contextlib.suppress(OSError):
        return hashlib.sha256((folder / "chat_template.jinja").read_bytes()).hexdigest()
    with contextlib.suppress(OSError, ValueError, AttributeError):
        template = json.loads((folder / "tokenizer_config.json").read_bytes()).get("chat_template")
        if template:
            text = template if isinstance(template, str) else json.dumps(template, sort_keys=True)
            return hashlib.sha256(text.encode()).hexdigest()
    return ""


class DigestCache:
    """SHA-256 of files, computed again only where size or time have changed; kept in one file, safe between threads."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._one = threading.Lock()
        self._stopped = False
        try:
            self._known = _read_digests(file.read_bytes())
        except (OSError, msgspec.DecodeError):
            self._known = {}

    def sha256(self, path: Path) -> str:
        """Hex digest of a file's content.

        Raises:
            OSError: It cannot be read; InterruptedError after `stop`.
        """
        status = path.stat()
        key = str(path.resolve())
        with self._one:
            known = self._known.get(key)
            if known is None or (known.size, known.modified) != (status.st_size, status.st_mtime_ns):
                known = FileDigest(self._read(path), status.st_size, status.st_mtime_ns)
                self._known[key] = known
                self._keep()
        return known.sha256

    def stop(self) -> None:
        """Give up what is being read: large weights take minutes, and a thread cannot be cancelled."""
        self._stopped = True

    def _read(self, path: Path) -> str:
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                if self._stopped:
                    raise InterruptedError(f"{path} was not read to its end")
                digest.update(piece)
        return digest.hexdigest()

    def _keep(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        draft = self._file.with_name(f".{self._file.name}.{os.getpid()}")
        draft.write_bytes(msgspec.json.encode(self._known))
        draft.replace(self._file)
