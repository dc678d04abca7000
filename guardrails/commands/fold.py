"""Constant folding of bash words: quotes, escapes, variables, braces and splitting, as far as the text tells."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guardrails.commands.expansion import expand, lookup
from guardrails.commands.tree import SUBSTITUTED, UNKNOWN, Command, Word

if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Node

    from guardrails.commands.scope import Scope
    from guardrails.commands.tree import Span

# Quoted characters that would mean something unquoted hide in the private-use area while braces and blanks are read.
_HIDDEN = {ord(c): 0xE000 + ord(c) for c in "{},.*?[]~ \t\n"}
_SHOWN = {hidden: plain for plain, hidden in _HIDDEN.items()}
_SPLIT = "\x1f"
OPEN_BRACE = "\ue10b"
"""Stands for a `{` that begins a brace expansion where the grammar would read a block."""

_PLAIN = re.compile(r"[\w@%+=:,./^-]*", re.ASCII)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_STRING_ESCAPE = re.compile(r'\\([$`"\\\n])')
_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(-?\d{1,4}|[A-Za-z])\.\.(-?\d{1,4}|[A-Za-z])(?:\.\.(-?\d{1,3}))?")
_ANSI = re.compile(
    r"\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})|c(.)|(.))", re.DOTALL
)
_ANSI_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "v": "\v"}
_BLANKS = re.compile(r"[ \t\n]+")
_ARRAY = re.compile(r'"\$\{(\w+)\[@\]\}"')
_MOST_BRACES = 64


def ansi(text: str) -> str:
    r"""Reads the escapes of `$'…'` and `echo -e`: `\x72`, octal, `\u`, control letters."""

    def one(found: re.Match[str]) -> str:
        x, u, big, octal, control, letter = found.groups()
        digits = x or u or big
        if digits:
            code = int(digits, 16)
            return chr(code) if code <= 0x10FFFF else found.group()
        if octal:
            return chr(int(octal, 8) & 0xFF)
        if control:
            return chr(ord(control) & 0x1F)
        return _ANSI_LETTERS.get(letter, letter if letter in "\\'\"?" else found.group())

    return _ANSI.sub(one, text)


def _bare(raw: str) -> str:
    return _ESCAPE.sub(lambda m: "" if m[1] == "\n" else m[1].translate(_HIDDEN), raw.replace(OPEN_BRACE, "{"))


_LITERALS: dict[str, Callable[[str], str]] = {
    "word": _bare,
    "number": _bare,
    "extglob_pattern": _bare,
    "regex": _bare,
    "variable_name": _bare,
    "special_variable_name": _bare,
    "string_content": lambda raw: _STRING_ESCAPE.sub(lambda m: "" if m[1] == "\n" else m[1], raw).translate(_HIDDEN),
    "raw_string": lambda raw: raw[1:-1].translate(_HIDDEN),
    "ansi_c_string": lambda raw: ansi(raw[2:-1]).translate(_HIDDEN),
}


class Folder:
    """Turns word nodes of one text into words; substitutions inside are handed to `substitute`."""

    __slots__ = ("_commands", "_source", "_span", "_substitute", "scope")

    def __init__(
        self,
        source: bytes,
        scope: Scope,
        span: Callable[[Node], Span],
        substitute: Callable[[Node], tuple[str | None, tuple[Command, ...]]],
    ) -> None:
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
        outer, self._commands = self._commands, []
        text = self._piece(node, quoted=False)
        made, self._commands = tuple(self._commands), outer
        span = self._span(node)
        return [_word(part, span, made) for braced in _unbrace(text) for part in _fields(braced, node)]

    def name(self, node: Node) -> list[Word]:
        """The words of a command's name; of `$ ls`, a command copied with its prompt, the grammar makes a variable."""
        raw = self.raw(node)
        if raw.startswith("$ "):
            return [Word(raw[2:].strip(), self._span(node), raw[2:].strip())]
        return self.words(node.children[0])

    def _several(self, node: Node) -> list[Word] | None:
        """The words of `"$@"` and `"${name[@]}"`."""
        raw = self.raw(node)
        if "@" not in raw:
            return None
        span = self._span(node)
        if raw == '"$@"' and self.scope.positional is not None:
            return [Word(given, span, given if given is not None else UNKNOWN) for given in self.scope.positional]
        found = _ARRAY.fullmatch(raw)
        value = lookup(found[1], self.scope) if found else None
        return None if value is None else [Word(one, span, one) for one in value.split()]

    def value(self, node: Node) -> Word:
        """One word, without splitting: an assignment's value, a redirection's target."""
        outer, self._commands = self._commands, []
        text = self._piece(node, quoted=False).replace(_SPLIT, " ")
        made, self._commands = tuple(self._commands), outer
        return _word(text, self._span(node), made)

    def raw(self, node: Node) -> str:
        return self._source[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def between(self, start: int, end: int) -> str:
        """What stands between two offsets in bytes."""
        return self._source[start:end].decode("utf-8", "replace")

    def heredoc(self, node: Node) -> str:
        """The body of an unquoted heredoc, expansions folded."""
        return self._inside(node, quoted=True).translate(_SHOWN)

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
            return raw.strip("$()[] ") if raw.strip("$()[] ").isdigit() else UNKNOWN
        return raw.translate(_HIDDEN) if quoted else raw

    def _expansion(self, node: Node, *, quoted: bool) -> str:
        raw = self.raw(node)
        plain = raw.lstrip()
        self._visit(node)
        lead = raw[: len(raw) - len(plain)].translate(_HIDDEN)
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
                pieces.append(self._source[at : child.start_byte].decode("utf-8", "replace").translate(_HIDDEN))
            if child.type in ('"', "$", '$"'):
                if child.type == "$" and child.next_sibling is None:
                    pieces.append("$")
                elif child.type == '"':
                    pieces.append(self.raw(child).strip('"').translate(_HIDDEN))
                at = child.end_byte
                continue
            pieces.append(self._piece(child, quoted=quoted))
            at = child.end_byte
        if node.child_count == 0:
            pieces.append(self.raw(node).strip('"').translate(_HIDDEN))
        return "".join(pieces)

    def _value(self, value: str | None, *, quoted: bool) -> str:
        if value is None:
            return UNKNOWN
        if quoted:
            return value.translate(_HIDDEN)
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


def _word(text: str, span: Span, commands: tuple[Command, ...]) -> Word:
    glob = any(c in text for c in "*?[")
    shape = text.translate(_SHOWN)
    return Word(None if UNKNOWN in shape else shape, span, shape, glob, commands)


def _unbrace(text: str) -> list[str]:
    """Brace expansion, innermost first; beyond 64 words the braces stay as they are."""
    done = [text]
    if "{" not in text:
        return done
    for _ in range(8):
        grown: list[str] = []
        changed = False
        for one in done:
            options = None
            for found in _BRACES.finditer(one):
                options = _options(found.group(1))
                if options:
                    grown += [one[: found.start()] + option + one[found.end() :] for option in options]
                    changed = True
                    break
            if not options:
                grown.append(one)
        if not changed or len(grown) > _MOST_BRACES:
            return done
        done = grown
    return done


def _options(inside: str) -> list[str] | None:
    if "," in inside:
        return inside.split(",")
    found = _RANGE.fullmatch(inside)
    if found is None:
        return None
    first, last, step = found.groups()
    if first.lstrip("-").isdigit() != last.lstrip("-").isdigit():
        return None
    numeric = first.lstrip("-").isdigit()
    low, high = (int(first), int(last)) if numeric else (ord(first), ord(last))
    stride = abs(int(step or 1)) or 1
    values = range(low, high + 1, stride) if low <= high else range(low, high - 1, -stride)
    return [str(v) if numeric else chr(v) for v in values[:_MOST_BRACES]]
