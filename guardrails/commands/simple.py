"""Bash at its plainest, read without a parser: words that mean what is written, pipes and lists between them.

Most commands are no more than that, and the parser costs five times what reading them does.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guardrails.commands.tree import Command, Word

if TYPE_CHECKING:
    from guardrails.commands.frame import Frame
    from guardrails.commands.tree import Span
    from guardrails.commands.unfold import Unfolder

_LONGEST = 4096
_WORD = r"[\w@%+=:,./*?~-]+|'[^']+'|\"[^\"$`\\]+\""
_NAME = r"[A-Za-z_./][\w.:/+-]*(?![^\s;|&])"
_COMMAND = rf"{_NAME}(?:[ \t]+(?:{_WORD})(?![^\s;|&]))*"
_ONE = re.compile(_COMMAND, re.ASCII)
_WORDS = re.compile(_WORD, re.ASCII)
_SIMPLE = re.compile(rf"[ \t]*{_COMMAND}(?:[ \t]*(?:&&|\|\||[;|\n])[ \t]*{_COMMAND})*[ \t]*;?[ \t]*\n?", re.ASCII)
_TOKEN = re.compile(rf"(?P<word>{_WORD})|&&|\|\||[;|\n]", re.ASCII)
_GLOB = re.compile(r"[*?]")
# Words that are the shell's own, or that its grammar reads in a way of their own.
_KEYWORDS = re.compile(
    r"(?:^|[;|&\n])[ \t]*(?:if|then|else|elif|fi|for|while|until|do|done|case|esac|function|select|coproc|time|in"
    r"|declare|typeset|export|readonly|local|unset|unsetenv|let|test"
    # Builtins that settle something, which a pipe's subshell keeps to itself.
    r"|cd|pushd|popd|read|mapfile|readarray|printf|set|shift|eval|source|\.|alias|unalias|getopts|exec|exit|return|trap)"
    r"(?![^\s;|&])"
)


def simple(text: str, frame: Frame, unfold: Unfolder) -> bool:
    """Whether `text` is that plain; if it is, all it runs is listed in `unfold`.

    Raises:
        BudgetExceeded: when the work budget is spent.
    """
    if len(text) > _LONGEST or not text.isascii() or not _SIMPLE.fullmatch(text) or _KEYWORDS.search(text):
        return False
    words: list[Word] = []
    stdin: tuple[Command, ...] = ()
    for token in _TOKEN.finditer(text):
        if token["word"] is not None:
            words.append(_word(token, token.span() if frame.span is None else frame.span))
        elif words:
            made = _listed(words, stdin, frame, unfold)
            stdin, words = made if token[0] == "|" else (), []
    if words:
        _listed(words, stdin, frame, unfold)
    return True


def plain(text: str, span: Span, *, fixed: bool) -> list[Word] | None:
    """The words of one command, where they mean what is written.

    Args:
        text: The command as the parser found it.
        span: Where it stands.
        fixed: Whether that is to be every word's span.
    """
    at = span[0]
    if not text.isascii() or (not fixed and span[1] - at != len(text)) or not _ONE.fullmatch(text):
        return None
    return [_word(token, span if fixed else (at + token.start(), at + token.end())) for token in _WORDS.finditer(text)]


def _word(token: re.Match[str], span: Span) -> Word:
    written = token[0]
    if written[0] in "'\"":
        return Word(written[1:-1], span, written[1:-1])
    return Word(written, span, written, _GLOB.search(written) is not None)


def _listed(words: list[Word], stdin: tuple[Command, ...], frame: Frame, unfold: Unfolder) -> tuple[Command, ...]:
    span = (words[0].span[0], words[-1].span[1]) if frame.span is None else frame.span
    return unfold.emit(Command(tuple(words), span=span, wrappers=unfold.wrappers, stdin=stdin))
