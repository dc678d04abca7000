"""Phrases of SQL's tokens: dotted names, calls, lists, assignments, a statement's words for a rule to match."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from guardrails.commands.sql.tokens import Token

_MOST_WORDS = 80
_PACKAGES = ("dbms_", "utl_", "owa_", "ctxsys", "cron", "apex_", "rdsadmin", "rds")
# Noise between a verb and what it falls on, kept as an option: the name then always stands at the same place.
_NOISE = {
    ("if", "exists"): "--if-exists",
    ("if", "not", "exists"): "--if-not-exists",
    ("or", "replace"): "--or-replace",
    ("concurrently",): "--concurrently",
    ("temporary",): "--temporary",
    ("temp",): "--temporary",
    ("only",): "",
}
_LONGEST_NOISE = 3


class Call(NamedTuple):
    """A call of a function: its name, the tokens between its brackets, and its span."""

    name: str
    arguments: Sequence[Token]
    span: tuple[int, int]


def name_at(tokens: Sequence[Token], at: int) -> tuple[str, int]:
    """The dotted name at an index, and the index behind it."""
    parts = [tokens[at].text]
    at += 1
    while at + 1 < len(tokens) and tokens[at].text == "." and tokens[at].kind == "mark":
        while at < len(tokens) and tokens[at].text == "." and tokens[at].kind == "mark":
            at += 1
        if at < len(tokens):
            parts.append(tokens[at].text)
            at += 1
    return ".".join(parts), at


def bare(name: str) -> str:
    """A routine's name as rules know it: without its schema, but with the package of those that come in packages."""
    lowered = name.lower()
    head, dot, rest = lowered.rpartition(".")
    if not dot:
        return lowered
    package = head.rpartition(".")[2]
    return f"{package}.{rest}" if package.startswith(_PACKAGES) else rest


def words(tokens: Sequence[Token]) -> list[str]:
    """A statement's words: names joined, strings in quotes, noise as options at the end."""
    found: list[str] = []
    options: list[str] = []
    at = 0
    while at < len(tokens) and len(found) < _MOST_WORDS:
        token = tokens[at]
        if token.kind == "word" and (noise := _noise(tokens, at)):
            options += [option] if (option := _NOISE[noise]) else []
            at += len(noise)
            continue
        if token.kind in ("word", "quoted"):
            name, at = name_at(tokens, at)
            found.append(name)
            continue
        found.append(f"'{token.text}'" if token.kind in ("string", "body") else token.text)
        at += 1
    return found + options


def _noise(tokens: Sequence[Token], at: int) -> tuple[str, ...]:
    for length in range(1, _LONGEST_NOISE + 1):
        words_ = tuple(t.lower for t in tokens[at : at + length])
        if words_ in _NOISE:
            return words_
    return ()


def listed(tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """The items of a list, cut at commas outside of brackets."""
    start = depth = 0
    for at, token in enumerate(tokens):
        if token.kind != "mark":
            continue
        depth += (token.text in "([") - (token.text in ")]")
        if token.text == "," and depth <= 0:
            yield tokens[start:at]
            start = at + 1
    yield tokens[start:]


def closing(tokens: Sequence[Token], at: int) -> int:
    """The index of the bracket that closes the one at `at`; the last index where none does."""
    depth = 0
    for index in range(at, len(tokens)):
        token = tokens[index]
        if token.kind == "mark":
            depth += (token.text == "(") - (token.text == ")")
            if depth == 0:
                return index
    return len(tokens) - 1


def calls(tokens: Sequence[Token]) -> Iterator[Call]:
    """Every call of a function, those in arguments of others included."""
    opened: list[tuple[str, int, int]] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token.kind in ("word", "quoted"):
            name, after = name_at(tokens, at)
            if after < len(tokens) and tokens[after].text == "(" and tokens[after].kind == "mark":
                opened.append((name, after + 1, token.start))
                after += 1
            at = after
            continue
        if token.kind == "mark" and token.text == "(":
            opened.append(("", at + 1, token.start))
        elif token.kind == "mark" and token.text == ")" and opened:
            name, start, begins = opened.pop()
            if name:
                yield Call(bare(name), tokens[start:at], (begins, token.end))
        at += 1
    for name, start, begins in opened:
        if name:
            yield Call(bare(name), tokens[start:], (begins, tokens[-1].end))


def assignments(tokens: Sequence[Token]) -> Iterator[tuple[str, Sequence[Token], bool]]:
    """`@x = …`, `x := …`, `SELECT … INTO @x`: the name, the tokens of the value, whether it is added to."""
    head = tokens[0].lower
    into = next((i for i, t in enumerate(tokens) if t.lower == "into"), None)
    if head == "select" and into is not None and into + 1 < len(tokens):
        yield tokens[into + 1].text.lower(), tokens[1:into], False
        return
    for item in listed(tokens[1:] if head in ("set", "declare", "select") else tokens):
        for at, token in enumerate(item[:8]):
            if at and token.text in ("=", ":=", "default") and token.kind in ("mark", "word"):
                adds = item[at - 1].text == "+" and at > 1
                yield item[0].text.lower(), item[at + 1 :], adds
                break
