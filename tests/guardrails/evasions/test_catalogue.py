"""Compositions are seeded, reach their target, and stand on every channel."""

from __future__ import annotations

import html
import json
from random import Random
from urllib.parse import unquote

import pytest

from guardrails.evasions.catalogue import EVASIONS, attacks, compositions
from guardrails.evasions.frames import Place
from guardrails.evasions.interface import Undone
from guardrails.interface import Shell
from guardrails.text import canonical

EVERYWHERE = frozenset(Place)


def test_equal_seeds_give_equal_attacks_and_others_do_not() -> None:
    def made(seed: str) -> list[tuple[str, ...]]:
        return [attack.texts for attack in attacks("rm -rf /srv", Shell.BASH, EVERYWHERE, 6, seed)]

    assert made("a") == made("a")
    assert made("a") != made("b")


def test_an_attack_comes_by_every_way_in_plain_and_evaded() -> None:
    made = list(attacks("rm -rf /srv", Shell.BASH, EVERYWHERE, 8, "x"))
    assert {attack.place for attack in made if not attack.techniques} == EVERYWHERE
    assert {len(attack.techniques) for attack in made} == {0, 1, 2}


def test_names_are_unique_and_every_technique_says_what_it_does() -> None:
    assert len({evasion.name for evasion in EVASIONS}) == len(EVASIONS)
    assert all(evasion.about and evasion.shells for evasion in EVASIONS)


@pytest.mark.parametrize("shell", [Shell.BASH, Shell.POWERSHELL, Shell.CMD, Shell.SQL])
def test_a_shell_s_spelling_never_stands_outside_an_encoding(shell: Shell) -> None:
    for inner, outer in (pair for pair in compositions(shell) if len(pair) == 2):
        assert not (outer.undone is Undone.SHELL and inner.undone is not Undone.SHELL)


def test_decoders_give_the_attack_back() -> None:
    named = {evasion.name: evasion for evasion in EVASIONS}
    text = "rm -rf /srv; ls | wc"
    undo = {
        "percent": unquote,
        "percent, every byte": unquote,
        "HTML decimal": html.unescape,
        "HTML hexadecimal": html.unescape,
        "HTML named": html.unescape,
        "\\u escapes": lambda read: json.loads(f'"{read}"'),
        "some \\u escapes": lambda read: json.loads(f'"{read}"'),
        "hex": lambda read: bytes.fromhex(read).decode(),
        "character codes": lambda read: "".join(chr(int(code)) for code in read.replace(",", " ").split()),
    }
    for name, decode in undo.items():
        assert decode(named[name].apply(text, Random(3)) or "") == text, name


def test_a_reader_reads_the_same() -> None:
    for name in ("full width", "zero width", "mathematical", "look-alikes", "struck through", "directional marks"):
        evasion = next(evasion for evasion in EVASIONS if evasion.name == name)
        assert canonical(evasion.apply("rm -rf data", Random(1)) or "").text == "rm -rf data", name
