"""cmd.exe's language taken apart as it does it: quotes, carets, chains, pipes, blocks, `for`, `if`, redirections."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

_DEEPEST = 40
_NAMES = (
    "assoc break call cd chdir cls color copy date del dir echo endlocal erase exit for ftype goto if md mkdir mklink "
    "move path pause popd prompt pushd rd rem ren rename rmdir set setlocal shift start time title type ver verify vol"
)
INTERNAL = frozenset(_NAMES.split())
"""What cmd.exe does itself."""
_TOKEN = re.compile(
    r"(?P<blank>(?:[ \t,;=\x0b\x0c\xff]|\^\r?\n)+)|(?P<line>\r?\n|\r)|(?P<operator>&&|\|\||&|\|)"
    r"|(?P<open>\()|(?P<close>\))"
    r"|(?P<redirect>(?:(?<=[\s&|()])|\A)\d?(?:>>|>|<)(?:&\d)?|(?:>>|>|<)(?:&\d)?)"
    r"|(?P<word>(?:\"[^\"\r\n]*\"?|\^[^\r\n]|\^\Z|\^\r?\n|[^ \t,;=\x0b\x0c\xff\r\n&|()<>\"^]++|=(?=\S)|[,;](?=[^\s]))+)"
)
_CONDITION = frozenset({"not", "/i"})
_UNARY = frozenset({"exist", "defined", "errorlevel", "cmdextversion"})


class Redirection(NamedTuple):
    operator: str
    target: str


@dataclass(slots=True)
class Simple:
    """One command: the words as written, and where it stands."""

    words: list[str] = field(default_factory=list)
    redirects: list[Redirection] = field(default_factory=list)
    span: tuple[int, int] = (0, 0)
    text: str = ""


@dataclass(slots=True)
class Pipe:
    parts: list[Node]


@dataclass(slots=True)
class Block:
    """Commands one after the other, and where the output of all of them goes."""

    parts: list[Node] = field(default_factory=list)
    redirects: list[Redirection] = field(default_factory=list)


@dataclass(slots=True)
class For:
    """`for options %name in (items) do body`."""

    options: list[str]
    name: str
    items: str
    body: str
    span: tuple[int, int]


@dataclass(slots=True)
class If:
    condition: list[str]
    then: Node
    otherwise: Node | None = None


Node = Simple | Pipe | Block | For | If


class _Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int


def parse(text: str) -> Block:
    """The commands of a batch script or a command line."""
    return _Parser(text).block(0, inside=False)


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._inside = 0
        self._seen: tuple[int, bool, _Token | None] = (-1, True, None)  # from where on, blanks passed over, what

    def _peek(self, *, blank: bool = True) -> _Token | None:
        at, passing, token = self._seen
        if at != self._at or passing is not blank:
            token = self._next(self._at, blank=blank)
            self._seen = self._at, blank, token
        return token

    def _next(self, at: int, *, blank: bool) -> _Token | None:
        while True:
            found = _TOKEN.match(self._text, at)
            if found is None:
                return None if at >= len(self._text) else _Token("word", self._text[at], at, at + 1)
            kind = str(found.lastgroup)
            if kind != "blank" or not blank:
                return _Token(kind, found[0], found.start(), found.end())
            at = found.end()

    def _take(self, token: _Token) -> None:
        self._at = token.end

    def block(self, depth: int, *, inside: bool) -> Block:
        """Commands up to the end, or to the bracket that closes the block."""
        made = Block()
        while (token := self._peek()) is not None:
            if token.kind == "close":
                self._take(token)
                if inside:
                    break
            elif token.kind in ("line", "operator"):
                self._take(token)
            else:
                before = self._at
                made.parts.append(self._pipe(depth))
                if self._at == before:
                    self._at += 1
        return made

    def _pipe(self, depth: int) -> Node:
        parts = [self._statement(depth)]
        while (token := self._peek()) is not None and token.kind == "operator" and token.text == "|":
            self._take(token)
            parts.append(self._statement(depth))
        return parts[0] if len(parts) == 1 else Pipe(parts)

    def _statement(self, depth: int) -> Node:
        token = self._peek()
        if token is None:
            return Simple()
        if token.kind == "open" and depth < _DEEPEST:
            self._take(token)
            self._inside += 1
            made = self.block(depth + 1, inside=True)
            self._inside -= 1
            made.redirects = self._redirects()
            return made
        if token.kind == "word":
            word = token.text.lower().lstrip("@")
            if word == "for" and (loop := self._for(token)) is not None:
                return loop
            if word == "if":
                return self._if(token, depth)
            if word in ("rem", "") or token.text.startswith(":"):
                return self._remark(token, word)
        return self._simple()

    def _remark(self, token: _Token, word: str) -> Node:
        found = _LINE_END.search(self._text, token.start)
        end = found.start() if found else len(self._text)
        if word == "rem" or token.text.startswith(":"):
            line = self._text[token.start : end]
            self._at = end
            return Simple([line.split()[0]] if token.text.startswith(":") else [], [], (token.start, end), line)
        self._take(token)  # a lone `@`
        return Simple()

    def _simple(self) -> Simple:
        made = Simple()
        start = end = self._at
        pieces: list[str] = []
        redirecting = ""
        while (token := self._peek(blank=False)) is not None and not self._ends(token, made):
            self._take(token)
            if token.kind == "redirect":
                redirecting = "" if "&" in token.text else token.text
            elif token.kind == "blank":
                pieces += [token.text] if made.words and not redirecting else []
            elif redirecting:
                made.redirects.append(Redirection(redirecting.lstrip("0123456789"), token.text))
                redirecting, end = "", token.end
            else:
                start = start if made.words else token.start
                if made.words and token.start == end:
                    made.words[-1] += token.text
                else:
                    made.words.append(token.text)
                pieces.append(token.text)
                end = token.end
        made.span, made.text = (start, max(start, end)), "".join(pieces).rstrip("\r\n")
        return made

    def _ends(self, token: _Token, made: Simple) -> bool:
        if token.kind == "blank":  # `; ` is no chain of cmd.exe's, but what somebody who writes it means
            return "; " in token.text and bool(made.words) and made.words[0].lower().lstrip("@") not in INTERNAL
        return token.kind in ("line", "operator") or (token.kind == "close" and self._inside > 0)

    def _redirects(self) -> list[Redirection]:
        found: list[Redirection] = []
        while (token := self._peek()) is not None and token.kind == "redirect":
            self._take(token)
            if "&" in token.text:
                continue
            target = self._peek()
            if target is None or target.kind != "word":
                break
            self._take(target)
            found.append(Redirection(token.text.lstrip("0123456789"), target.text))
        return found

    def _for(self, token: _Token) -> For | None:
        """`for`, as far as it is one: a word that only looks like it begins a command."""
        head = _FOR.match(self._text, token.start)
        if head is None:
            return None
        close = _closing(self._text, head.end() - 1)
        do = _DO.match(self._text, close)
        if do is None:
            return None
        end = _body(self._text, do.end())
        self._at = end
        options = head["options"].split()
        body = self._text[do.end() : end]
        return For(options, head["name"], self._text[head.end() : close - 1], body, (token.start, end))

    def _if(self, token: _Token, depth: int) -> Node:
        self._take(token)
        condition = self._words(1)
        while condition and condition[-1].lower() in _CONDITION and (more := self._words(1)):
            condition += more
        last = condition[-1] if condition else ""
        if last.lower() in _UNARY or last.endswith("==") or ("==" not in last and self._compared()):
            condition += self._words(1)
        then = self._statement(depth)
        follows = self._peek()
        otherwise = None
        if follows is not None and follows.kind == "word" and follows.text.lower() == "else":
            self._take(follows)
            otherwise = self._statement(depth)
        return If(condition, then, otherwise)

    def _words(self, count: int) -> list[str]:
        found: list[str] = []
        while len(found) < count and (token := self._peek()) is not None and token.kind == "word":
            self._take(token)
            found.append(token.text)
        return found

    def _compared(self) -> bool:
        """Whether a comparison follows: `== x`, `EQU x`."""
        found = _COMPARED.match(self._text, self._at)
        if found is None:
            return False
        self._at = found.end()
        return True


_LINE_END = re.compile(r"[\r\n]")
_FOR = re.compile(
    r"@?for\s+(?P<options>(?:/[a-z](?:\s+(?!%)(?:\"[^\"\n]*\"|'[^'\n]*'|[^\s%(]\S*))?\s+){0,2})%{1,2}(?P<name>[^\s%])\s+in\s*\(",
    re.IGNORECASE,
)
_DO = re.compile(r"\s*do[\s(@]*?(?=[\s(@\"])\s*", re.IGNORECASE)
_COMPARED = re.compile(r"\s*(?:==|(?:equ|neq|lss|leq|gtr|geq)\s)\s*", re.IGNORECASE)


def _closing(text: str, at: int) -> int:
    """Behind the bracket that closes the one at `at`; quotes count."""
    depth, quoted = 0, False
    for index in range(at, len(text)):
        character = text[index]
        if character == '"':
            quoted = not quoted
        elif not quoted and character == "(":
            depth += 1
        elif not quoted and character == ")":
            depth -= 1
            if not depth:
                return index + 1
    return len(text)


def _body(text: str, at: int) -> int:
    """The end of a loop's body: of its block, or of its line."""
    if text[at : at + 1] == "(":
        return _closing(text, at)
    depth, quoted = 0, False
    for index in range(at, len(text)):
        character = text[index]
        if character == '"':
            quoted = not quoted
        elif character in "\r\n" and (index == 0 or text[index - 1] != "^"):
            return index
        elif not quoted and character in "()":
            depth += 1 if character == "(" else -1
            if depth < 0:
                return index
    return len(text)
