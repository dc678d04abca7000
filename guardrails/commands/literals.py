"""Constants of programs, whatever the language: strings, numbers, lists, paths put together, home directories.

Not a parser of any one language: it reads what the common ones write alike, and gives up where they differ.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guardrails.commands.tree import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Value = str | tuple[str, ...] | None
"""A constant, a list of constants, or None where only the run will tell; `UNKNOWN` stands for parts not known."""

_MOST_STEPS = 400
_DEEPEST = 8
_LONGEST = 4000
_SPACE = re.compile(r"(?:\s|/\*[^*]{0,200}\*/|\\\n)*")
_STRING = re.compile(
    r"(?P<prefix>[rRbBuUfF$@]{0,2})(?P<quote>\"\"\"|'''|\"|'|`)(?P<body>(?:\\.|(?!(?P=quote))[^\\])*)(?P=quote)",
    re.DOTALL,
)
_NUMBER = re.compile(r"-?(?:0[oO]?[0-7]+|0[xX][0-9a-fA-F]+|\d+)(?![\w.])")
_NAME = re.compile(r"(?:new\s+|await\s+|&|\*)*(?P<name>[$@%]?[A-Za-z_][\w]*(?:(?:\.|::|->|\?\.)[A-Za-z_]\w*[!?]?)*)")
_WORDS = re.compile(r"%[wWi]?[\[({<](?P<words>[^\])}>]*)[\])}>]|qw\s*[\[({/](?P<more>[^\])}/]*)[\])}/]")
_KEYWORD = re.compile(r"[A-Za-z_]\w*\s*(?:=(?![=~>])|:(?![:/\\]))\s*")
_HOMES = re.compile(
    r"(?:os\.environ(?:\.get)?[\[(]\s*['\"]HOME['\"]\s*[\])]|process\.env\.HOME|process\.env\[['\"]HOME['\"]\]|os\.homedir\(\)"
    r"|homedir\(\)|(?:pathlib\.)?Path\.home\(\)|Dir\.home|ENV(?:\.fetch)?[\[(]\s*['\"]HOME['\"]\s*[\])]|\$ENV\{['\"]?HOME['\"]?\}"
    r"|(?:os\.)?[gG]etenv\(\s*['\"]HOME['\"]\s*\)|System\.getProperty\(\s*\"user\.home\"\s*\)|\$_SERVER\[['\"]HOME['\"]\])"
)
_FILLED = re.compile(r"\$\{([^{}]{0,80})\}|#\{([^{}]{0,80})\}|\{([^{}]{0,80})\}")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "\n": ""}
_JOINS = frozenset({"join", "Join", "joinpath", "resolve", "Combine", "catfile", "catdir"})
_KEEPS = frozenset(
    {"Path", "PurePath", "PosixPath", "File", "Paths", "get", "of", "str", "String", "fspath", "expanduser", "abspath"}
    | {"realpath", "normpath", "Pathname", "fsencode", "quote", "escapeshellarg", "from", "to_string", "Clean", "glob"}
    | {"format", "iglob", "expand_path", "shellescape", "u8path", "path", "URL", "fileURLWithPath", "to_path", "c_str"}
)


class Reader:
    """Reads expressions of one source against constants that are known."""

    def __init__(self, source: str, constants: Mapping[str, Value], depth: int = 0, steps: int = 0) -> None:
        self._source = source
        self._constants = constants
        self._depth = depth
        self._steps = steps
        self.position = 0

    def skip(self) -> str:
        """Passes blanks; the character that stands there."""
        match = _SPACE.match(self._source, self.position)
        self.position = match.end() if match else self.position
        return self._source[self.position : self.position + 1]

    def arguments(self, position: int, closing: str = ")") -> list[Value]:
        """The values from `position`, behind an opening bracket, to the closing one; keywords' among them."""
        self.position = position
        found: list[Value] = []
        while len(found) < 24 and self._spend():
            character = self.skip()
            if not character or character in closing:
                break
            if keyword := _KEYWORD.match(self._source, self.position):
                self.position = keyword.end()
            found.append(self.value())
            character = self.skip()
            if character != ",":
                self._to(closing + ",")
                character = self.skip()
            if character != ",":
                break
            self.position += 1
        self.position += 1
        return found

    def value(self) -> Value:
        """The value that begins at the position; it is left behind what could be read."""
        left = self._term()
        while self._spend():
            sign = self.skip()
            ahead = self._source[self.position : self.position + 2]
            if (sign == "+" and ahead != "+=") or (sign == "." and ahead[1:2] in " \"'$"):
                left = _glued(left, self._next(), "")
            elif sign == "/" and ahead not in ("//", "/*"):
                left = _glued(left, self._next(), "/")
            elif sign and sign in "\"'" and isinstance(left, str):
                left = _glued(left, self._term(), "")
            else:
                return left
        return None

    def _next(self) -> Value:
        self.position += 1
        self.skip()
        return self._term()

    def _term(self) -> Value:
        source, at = self._source, self.position
        if self._depth > _DEEPEST or not self._spend():
            return None
        for pattern, made in _ATOMS:
            if match := pattern.match(source, at):
                self.position = match.end()
                return made(self, match)
        character = source[at : at + 1]
        if character not in _BRACKETS:
            return None
        values = self._inside(at + 1, _BRACKETS[character])
        if character == "(" and len(values) == 1:
            return values[0]
        if character == "{":  # options: only lists in it are words of a command
            return tuple(word for v in values if isinstance(v, tuple) for word in v)
        return tuple(v if isinstance(v, str) else UNKNOWN for v in values)

    def _named(self, name: str) -> Value:
        known = self._constants.get(name.lstrip("$@%"))
        last = re.split(r"\.|::|->", name)[-1]
        if self._source[self.position : self.position + 1] not in ("(", "["):
            if last in _KEEPS and self.skip() in ("'", '"'):
                return self._term()
            return known
        bracket = self._source[self.position]
        values = self._inside(self.position + 1, ")" if bracket == "(" else "]")
        if bracket == "[" or not values:
            return None
        if last in _JOINS:
            return "/".join(v if isinstance(v, str) else UNKNOWN for v in values if v != "")
        return values[0] if last in _KEEPS else None

    def _inside(self, position: int, closing: str) -> list[Value]:
        """What stands in the bracket that opens before `position`."""
        inner = Reader(self._source, self._constants, self._depth + 1, self._steps)
        values = inner.arguments(position, closing)
        self.position, self._steps = inner.position, inner._steps
        return values

    def _string(self, match: re.Match[str]) -> str:
        prefix, body, quote = match["prefix"].lower(), match["body"], match["quote"]
        if "r" not in prefix and "\\" in body:
            body = re.sub(r"\\(?s:(.))", lambda m: _ESCAPES.get(m[1], m[1]), body)
        if "f" in prefix or (prefix == "$" and "{" in body):
            return _FILLED.sub(self._fill, body)
        if quote in ('"', "`") and ("${" in body or "#{" in body):
            return re.sub(r"[$#]\{([^{}]{0,80})\}", self._fill, body)
        return body

    def _fill(self, match: re.Match[str]) -> str:
        name = next((g for g in match.groups() if g is not None), "").strip().partition(":")[0].partition("!")[0]
        value = "~" if _HOMES.fullmatch(name) else self._constants.get(name)
        return value if isinstance(value, str) else UNKNOWN

    def _to(self, closing: str) -> None:
        """Goes on to one of `closing` outside of brackets and strings."""
        depth, source = 0, self._source
        while self.position < len(source) and self._spend():
            character = source[self.position]
            if depth <= 0 and character in closing:
                return
            if character in "\"'`" and (string := _STRING.match(source, self.position)):
                self.position = string.end()
                continue
            depth += (character in "([{") - (character in ")]}")
            if depth < 0:
                return
            self.position += 1

    def _spend(self) -> bool:
        self._steps += 1
        return self._steps < _MOST_STEPS


_BRACKETS = {"[": "]", "{": "}", "(": ")"}
_ATOMS: tuple[tuple[re.Pattern[str], Callable[[Reader, re.Match[str]], Value]], ...] = (
    (_HOMES, lambda _reader, _match: "~"),
    (_WORDS, lambda _reader, match: tuple((match["words"] or match["more"] or "").split())),
    (_STRING, lambda reader, match: reader._string(match)),  # noqa: SLF001 - the reader's own table
    (_NUMBER, lambda _reader, match: match[0]),
    (_NAME, lambda reader, match: reader._named(match["name"])),  # noqa: SLF001 - as above
)


def _glued(left: Value, right: Value, between: str) -> Value:
    if len(left or "") + len(right or "") > _LONGEST:
        return None
    if isinstance(left, tuple) and isinstance(right, tuple):
        return left + right
    if left is None and right is None:
        return None
    pieces = [value if isinstance(value, str) else UNKNOWN for value in (left, right)]
    return between.join(pieces) if not (between and pieces[1].startswith("/")) else pieces[1]
