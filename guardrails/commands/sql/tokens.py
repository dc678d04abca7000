"""SQL's tokens, as one of its families of dialects reads quotes, comments and escapes."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from guardrails.commands.tree import UNKNOWN

_MOST_OPEN = 8  # dollar quotes that nothing closes: each costs a look at the rest of the text


class Token(NamedTuple):
    """One token.

    Attributes:
        kind: `word`, `number`, `string`, `quoted` (a quoted name), `body` (between dollar quotes), `line` (the rest of
            a client's own command) or `mark`.
        text: What it stands for: no quotes, escapes resolved.
        start: Where it begins in the text.
        end: Where it ends there.
        lower: `text` in lower case; empty for strings, bodies and quoted names, which are no keywords.
        joined: Whether nothing separates it from the token before.
    """

    kind: str
    text: str
    start: int
    end: int
    lower: str
    joined: bool


class Lexis(NamedTuple):
    """How a family of dialects reads what they disagree about.

    Attributes:
        backslash: A backslash escapes inside of every string.
        double: Double quotes enclose strings, not names.
        pound: `#` begins a comment.
        dashed: `--` needs a blank behind it to begin a comment.
        hints: What stands in `/*! … */` is run.
        nested: Comments nest.
        brackets: `[…]` encloses a name.
    """

    backslash: bool = False
    double: bool = False
    pound: bool = False
    dashed: bool = False
    hints: bool = False
    nested: bool = False
    brackets: bool = False


@lru_cache(maxsize=16)
def _pattern(lexis: Lexis) -> re.Pattern[str]:
    body = r"(?:[^'\\]|''|\\.)*" if lexis.backslash else r"(?:[^']|'')*"
    second = r"(?:[^\"\\]|\"\"|\\.)*" if lexis.backslash and lexis.double else r"(?:[^\"]|\"\")*"
    gap = r"\s+|--(?=\s|\Z)[^\n]*" if lexis.dashed else r"\s+|--[^\n]*"
    pound = r"|#[^\n]*" if lexis.pound else ""
    return re.compile(
        rf"(?P<gap>{gap}{pound})"
        r"|(?P<comment>/\*)"
        r"|[eE]'(?P<escaped>(?:[^'\\]|''|\\.)*)(?:'|\Z)"
        r"|[qQ]'(?P<oracle>\[(?:[^\]]|\](?!'))*\]|\{(?:[^}]|\}(?!'))*\}|\((?:[^)]|\)(?!'))*\)|!(?:[^!]|!(?!'))*!)'"
        rf"|(?:[nNxXbBrR]|[uU]&|_\w+\s*)?'(?P<string>{body})(?:'|\Z)"
        rf'|"(?P<second>{second})(?:"|\Z)|`(?P<ticked>(?:[^`]|``)*)(?:`|\Z)'
        + (
            r"|\[(?P<boxed>[^\]\n]+)\]"
            if lexis.brackets
            else r"|(?<![\w\])\"\ufffc])\[(?P<boxed>[A-Za-z_][^\]\n',]*)\]"
        )
        + r"|(?P<dollar>\$(?:[A-Za-z_]\w*)?\$)"
        r"|(?P<number>\d[\w.]*|\.\d\w*)"
        rf"|(?P<word>[@:#]{{0,2}}[\w{UNKNOWN}][\w$#@{UNKNOWN}]*|\\!|\\\w+|@@?\w+)"
        r"|(?P<mark>\|\||::|:=|=>|->>?|[<>!=]=|<>|.)",
        re.DOTALL,
    )


_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0", "Z": "\x1a"}
_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{4})|([0-7]{3})|(.))", re.DOTALL)
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_VERSION = re.compile(r"/\*M?!\d*")


def tokens(text: str, lexis: Lexis) -> list[Token]:
    """The tokens of a text; comments are left out."""
    found: list[Token] = []
    match, at, size, unclosed = _pattern(lexis).match, 0, len(text), 0
    gap = True
    while at < size:
        read = match(text, at)
        if read is None:  # pragma: no cover - the last alternative takes any character
            break
        kind, start, at = read.lastgroup or "mark", at, read.end()
        if kind == "gap":
            gap = True
            continue
        if kind == "comment":
            at = _comment(text, start, lexis)
            gap = True
            continue
        if kind == "mark" and lexis.hints and read[0] == "*" and text.startswith("/", at):
            at += 1  # the end of a comment whose inside was run
            continue
        if kind == "dollar":
            close = text.find(read[0], at) if unclosed < _MOST_OPEN else -1
            unclosed += close < 0
            if close >= 0:
                found.append(Token("body", text[at:close], start, close + len(read[0]), "", not gap))
                at, gap = close + len(read[0]), False
                continue
            kind = "word"
        found.append(_token(kind, read, start, joined=not gap, lexis=lexis))
        gap = False
    return found


def _token(kind: str, read: re.Match[str], start: int, *, joined: bool, lexis: Lexis) -> Token:
    if kind in ("word", "mark", "number", "dollar"):
        return Token(kind, read[0], start, read.end(), read[0].lower(), joined)
    inside = read[kind]
    if kind == "oracle":
        return Token("string", inside[1:-1], start, read.end(), "", joined)
    if kind in ("string", "escaped") or (kind == "second" and lexis.double):
        quote = "'" if kind != "second" else '"'
        text = inside.replace(quote * 2, quote)
        if kind == "escaped" or lexis.backslash:
            text = _unescaped(text)
        elif read[0][0] in "xX":
            text = _hex(text)
        return Token("string", text, start, read.end(), "", joined)
    return Token("quoted", inside.replace('""', '"').replace("``", "`"), start, read.end(), "", joined)


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text

    def plain(found: re.Match[str]) -> str:
        digits, base = (found[3], 8) if found[3] else (found[1] or found[2], 16)
        return chr(int(digits, base)) if digits else _ESCAPES.get(found[4], found[4])

    return _ESCAPE.sub(plain, text)


def _hex(text: str) -> str:
    try:
        return bytes.fromhex(text).decode("utf-8", "replace")
    except ValueError:
        return text


def _comment(text: str, start: int, lexis: Lexis) -> int:
    """Where reading goes on: behind a comment, or inside of one that is run."""
    if lexis.hints and (run := _VERSION.match(text, start)):
        return run.end()
    if not lexis.nested:
        close = text.find("*/", start + 2)
        return close + 2 if close >= 0 else len(text)
    depth = 0
    for edge in _COMMENT_EDGE.finditer(text, start):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    return len(text)
