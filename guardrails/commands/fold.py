"""Constant folding of bash words: quotes, escapes, variables, braces and splitting, as far as the text tells."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guardrails.commands.ansi import ansi
from guardrails.commands.arithmetic import evaluate
from guardrails.commands.expansion import COMMON, expand, several
from guardrails.commands.private import HIDDEN, LITERAL, SHOWN, hidden
from guardrails.commands.tree import SUBSTITUTED, UNKNOWN, Command, Word

if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Node

    from guardrails.commands.scope import Scope
    from guardrails.commands.tree import Span

_SPLIT = "\x1f"
_PLAIN = re.compile(r"[\w@%+=:,./^-]*", re.ASCII)
_MARKS = re.compile(r"[{},]")
_PADDED = re.compile(r"-?0\d")
_RANGE = re.compile(r"(-?\d{1,4}|[A-Za-z])\.\.(-?\d{1,4}|[A-Za-z])(?:\.\.(-?\d{1,3}))?")
_BLANKS = re.compile(r"[ \t\n]+")
_MANY = re.compile(r'"\$(?:@|\{(?:@|!?\w+\[@\])[^$`}]*\})"')
_MOST_BRACES = 64
_MOST_MARKS = 512  # braces and commas of one word: they are read again for every brace
_BRACED = {ord(c): HIDDEN[ord(c)] for c in "{}~"}  # what is put in has missed the time of braces and tildes
_EACH = 16  # characters of a value that are put in for one unit of work


def _bare(raw: str) -> str:
    return raw.translate(LITERAL)


_LITERALS: dict[str, Callable[[str], str]] = {
    "word": _bare,
    "number": _bare,
    "extglob_pattern": _bare,
    "regex": _bare,
    "variable_name": _bare,
    "special_variable_name": _bare,
    "string_content": hidden,
    "raw_string": lambda raw: hidden(raw[1:-1]),
    "ansi_c_string": lambda raw: hidden(ansi(raw[2:-1])),
}


class Folder:
    """Turns word nodes of one text into words; substitutions inside are handed to `substitute`."""

    __slots__ = ("_commands", "_source", "_span", "_spend", "_substitute", "_vague", "scope")

    def __init__(
        self,
        source: bytes,
        scope: Scope,
        span: Callable[[Node], Span],
        substitute: Callable[[Node], tuple[str | None, tuple[Command, ...]]],
        spend: Callable[[int], None],
    ) -> None:
        self._spend = spend
        self._vague = False
        self._source = source
        self.scope = scope
        self._span = span
        self._substitute = substitute
        self._commands: list[Command] = []

    def words(self, node: Node) -> list[Word]:
        """All words one node expands to; none where it expands to nothing."""
        kind = node.type
        if kind in ("word", "number"):
            raw = self.raw(node)
            if _PLAIN.fullmatch(raw):
                return [Word(raw, self._span(node), raw)]
        if kind == "string" and (several := self._several(node)) is not None:
            return several
        outer, self._commands, self._vague = self._commands, [], False
        text = self._piece(node, quoted=False)
        made, self._commands = tuple(self._commands), outer
        span, vague = self._span(node), self._vague
        return [_word(part, span, made, vague=vague) for braced in _unbrace(text) for part in _fields(braced, node)]

    def name(self, node: Node) -> list[Word]:
        """The words of a command's name."""
        return self.words(node.children[0])

    def _several(self, node: Node) -> list[Word] | None:
        """The words of `"$@"`, `"${name[@]}"` and their like, which may be any number."""
        raw = self.raw(node)
        if "@" not in raw or not _MANY.fullmatch(raw):
            return None
        values = several(raw[1:-1], self.scope)
        span = self._span(node)
        if values is None:
            return [Word(None, span, UNKNOWN, open=True)]
        self._spend(sum(1 + len(one or "") // _EACH for one in values))
        return [Word(one, span, UNKNOWN if one is None else one) for one in values]

    def value(self, node: Node) -> Word:
        """One word, without splitting: an assignment's value, a redirection's target."""
        outer, self._commands = self._commands, []
        text = self._piece(node, quoted=False).replace(_SPLIT, " ")
        made, self._commands = tuple(self._commands), outer
        return _word(text, self._span(node), made)

    def raw(self, node: Node) -> str:
        return self._source[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def _piece(self, node: Node, *, quoted: bool) -> str:
        kind = node.type
        literal = _LITERALS.get(kind)
        if literal is not None:
            return literal(self.raw(node))
        if kind in ("string", "translated_string", "concatenation", "command_name"):
            return self._inside(node, quoted=quoted or kind in ("string", "translated_string"))
        if kind in ("simple_expansion", "expansion"):
            return self._expansion(node, quoted=quoted)
        if kind in ("command_substitution", "process_substitution"):
            value, commands = self._substitute(node)
            self._commands += commands
            return SUBSTITUTED if kind == "process_substitution" else self._value(value, quoted=quoted)
        raw = self.raw(node)
        if kind == "arithmetic_expansion":
            self._visit(node)
            number = evaluate(raw[3:-2] if raw.startswith("$((") else raw[2:-1], self.scope)
            return UNKNOWN if number is None else str(number)
        return raw.translate(HIDDEN) if quoted else raw

    def _expansion(self, node: Node, *, quoted: bool) -> str:
        raw = self.raw(node)
        plain = raw.lstrip()
        self._visit(node)
        lead = raw[: len(raw) - len(plain)].translate(HIDDEN)
        scope, name = self.scope, plain.strip("${}")
        if name in COMMON and name != "IFS" and name not in scope.variables and scope.environment is None:
            self._vague = True
        return lead + self._value(expand(plain, self.scope), quoted=quoted)

    def _visit(self, node: Node) -> None:
        for child in node.named_children:
            if child.type == "command_substitution":
                self._commands += self._substitute(child)[1]
            elif child.child_count:
                self._visit(child)

    def _inside(self, node: Node, *, quoted: bool) -> str:
        # The grammar leaves out blanks between a string's parts; what no child covers stands as it is.
        pieces = []
        at = node.start_byte
        for child in node.children:
            if child.start_byte > at:
                pieces.append(self._source[at : child.start_byte].decode("utf-8", "replace").translate(HIDDEN))
            if child.type in ('"', "$", '$"'):
                if child.type == "$" and child.next_sibling is None:
                    pieces.append("$")
                elif child.type == '"':
                    pieces.append(self.raw(child).strip('"').translate(HIDDEN))
                at = child.end_byte
                continue
            pieces.append(self._piece(child, quoted=quoted))
            at = child.end_byte
        if node.child_count == 0:
            pieces.append(self.raw(node).strip('"').translate(HIDDEN))
        return "".join(pieces)

    def _value(self, value: str | None, *, quoted: bool) -> str:
        if value is None:
            return UNKNOWN
        self._spend(len(value) // _EACH)
        if quoted:
            return value.translate(HIDDEN)
        value = value.translate(_BRACED)
        separators = self.scope.variables.get("IFS")
        if separators:
            return _SPLIT.join(re.split(f"[{re.escape(separators)}]", value))
        return _BLANKS.sub(_SPLIT, value)


def _fields(text: str, node: Node) -> list[str]:
    if _SPLIT in text:
        return [part for part in text.split(_SPLIT) if part]
    if not text and node.type in ("simple_expansion", "expansion", "command_substitution"):
        return []
    return [text]


def _word(text: str, span: Span, commands: tuple[Command, ...], *, vague: bool = False) -> Word:
    glob = any(c in text for c in "*?[")
    shape = text.translate(SHOWN)
    return Word(None if UNKNOWN in shape else shape, span, shape, glob, commands, vague)


def _unbrace(text: str, most: int = _MOST_BRACES) -> list[str]:
    """Brace expansion, from the left, outer ones first; beyond `most` words the braces stay as they are."""
    start = text.find("{")
    if start >= 0 and text.count("{") + text.count(",") + text.count("}") > _MOST_MARKS:
        return [UNKNOWN]
    while start >= 0:
        options, end = _options(text, start)
        if options:
            tails = _unbrace(text[end:], most)
            inner = [one for option in options for one in _unbrace(option, most)]
            if len(inner) * len(tails) > most:
                return [text]
            return [text[:start] + one + tail for one in inner for tail in tails]
        start = text.find("{", start + 1)
    return [text]


def _options(text: str, start: int) -> tuple[list[str] | None, int]:
    """What the brace at `start` stands for, if it is closed and has a comma or a range; and where it ends."""
    depth, last, parts = 0, start + 1, []
    for found in _MARKS.finditer(text, start):
        at, mark = found.start(), found.group()
        if mark == "," and depth == 1:
            parts.append(text[last:at])
            last = at + 1
        depth += (mark == "{") - (mark == "}")
        if depth == 0:
            parts.append(text[last:at])
            return (parts if len(parts) > 1 else _range(parts[0])), at + 1
    return None, len(text)


def _range(inside: str) -> list[str] | None:
    found = _RANGE.fullmatch(inside)
    if found is None:
        return None
    first, last, step = found.groups()
    numeric = first.lstrip("-").isdigit()
    if numeric != last.lstrip("-").isdigit():
        return None
    low, high = (int(first), int(last)) if numeric else (ord(first), ord(last))
    stride = abs(int(step or 1)) or 1
    values = range(low, high + 1, stride) if low <= high else range(low, high - 1, -stride)
    padded = [one.lstrip("-") for one in (first, last) if _PADDED.match(one)]
    width = max(len(first), len(last)) if numeric and padded else 0
    return [f"{v:0{width}}" if numeric else chr(v) for v in values[: _MOST_BRACES + 1]]
