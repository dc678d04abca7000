"""Cuts a statement where another begins in it without a semicolon: behind `THEN`, `BEGIN`, in T-SQL anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guardrails.commands.sql.tokens import Token

TRANSACTION = frozenset(
    {"transaction", "tran", "work", "isolation", "read", "immediate", "deferred", "exclusive", "not", "concurrent"}
)
_WHOLE = frozenset(
    {"create", "grant", "revoke", "comment", "explain", "prepare", "describe", "desc", "deny", "audit", "security"}
)
_OBJECTS = frozenset(
    {
        "table",
        "database",
        "schema",
        "view",
        "index",
        "user",
        "role",
        "login",
        "procedure",
        "proc",
        "function",
        "trigger",
    }
)
# Two words that begin a statement and stand in the middle of no other.
_BEGINS: dict[str, frozenset[str]] = {
    "drop": _OBJECTS,
    "truncate": frozenset({"table"}),
    "delete": frozenset({"from"}),
    "insert": frozenset({"into", "overwrite"}),
    "merge": frozenset({"into"}),
    "alter": frozenset({"table", "database", "login", "server", "user", "role", "system"}),
    "backup": frozenset({"database", "log"}),
    "restore": frozenset({"database"}),
}
_EXECUTES = frozenset({"exec", "execute"})
_NEVER_AFTER = frozenset(
    {"on", "for", "do", "key", "of", "no", "after", "before", "or", "instead", "grant", ",", ".", "as", "by", "not"}
    | {"with", "allow", "deny", "=", "column", "also", "when", "then", "references"}
)
_CONTROLS = frozenset({"if", "elsif", "elseif", "else", "when", "while", "for", "foreach", "loop", "case", "exception"})
_OPENS = frozenset({"then", "else", "loop", "do", "repeat"})
_BLOCKS = frozenset({"try", "catch"})


def segments(tokens: Sequence[Token]) -> list[Sequence[Token]]:
    """The statements in one statement, each from its verb or its control word on."""
    head = tokens[0].lower
    if head in _WHOLE:
        return [tokens]
    found: list[Sequence[Token]] = []
    start = depth = cases = 0
    for at, token in enumerate(tokens):
        if token.kind == "mark":
            depth += (token.text == "(") - (token.text == ")")
            continue
        if token.kind != "word" or depth > 0:
            continue
        word = token.lower
        if word == "case" and at > start:
            cases += 1
        elif word == "end" and cases:
            cases -= 1
        elif not cases and (cut := _cut(tokens, start, at)):
            found.append(tokens[start:cut])
            start = cut
            if tokens[cut].lower in _WHOLE:
                break
    found.append(tokens[start:])
    return [one for one in found if one]


def _cut(tokens: Sequence[Token], start: int, at: int) -> int:
    """Where the next statement begins, if `at` ends the one before or begins it; 0 where it does not."""
    if at + 1 >= len(tokens):
        return 0
    word, after, head = tokens[at].lower, tokens[at + 1], tokens[start].lower
    if at == start:
        if word == "begin" and after.lower in _BLOCKS:
            return at + 2 if at + 2 < len(tokens) else 0
        opens = word in _OPENS - {"do"} or (word == "begin" and after.lower not in TRANSACTION)
        return at + 1 if opens else 0
    if word in _OPENS and head in _CONTROLS:
        return at + 1
    if (tokens[at - 1].lower or tokens[at - 1].text) in _NEVER_AFTER:
        return 0
    begins = word == "begin" and after.lower not in TRANSACTION
    return at if begins or _begins(tokens, at, head) else 0


def _begins(tokens: Sequence[Token], at: int, head: str) -> bool:
    word, after = tokens[at].lower, tokens[at + 1]
    if head == "with" and word in ("delete", "insert", "merge", "update", "set"):
        return False
    if word in _EXECUTES:
        return after.text == "(" or after.text[:1] == "@" or after.lower.startswith(("xp_", "sp_")) or head == "if"
    if word == "update":
        return any(t.lower == "set" for t in tokens[at + 2 : at + 8])
    if word in ("set", "declare"):
        return after.text[:1] == "@" and head not in ("update", "merge", "insert")
    if word == "shutdown":
        return at + 2 >= len(tokens) or after.lower == "with"
    return after.lower in _BEGINS.get(word, ())
