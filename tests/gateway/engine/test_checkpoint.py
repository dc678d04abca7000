from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING

import pytest

from gateway.engine.checkpoint import (
    Checkpoint,
    DigestCache,
    ModelError,
    base_digest,
    chat_template_digest,
    find_checkpoint,
    locate,
    weights,
)

if TYPE_CHECKING:
    from pathlib import Path


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "merged"
    made.mkdir()
    (made / "config.json").write_text("{}")
    (made / "model.safetensors").write_bytes(b"weights")
    return made


def test_a_folder_with_a_checkpoint_is_served_under_its_name(folder: Path) -> None:
    assert find_checkpoint(str(folder)) == Checkpoint(str(folder), "merged", local=True)


def test_a_hub_id_is_served_under_its_id() -> None:
    name = "meta-llama/Llama-3.1-8B-Instruct"
    assert find_checkpoint(name) == Checkpoint(name, name, local=False)


@pytest.mark.parametrize(
    ("missing", "words"),
    [("config.json", "no config.json"), ("model.safetensors", "no weights")],
)
def test_a_folder_that_is_no_model_is_told_apart(folder: Path, missing: str, words: str) -> None:
    (folder / missing).unlink()
    with pytest.raises(ModelError, match=words):
        find_checkpoint(str(folder))


def test_an_adapter_is_no_model(folder: Path) -> None:
    (folder / "adapter_config.json").write_text("{}")
    with pytest.raises(ModelError, match="merge the two"):
        find_checkpoint(str(folder))


def test_a_file_is_no_model(folder: Path) -> None:
    with pytest.raises(ModelError, match="is a file"):
        find_checkpoint(str(folder / "model.safetensors"))


@pytest.mark.parametrize("model", ["./nothing/here", "/no/such/folder", "llama", "a/b/c", "~/nothing", "../x/y"])
def test_what_is_neither_says_what_can_be_given(model: str) -> None:
    with pytest.raises(ModelError, match="leave --model out"):
        find_checkpoint(model)


def test_the_digest_of_one_file_is_that_of_sha256sum(folder: Path, tmp_path: Path) -> None:
    assert base_digest(folder, DigestCache(tmp_path / "known.json")) == sha(b"weights")


def test_the_digest_of_several_files_covers_names_and_contents(folder: Path, tmp_path: Path) -> None:
    (folder / "model-2.safetensors").write_bytes(b"more")
    expected = f"model-2.safetensors {sha(b'more')}\nmodel.safetensors {sha(b'weights')}\n"
    assert base_digest(folder, DigestCache(tmp_path / "known.json")) == sha(expected.encode())


def test_safetensors_are_preferred_to_other_weights(folder: Path) -> None:
    (folder / "pytorch_model.bin").write_bytes(b"same, pickled")
    assert [file.name for file in weights(folder)] == ["model.safetensors"]


def test_a_digest_is_computed_again_only_when_the_file_has_changed(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Size and time tell; what is known outlives the process, and a damaged cache is no obstacle."""
    file, known = folder / "model.safetensors", tmp_path / "cache" / "known.json"
    first = DigestCache(known).sha256(file)
    with monkeypatch.context() as patched:
        patched.setattr(DigestCache, "_read", None)
        assert DigestCache(known).sha256(file) == first
    file.write_bytes(b"changed")
    assert DigestCache(known).sha256(file) == sha(b"changed")
    status = file.stat()
    file.write_bytes(b"another")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert DigestCache(known).sha256(file) == sha(b"another")
    known.write_text("{half")
    assert DigestCache(known).sha256(file) == sha(b"another")


@pytest.mark.parametrize(
    ("files", "text"),
    [
        ({"chat_template.jinja": "{{ a }}", "tokenizer_config.json": '{"chat_template": "no"}'}, "{{ a }}"),
        ({"tokenizer_config.json": '{"chat_template": "{{ b }}"}'}, "{{ b }}"),
        ({"tokenizer_config.json": '{"chat_template": [{"x": 1}]}'}, json.dumps([{"x": 1}])),
    ],
)
def test_the_chat_template_is_found_where_tokenizers_keep_it(tmp_path: Path, files: dict[str, str], text: str) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    assert chat_template_digest(tmp_path) == sha(text.encode())


@pytest.mark.parametrize("content", ["{}", "[]", "half"])
def test_no_chat_template_is_no_digest(tmp_path: Path, content: str) -> None:
    (tmp_path / "tokenizer_config.json").write_text(content)
    assert chat_template_digest(tmp_path) == ""
    assert chat_template_digest(tmp_path / "nowhere") == ""


def test_reading_can_be_given_up(folder: Path, tmp_path: Path) -> None:
    """A gateway that is told to stop does not wait for weights to be read."""
    cache = DigestCache(tmp_path / "known.json")
    cache.stop()
    with pytest.raises(InterruptedError):
        cache.sha256(folder / "model.safetensors")


def test_the_files_of_a_hub_id_are_found_in_the_hubs_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    assert locate("org/llama") is None
    cached = tmp_path / "hub" / "models--org--llama"
    (cached / "refs").mkdir(parents=True)
    (cached / "refs" / "main").write_text("c0ffee")
    assert locate("org/llama") is None
    (cached / "snapshots" / "c0ffee").mkdir(parents=True)
    assert locate("org/llama") == cached / "snapshots" / "c0ffee"


def test_only_an_absolute_folder_is_sure_to_be_what_vllm_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process has another current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m").mkdir()
    assert locate(str(tmp_path / "m")) == tmp_path / "m"
    assert locate("m") is None
    assert locate("") is None
    assert locate("/no/such") is None
