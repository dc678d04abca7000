"""The gateway's own copy of an adapter: whole or not there, never another one's, never changed unnoticed."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_adapters import BASE, write

from gateway.adapters import keeping
from gateway.adapters.folder import AdapterRefused, read_shapes
from gateway.adapters.keeping import check_alias, check_unchanged, keep_adapter, make_record, parse_id
from gateway.engine.limits import Limits


def keep(home: Path, source: Path, id_: str = "ops@1", *, registered: bool = False, expected: str = "") -> Path:
    return keep_adapter(home, id_, source, Limits(), read_shapes(BASE), expected=expected, registered=registered)[0]


def left(home: Path) -> list[str]:
    return sorted(path.name for path in (home / "adapters").iterdir())


def test_a_kept_adapter_does_not_change_with_its_source(tmp_path: Path) -> None:
    """What is beside the adapter and known is kept with it; what is not known is left behind."""
    source = write(tmp_path / "run", provenance={"loss": "dpo"})
    (source / "README.md").write_text("a card")
    (source / "optimizer.pt").write_bytes(b"state")
    place, checked = keep_adapter(tmp_path, "ops@1", source, Limits(), None, registered=False)
    record = make_record("ops@1", place, checked, "b", 5)
    (source / "adapter_model.safetensors").write_bytes(b"gone")
    check_unchanged(record)
    assert (record.id, record.rank, record.created_us, Path(record.path)) == ("ops@1", 2, 5, place)
    assert sorted(path.name for path in place.iterdir()) == [
        "README.md",
        "adapter_config.json",
        "adapter_model.safetensors",
        "wardgate.json",
    ]
    (place / "adapter_model.safetensors").write_bytes(b"changed")
    with pytest.raises(AdapterRefused, match="somebody changed them"):
        check_unchanged(record)
    (place / "adapter_model.safetensors").unlink()
    with pytest.raises(AdapterRefused, match="cannot be read any more"):
        check_unchanged(record)


def test_a_refused_adapter_leaves_nothing(tmp_path: Path) -> None:
    source = write(tmp_path / "run", weights=b"garbage")
    with pytest.raises(AdapterRefused):
        keep(tmp_path, source)
    with pytest.raises(AdapterRefused, match="was expected"):
        keep(tmp_path, write(tmp_path / "other"), expected="0" * 64)
    with pytest.raises(AdapterRefused, match="is no folder"):
        keep(tmp_path, tmp_path / "nowhere")
    assert left(tmp_path) == []


def test_a_crash_while_copying_leaves_nothing_under_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keeping.os, "fsync", crash)
    with pytest.raises(OSError, match="No space"):
        keep(tmp_path, write(tmp_path / "run"))
    assert left(tmp_path) == []


def test_a_name_is_given_once(tmp_path: Path) -> None:
    """The same adapter again is the same; another one is refused, unless its like was never registered."""
    one, other = write(tmp_path / "one"), write(tmp_path / "other", lora_alpha=8)
    place = keep(tmp_path, one)
    assert keep(tmp_path, one, registered=True) == place
    with pytest.raises(AdapterRefused, match="register a new version"):
        keep(tmp_path, other, registered=True)
    assert keep(tmp_path, other) == place
    assert left(tmp_path) == ["ops@1"]


def test_a_link_that_leads_outside_is_refused(tmp_path: Path) -> None:
    source = write(tmp_path / "run")
    secret = tmp_path / "secret"
    secret.write_bytes((source / "adapter_config.json").read_bytes())
    (source / "adapter_config.json").unlink()
    (source / "adapter_config.json").symlink_to(secret)
    with pytest.raises(AdapterRefused, match="outside of the folder"):
        keep(tmp_path, source)


@pytest.mark.parametrize(
    "text",
    ["ops", "ops@", "@1", "../x@1", "ops@../1", "ops@1/2", "base@1", ".ops@1", "ops@1@2", "o p@1", "a" * 64 + "@1"],
)
def test_a_name_is_name_at_version_and_no_path(text: str) -> None:
    with pytest.raises(AdapterRefused, match="is no name@version"):
        parse_id(text)


@pytest.mark.parametrize("text", ["", "base", "a/b", "ops@1", "-x", "a b"])
def test_an_alias_is_a_plain_name(text: str) -> None:
    with pytest.raises(AdapterRefused, match="is no name for an alias"):
        check_alias(text)
    assert check_alias("aiops-2.x") == "aiops-2.x"
