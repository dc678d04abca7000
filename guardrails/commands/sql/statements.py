"""Cuts SQL into statements as the clients do: at semicolons, `GO`, a chosen delimiter, around their own commands."""

from __future__ import annotations

import re
from typing import NamedTuple

from guardrails.commands.sql.tokens import Token

_ROUTINES = frozenset({"procedure", "proc", "function", "trigger", "event", "package", "type"})
_GOES_ON = frozenset({"if", "loop", "while", "repeat", "for"})
_AHEAD = 400  # tokens in which the body of a routine is to begin
_OWN = frozenset({"delimiter", "go", "/", ".", "!", "host", "system", "source"})
_LINE_END = re.compile(r"[^\r\n]*")
_DOT = re.compile(r"\.[a-z]\w*")
_BATCH = re.compile(r"(?:go|/)[ \t]*(?:\d+[ \t]*)?$", re.IGNORECASE)


class Statement(NamedTuple):
    """One statement, or a client's own command: its name and the rest of its line."""

    tokens: list[Token]
    client: bool = False

    @property
    def head(self) -> str:
        return self.tokens[0].lower

    @property
    def span(self) -> tuple[int, int]:
        return min(t.start for t in self.tokens[:3]), max(
            self.tokens[0].end, self.tokens[1].end if self.client else self.tokens[-1].end
        )


class _Cutter:
    def __init__(self, text: str, found: list[Token]) -> None:
        self._text = text
        self._tokens = found
        self._at = 0
        self._delimiter = ""
        self.statements: list[Statement] = []
        self._open: list[Token] = []
        self._defines = self._routine = self._begun = self._body = False
        self._depth, self._next_begin = 0, -1

    def run(self) -> list[Statement]:
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            if token.kind == "mark" and token.text == ";":
                self._at += 1
                self._flush()
            elif self._delimiter and self._text.startswith(self._delimiter, token.start):
                self._flush()
                self._past(token.start + len(self._delimiter))
            elif not self._client(token):
                self._take(token)
                self._at += 1
        self._flush(final=True)
        return self.statements

    def _flush(self, *, final: bool = False) -> None:
        if self._open and not final and self._inside_routine():
            self._take(self._tokens[self._at - 1])
            return
        if self._open:
            self.statements.append(Statement(self._open))
        self._open = []

    def _fresh(self, token: Token) -> bool:
        """Whether a token is the first of its line."""
        before = self._tokens[self._at - 1].end if self._at else 0
        return not self._at or "\n" in self._text[before : token.start]

    def _past(self, end: int) -> None:
        while self._at < len(self._tokens) and self._tokens[self._at].start < end:
            self._at += 1

    def _client(self, token: Token) -> bool:
        """Takes a client's own command."""
        slashed = token.kind == "word" and token.text[0] == "\\"
        if not slashed and (token.lower not in _OWN or token.kind in ("quoted", "string") or not self._fresh(token)):
            return False
        text, start = self._text, token.start
        rest = _LINE_END.match(text, token.end)
        line_end = rest.end() if rest else token.end
        name = token.text if slashed else ""
        if token.lower == "delimiter":
            self._delimiter = text[token.end : line_end].strip()
            self._delimiter = "" if self._delimiter == ";" else self._delimiter
            self._past(max(line_end, token.end))
            return True
        if not slashed and _BATCH.fullmatch(text[start:line_end].strip()):
            self._flush(final=True)
            self._past(max(line_end, token.end))
            return True
        if not slashed and not self._open:
            name = _own(text, token, line_end)
        if not name:
            return False
        if name in ("\\g", "\\G", "\\gx", "\\crosstabview") or name == "\\gdesc":
            pipe = text[token.end : line_end]
            self._flush(final=True)
            if "|" not in pipe:
                self._at += 1
                return True
        before = self._open if name in ("\\gexec", "\\gset") else []
        if name not in ("\\gexec", "\\gset") and self._open:
            # Most of a client's own commands leave the statement open; the statement goes on behind its line.
            before, held = [], self._open
        else:
            held = []
        end = start + len(name) if name[0] in ".!" else token.end
        line = Token("line", text[end:line_end].strip(), end, line_end, "", False)
        command = Token("word", name, start, end, name.lower(), False)
        self.statements.append(Statement([command, line, *before], client=True))
        self._open = held
        self._past(max(line_end, token.end))
        return True

    def _take(self, token: Token) -> None:
        """Adds a token to the open statement, and counts what it opens where the statement defines a routine."""
        before = self._open[-1].lower if self._open else ""
        self._open.append(token)
        word, count = token.lower, len(self._open)
        if count == 1:
            self._defines = word in ("create", "alter")
            self._routine, self._depth, self._begun, self._body = False, 0, False, False
        if not self._defines:
            return
        if count <= 12 and word in _ROUTINES:
            self._routine = True
        if before in ("as", "is") and not self._body:
            self._body = token.kind not in ("string", "body") and token.text != "("
        if word in ("begin", "case") and before != "end":
            self._depth += 1
            self._begun = self._begun or word == "begin"
        elif before == "end" and word not in _GOES_ON:
            self._depth -= 1

    def _inside_routine(self) -> bool:
        """Whether a semicolon stands inside of the body of a routine that is being defined."""
        if not self._routine:
            return False
        if self._begun:
            return self._depth - (self._open[-1].lower == "end") > 0
        if not self._body:
            return False
        if self._next_begin < self._at:
            ahead = range(self._at, min(self._at + _AHEAD, len(self._tokens)))
            self._next_begin = next((i for i in ahead if self._tokens[i].lower == "begin"), self._at + _AHEAD)
        return self._next_begin < min(self._at + _AHEAD, len(self._tokens))


def _own(text: str, token: Token, line_end: int) -> str:
    """The name of a client's command that the first token of a line begins; empty where it begins none."""
    if token.text == "." and (dotted := _DOT.match(text, token.start)):
        return dotted[0]
    if token.text == "!" or (token.lower in ("host", "system", "source") and text[token.end : line_end].strip(" ;=")):
        return token.text
    return ""


def statements(text: str, found: list[Token]) -> list[Statement]:
    """The statements of a text, given its tokens, in order."""
    return _Cutter(text, found).run()
