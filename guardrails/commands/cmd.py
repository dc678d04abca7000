"""cmd.exe's language, cut into commands: carets, `%VAR%`, chains, blocks, `for … do`, `if …` and redirections."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guardrails.commands.tree import UNKNOWN, Command, Redirect, Script, Word
from guardrails.commands.unfold import Unfolder
from guardrails.interface import Shell

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardrails.commands.frame import Frame
    from guardrails.commands.scope import Scope
    from guardrails.commands.tree import Span

_TOKEN = re.compile(
    r"(?P<chain>&&|\|\||&|;(?=\s)|\n|\r)|(?P<pipe>\|)|(?P<block>[()])|(?P<redirect>\d?>>?|\d?<)|(?P<blank>[ \t,;=]+)"
    r'|(?P<word>(?:"[^"\n]*"?|\^.|[^\s&|()<>",;=^]|\^$)+)',
    re.DOTALL,
)
_VARIABLE = re.compile(
    r"%(?P<name>[^%:\s]+)(?::~(?P<start>-?\d+)(?:,(?P<length>-?\d+))?|:(?P<old>[^%=]+)=(?P<new>[^%]*))?%"
)
_CARET = re.compile(r"\^(.)", re.DOTALL)
_SWITCHES = re.compile(r"(?:/[A-Za-z?](?::\S+)?){2,}")
_SUFFIX = re.compile(r"\.(?:exe|com|cmd|bat)$", re.IGNORECASE)
# Environment variables that stand for places the target table knows, and those that tell nothing.
_KEPT = frozenset({
    "systemroot", "windir", "systemdrive", "userprofile", "programfiles", "programdata", "temp", "tmp", "homedrive",
    "appdata", "localappdata", "public",
})  # fmt: skip


def read(text: str, frame: Frame) -> Script:
    """Reads a batch script or a command line.

    Raises:
        BudgetExceeded: when the work budget is spent.
    """
    frame.budget.spend(1 + len(text) // 64)
    unfold = Unfolder(frame)
    stdin: tuple[Command, ...] = ()
    for words, redirects, piped in _Cutter(frame.scope, frame.span, unfold.spend).cut(text):
        made = _command(words, redirects, stdin if piped else (), unfold, frame.span)
        stdin = made
    return Script(tuple(unfold.found), complete=True)


def _command(
    words: list[Word], redirects: list[Redirect], stdin: tuple[Command, ...], unfold: Unfolder, span: Span | None
) -> tuple[Command, ...]:
    while words and (rest_of := _leading(words)) is not None:
        unfold.spend(1 + len(words) // 64)
        words = rest_of
    if not words:
        return ()
    first = words[0]
    if "/" in first.shape[1:] and '"' not in first.shape:  # `rd/s/q` needs no blank
        plain, _, switches = first.shape.partition("/")
        words[:1] = [Word(plain, first.span, plain), Word(f"/{switches}", first.span, f"/{switches}")]
        first = words[0]
    shape = first.shape.lstrip("@")
    name = UNKNOWN if first.text is None else _SUFFIX.sub("", shape.strip('"').rpartition("\\")[2]).lower()
    head = Word(None if name == UNKNOWN or "%" in name else name, first.span, name)
    rest = [w for word in words[1:] for w in _switches(word)]
    where = span if span is not None else (words[0].span[0], words[-1].span[1])
    made = Command((head, *rest), tuple(redirects), where, Shell.CMD, unfold.wrappers, stdin)
    return unfold.emit(made)


def _leading(words: list[Word]) -> list[Word] | None:
    """The words behind `for … in (…) do`, `if … `, `else`, `call`, `start`, `@`; None where a command begins."""
    name = words[0].shape.lower().lstrip("@")
    if name == "" or name in ("else", "call", "do"):
        return words[1:]
    if name == "for":
        at = next((i for i, w in enumerate(words) if w.shape.lower() == "do"), None)
        return None if at is None else words[at + 1 :]
    if name == "if":
        return _condition(words)
    if name == "start":
        rest = [w for w in words[1:] if not w.shape.startswith("/")]
        return rest[1:] if rest and rest[0].shape == "" else rest
    return None


def _condition(words: list[Word]) -> list[Word]:
    at = 1
    while at < len(words) and words[at].shape.lower() in ("not", "/i"):
        at += 1
    kind = words[at].shape.lower() if at < len(words) else ""
    at += 2 if kind in ("exist", "defined", "errorlevel", "cmdextversion") or "==" in kind else 3
    return words[at:] if "=" not in kind else words[at - 1 :]


def _switches(word: Word) -> list[Word]:
    if not _SWITCHES.fullmatch(word.shape):
        return [word]
    return [Word(one, word.span, one) for one in re.findall(r"/[^/]+", word.shape)]


_LONGEST = 8191  # characters of a line, and so of a value, of cmd.exe


class _Cutter:
    """Cuts one text into commands: their words, redirections, and whether each reads from the one before."""

    def __init__(self, scope: Scope, span: Span | None, spend: Callable[[int], None]) -> None:
        self._spend = spend
        self.found: list[tuple[list[Word], list[Redirect], bool]] = []
        self._scope = scope
        self._span = span
        self._words: list[Word] = []
        self._redirects: list[Redirect] = []
        self._piped = False
        self._operator = ""
        self._listed = 0

    def cut(self, text: str) -> list[tuple[list[Word], list[Redirect], bool]]:
        for match in _TOKEN.finditer(text):
            kind, raw = match.lastgroup, match.group()
            if kind == "block" and (self._listed or self._heading()):
                self._listed += 1 if raw == "(" else -1
            elif kind in ("chain", "block") and not self._listed:
                self._close(piped=False)
            elif kind == "pipe":
                self._close(piped=True)
            elif kind == "redirect":
                self._operator = raw.lstrip("0123456789")
            elif kind == "word":
                self._word(raw, match.span())
        self._close(piped=False)
        return self.found

    def _heading(self) -> bool:
        """Whether the words so far are a `for` that has not come to its `do`."""
        words = self._words
        return bool(words) and words[0].shape.lower().lstrip("@") == "for" and words[-1].shape.lower() != "do"

    def _word(self, raw: str, span: Span) -> None:
        where = self._span if self._span is not None else span
        texts = _expanded(raw, self._scope, first=not self._words)
        self._spend(sum(map(len, texts)) // 64)
        made = [Word(None if UNKNOWN in w else w, where, w) for w in texts]
        if self._operator and made:
            self._redirects.append(Redirect(self._operator, made[0]))
            self._operator = ""
        else:
            self._words += made

    def _close(self, *, piped: bool) -> None:
        words = self._words
        if len(words) > 2 and words[0].shape.lower() == "set" and not words[1].shape.startswith("/"):
            self._scope.assign(f"%{words[1].shape.lower()}", " ".join(w.shape for w in words[2:]))
        if words or self._redirects:
            self.found.append((words, self._redirects, self._piped))
        self._words, self._redirects, self._piped = [], [], piped


def _expanded(raw: str, scope: Scope, *, first: bool) -> list[str]:
    """A word with its carets and variables resolved; an unquoted variable may be several words."""
    plain = raw if '"' in raw else _CARET.sub(r"\1", raw)

    def one(match: re.Match[str]) -> str:
        name = match["name"].lower()
        value = scope.variables.get(f"%{name}")
        if value is None or len(value) > _LONGEST:
            return match.group() if name in _KEPT and match["start"] is None and match["old"] is None else UNKNOWN
        if match["start"] is not None:
            start, length = int(match["start"]), match["length"]
            tail = value[start:]
            return tail if length is None else tail[: int(length)]
        return value.replace(match["old"], match["new"]) if match["old"] else value

    text = _VARIABLE.sub(one, plain)
    if '"' in raw:
        return [text.replace('"', "")]
    return text.split() if first or "%" in raw else [text]
