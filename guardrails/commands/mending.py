r"""Rewrites bash so that the parser reads it as bash does, and remembers where everything stood.

tree-sitter-bash misreads much that is right: adjacent backticks, escapes, `[ -d / ]`, `"x$"`, text behind a heredoc's
start, brackets and braces in words. So quoting is settled here, by bash's own rules (manual, "Quoting", "Here
Documents", "Command Substitution"): escaped characters become private ones that mean nothing to the parser, backticks
become `$(…)`, heredocs and herestrings become input from a quoted text, comments and joined lines go.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guardrails.commands.ansi import ansi
from guardrails.commands.private import (
    CLOSE_BRACE,
    HEREDOC,
    HERESTRING,
    NOTHING,
    OPEN_BRACE,
    OPEN_BRACKET,
    hidden,
)
from guardrails.commands.quoted import ESCAPED, NAMES, Frame, Quoting

if TYPE_CHECKING:
    from collections.abc import Callable

    _Part = Callable[[Frame, str, int], int]

_TROUBLE = re.compile(
    r"[^\s\"'(|;&]\$[\w{$]|\$\d\w|;&|[\\`\[{}#\r]|<<|\$[^\w{(@*?$!'-]|\$$|\$'|coproc|select|unset[^\s\w]|[^\x00-\x7f]|[\x0b\x0c]"
)
_BARE = re.compile(
    r"(?P<blank>[ \t]+)"
    r"|(?P<plain>[\w%+,./:@^~=!?*-]+)"
    r"|(?P<escape>\\(?:\r?\n|.)?)"
    r"|(?P<single>'[^']*')"
    r"|(?P<ansi>\$'(?:[^'\\]|\\.)*')"
    r"|(?P<special>\$[#?*@$!-])"
    r"|(?P<variable>\$(?:\d|[A-Za-z_]\w*))"
    r"|(?P<sum>\$\[[^\]\n]*\])"
    r"|(?P<open>\$\(\(|\$\(|\$\{|[<>]\()"
    r"|(?P<doubled>\(\()"
    r"|(?P<string>\$?\")"
    r"|(?P<tick>`)"
    r"|(?P<here><<<|<<-?)"
    r"|(?P<operator>&&|\|\||;;&|;;|;&|\|&|&>>|&>|>&|<&|>>|>\||<>|[;&|<>\n()]|\r\n?)"
    r"|(?P<bracket>[\[\]])"
    r"|(?P<brace>[{}])"
    r"|(?P<sign>.)",
    re.DOTALL,
)
# Words behind a command's name that stand as they are, and the blanks between them.
_WORDS = re.compile(r"(?:[ \t]|[\w%+,./:@^~=!?*-]|'[^']*'|\"[\x00-\x0a\x0e-\x21#%-\x5b\x5d-\x5f\x61-\x7f]*\")+")
_DELIMITER = re.compile(r"[ \t]*((?:[^\s;&|<>()'\"\\]|\\.|'[^']*'|\"[^\"]*\")+)", re.DOTALL)
_UNQUOTED = re.compile(r"\\(.)|['\"]", re.DOTALL)
_LINE = re.compile(r"(?:[^\n'\"\\]|\\.|'[^']*'|\"(?:[^\"\\]|\\.)*\"|['\"])*", re.DOTALL)
_TABS = re.compile(r"^\t+", re.MULTILINE)
_GAP = re.compile(r"[ \t]*")
_BRACKETED = re.compile(r"\[[!^]?\]?[^\s;&|<>()\]]*")
_TESTED = re.compile(r"\]\](?=[\s;&|)]|$)")
_COMMENT = re.compile(r"[^\n\r]*")
_NAMED = re.compile(r"function[ \t]+[^\s(){};|&<>'\"$`]+[ \t\r\n]+(?=\{\s)")
_COPROC = re.compile(r"coproc[ \t]+(?:\w+[ \t]+)?(?=[({])")
_ASSIGNED = re.compile(r"\w+(?:\[[^\]]*\])?\+?=")
_LONGEST = 256  # characters of a word that are remembered
_AGAIN = frozenset({"if", "then", "else", "elif", "do", "while", "until", "!", "time", "{"})
_STUCK = frozenset({"unset", "unsetenv", "declare", "typeset", "export", "readonly", "local"})
_REDIRECTS = frozenset({"<", ">", ">>", ">|", "<>", "&>", "&>>", ">&", "<&"})
_ENDS = frozenset({"", *" \t\n\r;&|()<>"})


def mended(text: str) -> tuple[str, list[tuple[int, int]]]:
    """The text as the parser shall read it, and from which offset on, what is to be added to be in the given one."""
    if _TROUBLE.search(text) is None:
        return text, []
    mender = Mender(text, Frame("bare"))
    mender.run()
    return "".join(mender.pieces), mender.cuts


class Mender(Quoting):
    """One pass over one text."""

    def __init__(self, text: str, frame: Frame, depth: int = 0) -> None:
        super().__init__(text, frame, depth)
        self._unclosed = 0  # up to where no bracket is closed
        self._after = 0  # where the line behind the last heredoc's text begins
        self._line = -1  # the end of the line that was looked for last
        self._walks |= {"bare": self._bare, "test": self._bare}
        self._between: dict[str, _Part] = {
            "blank": self._blank,
            "operator": self._operator,
            "here": self._here,
            "comment": self._comment,
        }
        self._parts: dict[str, _Part] = {
            "plain": self._name,
            "escape": self._outside,
            "ansi": lambda _frame, piece, end: self._put(f"'{hidden(ansi(piece[2:-1]))}'", end),
            "open": lambda _frame, piece, end: self._open(piece, end),
            "doubled": self._doubled,
            "string": self._string,
            "tick": lambda _frame, _piece, end: self._ticks(end, ESCAPED),
            "bracket": self._bracket,
            "brace": self._brace,
            "sign": self._mark,
            "special": lambda _frame, piece, end: self._put("${$}" if piece == "$$" else piece, end),
            "variable": lambda _frame, piece, end: self._put(f"${{{piece[1:]}}}", end),
            "sum": lambda _frame, piece, end: self._put(f"$(({piece[2:-1]}))", end),
        }

    def _bare(self, frame: Frame, at: int) -> int:
        if not frame.head and (words := _WORDS.match(self._text, at)) is not None:
            return self._arguments(frame, words.group(), words.end())
        found = _BARE.match(self._text, at)
        kind, piece, end = found.lastgroup or "", found.group(), found.end()  # type: ignore[union-attr] # matches anything
        if piece == "#" and frame.fresh:
            kind = "comment"
        between = self._between.get(kind)
        if between is not None:
            if frame.kind == "test" and kind in ("operator", "here"):
                return self._put(" " if piece[0] in "\r\n" else hidden(piece), end)
            return between(frame, piece, end)
        frame.begins, frame.fresh = frame.fresh, False
        if len(frame.word) < _LONGEST:
            frame.word += piece if kind == "plain" else "?"
        part = self._parts.get(kind)
        return self._put(piece, end) if part is None else part(frame, piece, end)

    def _arguments(self, frame: Frame, piece: str, end: int) -> int:
        """Many pieces in one: no keyword is among them; of the last word only its end will be asked for."""
        last = piece[-1]
        if last in " \t":
            frame.fresh, frame.word = True, ""
        else:
            frame.fresh, frame.word = False, "?" if last in "'\"" else last
        return self._put(piece, end)

    def _blank(self, frame: Frame, piece: str, end: int) -> int:
        if not frame.fresh:
            frame.head = frame.head and (frame.word in _AGAIN or _ASSIGNED.match(frame.word) is not None)
        frame.fresh, frame.word = True, ""
        return self._put(piece, end)

    def _comment(self, _frame: Frame, _piece: str, end: int) -> int:
        return self._put("", _COMMENT.match(self._text, end).end())  # type: ignore[union-attr] # matches the empty string

    def _operator(self, frame: Frame, piece: str, end: int) -> int:
        if piece == "(" and not frame.fresh and frame.word.endswith("="):
            self._frames.append(Frame("bare", ")", head=False, array=True))
            return self._put(piece, end)
        self._blank(frame, "", end - len(piece))
        if piece in _REDIRECTS:
            return self._put(piece, end)
        if piece[0] in "\r\n":
            frame.head = not frame.array
            at = self._put("\n", end)
            return self._put("", self._after) if self._after > end else at
        if piece == "(":
            self._frames.append(Frame("bare", ")"))
        elif piece == ")" and frame.closer == ")" and not frame.cases:
            self._frames.pop()
            outer = self._frames[-1]
            if not frame.array and not frame.substitution:
                outer.head = outer.fresh = True
        else:
            frame.head = True
        return self._put(";;" if piece in (";&", ";;&") else piece, end)

    def _name(self, frame: Frame, piece: str, end: int) -> int:
        """Plain characters; where a command may begin, perhaps a keyword."""
        if frame.begins and frame.head:
            compound = _COPROC.match(self._text, end - len(piece)) if piece == "coproc" else None
            if compound is not None:
                frame.fresh, frame.word = True, ""
                return self._put("", compound.end())
            named = _NAMED.match(self._text, end - len(piece)) if piece == "function" else None
            if named is not None:
                frame.fresh, frame.word = True, ""
                return self._put(named[0], named.end())
            if piece == "select":
                return self._put("for", end)
            frame.cases += (piece == "case") - (piece == "esac")
            if piece in _STUCK and self._text[end : end + 1] not in _ENDS:
                return self._put(NOTHING + piece, end)
        return self._plain(piece, end)

    def _outside(self, frame: Frame, piece: str, end: int) -> int:
        """An escaped character outside of quotes; a line that is continued."""
        if piece == "\\" or piece[-1] == "\n":
            frame.fresh, frame.word = frame.begins, frame.word[:-1]
            return self._put("", end)
        return self._put(hidden(piece[1:]), end)

    def _string(self, _frame: Frame, _piece: str, end: int) -> int:
        self._frames.append(Frame("quoted", '"'))
        return self._put('"', end)

    def _doubled(self, frame: Frame, piece: str, end: int) -> int:
        """`((`: arithmetic, or two subshells."""
        if frame.kind == "test":
            return self._put(hidden(piece), end)
        if frame.head and self._arithmetic_until(end):
            self._frames.append(Frame("arithmetic", "))"))
            return self._put(piece, end)
        frame.fresh, frame.word = frame.begins, frame.word[:-1]
        return self._operator(frame, "(", end - 1)

    def _bracket(self, frame: Frame, piece: str, end: int) -> int:
        """A test, a pattern, an index, or nothing of the kind."""
        text, at = self._text, end - 1
        following = text[end : end + 1]
        if piece == "]":
            if frame.kind != "test" or not frame.begins or not _TESTED.match(text, at):
                return self._put(piece, end)
            self._frames.pop()
            return self._put(hidden("]]"), end + 1)
        if (
            frame.begins
            and frame.head
            and frame.kind == "bare"
            and following == "["
            and text[end + 1 : end + 2] in _ENDS
        ):
            self._frames.append(Frame("test", head=False))
            return self._put(hidden("[["), end + 1)
        found = following not in _ENDS and self._closed(at)
        if frame.array or (not frame.begins and (text[at - 1].isalnum() or text[at - 1] == "_")):
            return self._put("[" if found else hidden("["), end)
        return self._put(OPEN_BRACKET if found else hidden("["), end)

    def _closed(self, at: int) -> bool:
        """Whether the word closes the bracket that it opens at `at`."""
        if at < self._unclosed:
            return False
        end = _BRACKETED.match(self._text, at).end()  # type: ignore[union-attr] # a bracket stands there
        if self._text[end : end + 1] == "]":
            return True
        self._unclosed = end
        return False

    def _brace(self, frame: Frame, piece: str, end: int) -> int:
        """A block's brace, or one in a word."""
        if frame.begins and frame.head and frame.kind == "bare" and self._text[end : end + 1] in _ENDS:
            frame.word = "{"
            return self._put(piece, end)
        return self._put(OPEN_BRACE if piece == "{" else CLOSE_BRACE, end)

    def _mark(self, _frame: Frame, piece: str, end: int) -> int:
        if piece == "#" or (piece == "$" and NAMES.match(self._text, end) is None):
            return self._put(hidden(piece), end)
        return self._plain(piece, end)

    def _here(self, frame: Frame, piece: str, end: int) -> int:
        """A herestring or heredoc, as input from a quoted text."""
        self._blank(frame, "", end - len(piece))
        if piece == "<<<":
            return self._put("<" + HERESTRING, _GAP.match(self._text, end).end())  # type: ignore[union-attr] # may be empty
        found = _DELIMITER.match(self._text, end)
        if found is None:
            return self._put(piece, end)
        raw, tabs = found.group(1), piece == "<<-"
        name = _UNQUOTED.sub(r"\1", raw)
        start, stop = self._body(found.end(), name, tabs=tabs)
        body = self._text[start:stop].replace("\r\n", "\n").removesuffix("\n")
        body = _TABS.sub("", body) if tabs else body
        if raw != name:
            self._put(f"<{HEREDOC}'", start)
            self._put(body.replace("'", hidden("'")), start + len(body))
            return self._put("'", found.end())
        self._put(f'<{HEREDOC}"', start)
        self._within(body, start, Frame("heredoc"))
        return self._put('"', found.end())

    def _body(self, at: int, name: str, *, tabs: bool) -> tuple[int, int]:
        """Where a heredoc's text stands: behind the line, and behind the texts of those before it there."""
        text = self._text
        if self._line < at:
            self._line = _LINE.match(text, at).end()  # type: ignore[union-attr] # matches the empty string
        start = max(self._after, min(self._line + 1, len(text)))
        tabbed = "\t*" if tabs else ""
        last = re.compile(rf"^{tabbed}{re.escape(name)}\r?$", re.MULTILINE).search(text, start)
        self._after = min(last.end() + 1, len(text)) if last else len(text)
        return start, last.start() if last else len(text)
