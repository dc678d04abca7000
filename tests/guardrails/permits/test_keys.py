from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from guardrails.permits.interface import PermitError
from guardrails.permits.keys import SigningKey, VerifyingKey, decoded, encoded

if TYPE_CHECKING:
    from pathlib import Path


def openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def test_a_key_made_here_is_one_for_openssl_and_the_other_way_round(tmp_path: Path) -> None:
    """There is one form of a key file, and it is everybody's."""
    key, pem = SigningKey.made()
    (tmp_path / "ours.pem").write_bytes(pem)
    openssl(tmp_path, "pkey", "-in", "ours.pem", "-pubout", "-out", "ours.pub")
    assert (tmp_path / "ours.pub").read_bytes() == key.public_pem
    openssl(tmp_path, "genpkey", "-algorithm", "ed25519", "-out", "theirs.pem")
    openssl(tmp_path, "pkey", "-in", "theirs.pem", "-pubout", "-out", "theirs.pub")
    assert SigningKey.load(tmp_path / "theirs.pem").id == VerifyingKey.load(tmp_path / "theirs.pub").id


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (["genpkey", "-algorithm", "x25519", "-out", "key"], "another kind"),
        (["genpkey", "-algorithm", "ed25519", "-aes256", "-pass", "pass:secret", "-out", "key"], "passphrase"),
        (["rand", "-out", "key", "32"], "no private key in PEM"),
        (["version"], "cannot be read"),
    ],
)
def test_a_private_key_that_cannot_sign_is_refused_with_the_mend(tmp_path: Path, make: list[str], words: str) -> None:
    """The message says what is wrong with the file, and how to make a good one."""
    openssl(tmp_path, *make)
    with pytest.raises(PermitError, match=words):
        SigningKey.load(tmp_path / "key")


def test_who_checks_should_not_hold_a_private_key(tmp_path: Path) -> None:
    """It would let a runner write its own permits."""
    _, pem = SigningKey.made()
    (tmp_path / "key.pem").write_bytes(pem)
    with pytest.raises(PermitError, match="who checks should not hold"):
        VerifyingKey.load(tmp_path / "key.pem")


def test_base64_has_one_way_of_writing() -> None:
    """Two texts that decode alike would be two permits."""
    assert decoded(encoded(b"\xff\xfe")) == b"\xff\xfe"
    assert [decoded(text) for text in ("__4=", "__5", "_ _4", "//4", "\u00e9")] == [None] * 5
