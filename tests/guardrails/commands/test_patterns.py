"""Rules' patterns: no text however built makes one slow."""

from __future__ import annotations

import re
import time

import pytest

from guardrails.commands.patterns import PatternError, compiled
from guardrails.commands.rules import load_rules


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (r"^now\b", "NOW", True),
        (r"^now\b", "nowhere", False),
        (r"^(?:-\S+ )*\S+\.conf$", "-f -v a.CONF", True),
        (r"\w+\z", "a é", False),
        (r"-(?-i:D)$", "-d", False),
        (r"a{2,3}", "baab", True),
        (r"x.*y", "x\ud800y", True),
    ],
)
def test_a_pattern_is_looked_for(pattern: str, text: str, found: bool) -> None:
    """Case is ignored, classes are ASCII's, and half a surrogate pair breaks nothing."""
    assert (compiled(pattern).search(text) is not None) is found


def test_a_cased_pattern_gives_its_groups() -> None:
    """What fills a slot keeps its case."""
    match = compiled(r"delete (\w+)", cased=True).search("delete Pod")
    assert match is not None
    assert match[1] == "Pod"
    assert compiled(r"Delete (\w+)", cased=True).search("delete Pod") is None


@pytest.mark.parametrize(
    ("pattern", "mend"),
    [
        ("a(?!b)", "looks around itself"),
        ("(?<=a)b", "looks around itself"),
        (r"(a)\1", "refers back"),
        ("(", "not a regular expression"),
        ("a" * 5000, "longer than"),
    ],
)
def test_what_could_take_for_ever_is_refused(pattern: str, mend: str) -> None:
    """Lookarounds and references back are refused with what to write instead."""
    with pytest.raises(PatternError, match=mend):
        compiled(pattern)


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*b", "(?:a?){60}a{60}", "(?:.{0,30}){0,30}!", r"(\w|\d)+\."])
def test_what_makes_others_slow_does_not(pattern: str) -> None:
    """Nested repeats over a hundred thousand letters take moments."""
    begun = time.process_time()
    compiled(pattern).search("a" * 100_000)
    assert time.process_time() - begun < 2


def test_only_bounded_patterns_run_on_pythons_engine() -> None:
    """Whatever repeats without bound runs on RE2, in the built-in rules, too."""
    assert isinstance(compiled("^(?:stop|start) x?$"), re.Pattern)
    for pattern in ("a*", "a+b", "(?:ab){2,}", "(?:a{0,30}){0,30}"):
        assert not isinstance(compiled(pattern), re.Pattern)
    patterns = {
        pattern.pattern
        for rule in load_rules().rules
        for _, match in rule.matchers
        for pattern in (match.text, match.harmless, match.arguments)
        if isinstance(pattern, re.Pattern)
    }
    assert patterns
    assert not any(re.search(r"(?<!\\)[*+]", re.sub(r"\[[^]]*\]", "", pattern)) for pattern in patterns)
