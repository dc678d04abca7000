"""Keys, scopes, and the home's key file."""

from __future__ import annotations

import hashlib
import stat
from typing import TYPE_CHECKING

import pytest

from gateway.access import KeyFileUnusable, Scope, keep_key, open_access
from gateway.errors import InvalidKey, ScopeMissing
from gateway.settings import KeySettings, Settings

if TYPE_CHECKING:
    from pathlib import Path

SCRAPER = KeySettings(
    name="scraper", sha256=hashlib.sha256(b"wg-scrape").hexdigest(), scopes=("metrics",), project="night"
)
ACCESS = open_access(Settings(keys=(SCRAPER,)), "wg-home")


@pytest.mark.parametrize(
    ("authorization", "api_key"),
    [
        (b"Bearer wg-home", None),
        (b"bearer  wg-home ", None),
        (None, b"wg-home"),
        (b"Basic dTpw", b"wg-home"),
    ],
)
def test_the_home_key_opens_everything(authorization: bytes | None, api_key: bytes | None) -> None:
    """Either header carries the key, and the home's key has every scope."""
    for scope in Scope:
        caller = ACCESS.authorize(authorization, api_key, scope)
        assert (caller.key_id, caller.project) == ("home", "default")


@pytest.mark.parametrize(
    ("authorization", "api_key"),
    [
        (None, None),
        (b"", b""),
        (b"Bearer ", None),
        (b"Bearer wg-hom", None),
        (b"Bearer wrong", b"wg-home"),
        (b"wg-home", None),
    ],
)
def test_no_key_and_a_wrong_key_are_401(authorization: bytes | None, api_key: bytes | None) -> None:
    """Both carry the code OpenAI's clients know, and neither repeats the key."""
    with pytest.raises(InvalidKey) as caught:
        ACCESS.authorize(authorization, api_key, Scope.CHAT)
    assert (caught.value.status, caught.value.code) == (401, "invalid_api_key")
    assert "wg-h" not in str(caught.value)


def test_a_missing_scope_is_403() -> None:
    """A known key that may not do this is told what it may."""
    assert ACCESS.authorize(b"Bearer wg-scrape", None, Scope.METRICS).project == "night"
    with pytest.raises(ScopeMissing, match="metrics") as caught:
        ACCESS.authorize(b"Bearer wg-scrape", None, Scope.ADMIN)
    assert caught.value.status == 403


def test_a_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    """The first start makes it, every later one reads it; nobody else may."""
    file = tmp_path / "home" / "key"
    key, made = keep_key(file)
    assert made
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert keep_key(file) == (key, False)
    assert [path.name for path in file.parent.iterdir()] == ["key"]


@pytest.mark.parametrize("content", [b"\n", b"\xff\xfe"])
def test_a_broken_key_file_is_an_error(tmp_path: Path, content: bytes) -> None:
    """A file that holds no key is never replaced in silence."""
    file = tmp_path / "key"
    file.write_bytes(content)
    with pytest.raises(KeyFileUnusable, match="key"):
        keep_key(file)
    assert file.read_bytes() == content
