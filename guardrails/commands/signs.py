"""Signs of a command that no known name begins: a redirection to a path, a function that calls itself, a shell fed.

`uptime > /dev/sda` has no word that any rule knows. What gives it away is the sign, so that a finding begins there:
the words before it are only words, and have left.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from guardrails import regions
from guardrails.commands.heads import Standing
from guardrails.text import canonical

_ENTITY = "&gt;"
_REDIRECTION = re.compile(r"(?:>{1,2}[|!&]?|&gt;|[^\x00-\x7f])[ \t\u200b-\u200f\u2060\ufeff]*")
_PATH = frozenset("/~.$\"'\\%{")
_ARROW = ("-", "=", "~", "<")
_MORE_OF_IT = re.compile(r"(?:>|&gt;|\uff1e)+$")
_TAG = re.compile(r"<[/!?]?[A-Za-z][\w.:-]*(?:\s[^<>]*)?/?$")
_LONGEST = 300  # characters of a path
_TARGET = re.compile(rf"[^\s`<]{{0,{_LONGEST}}}")
_DEFINITION = re.compile(r"\([ \t]{0,4}\)[ \t\r\n]{0,4}\{")
_DEFINING = re.compile(r"\([ \t]{0,4}(?:\)[ \t\r\n]{0,4})?")
_NAME = re.compile(r"([^\s;|&(){}`\"'<>*\u201c\u2018]{1,40})[ \t]*$")
_BODY = 200  # characters of a function's body that are waited for

_SHELL = r"(?:sudo(?:[ \t]+-\w+)*[ \t]+)?(?:/\S*/)?(?:ba|z|da|k|a|fi)?sh\b"
_FED = re.compile(rf"\|&?[ \t]*{_SHELL}")
_SHELLS = re.compile(r"(?:^|[\s|])(?:ba|z|da|k|a|fi)?sh[ \t]*\Z")
SHELLS = frozenset({"sh", "bash", "zsh", "dash", "ksh", "ash", "fish"})
_SIGN = re.compile(r"(?<![-=~<])(?:>|&gt;){1,2}[|!&]?[ \t]*[/~.$\"'\\%{]|\([ \t]*\)[ \t\r\n]*\{")
_EVALUATED = re.compile(r"(?:iex|invoke-expression)[ \t]*[($\"'&]|eval[ \t]+[\"$`]", re.IGNORECASE)
_TAGS = re.compile(r"<[/!?]?[A-Za-z][^<>\n]{0,200}>")


class Sign(NamedTuple):
    """What stands at a `>` or `(`.

    Attributes:
        standing: OPEN, CLEAR, or HEAD where what follows is to be judged.
        end: Where reading goes on if it is CLEAR; where what is to be judged ends if it is a HEAD.
        lead: What belongs before it for a shell to read it: the name of a function, the first `>` of two, some
            command that a redirection stands behind.
    """

    standing: Standing
    end: int
    lead: str = ""


def read(text: str, position: int, before: str, *, final: bool) -> Sign:
    """What the sign at `position` means; `before` is the line up to it, and `final` says that nothing follows."""
    if _folded(text[position]) == "(":
        return _definition(text, position, before, final=final)
    return _redirection(text, position, before, final=final)


def at(text: str, position: int) -> bool:
    """Whether a sign stands at `position`, as far as has arrived."""
    if text[position] == "&":
        return _ENTITY.startswith(text[position : position + len(_ENTITY)])
    return _folded(text[position]) in (">", "(")


def within(text: str) -> bool:
    """Whether a complete text has a sign in it."""
    return (">" in text or "&gt;" in text or "(" in text) and _SIGN.search(_TAGS.sub(" ", text)) is not None


def feeds_shell(text: str) -> bool:
    """Whether something is piped into a shell in `text`, and not one shell listed after another: `bash | zsh`."""
    return any(not _SHELLS.search(text, 0, fed.start()) for fed in _FED.finditer(text))


def runs_text(text: str) -> bool:
    """Whether `text` hands a shell what only the running machine knows, so plainly that no sentence is meant."""
    return feeds_shell(text) or _EVALUATED.match(text) is not None


def _folded(character: str) -> str:
    return character if character < "\x80" else canonical(character).text


def _redirection(text: str, position: int, before: str, *, final: bool) -> Sign:
    size = len(text)
    if text[position] == "&" and not text.startswith(_ENTITY, position):
        waiting = not final and size - position < len(_ENTITY)
        return Sign(Standing.OPEN if waiting else Standing.CLEAR, position)
    sign = _REDIRECTION.match(text, position)
    start = sign.end() if sign else position + 1
    own = _MORE_OF_IT.sub("", before)
    if own.endswith(_ARROW) or _TAG.search(before) or not _path_at(text, start, before + text[position:start]):
        return Sign(Standing.CLEAR, start)
    target = _TARGET.match(text, start)
    end = target.end() if target else start
    standing = Standing.HEAD
    if end == size and end - start < _LONGEST:
        standing = Standing.HEAD if final and end > start else Standing.CLEAR if final else Standing.OPEN
    if standing is Standing.HEAD and regions.bare(before):
        standing = _alone(text, end, final=final)
    lead = ("" if regions.bare(before) else "_ ") + (">" if own != before else "")
    return Sign(standing, start if standing is Standing.CLEAR else end, lead)


def _path_at(text: str, start: int, before: str) -> bool:
    """Whether a path may begin at `start`, where the text may end; `before` is the line up to it."""
    return start == len(text) or (_folded(text[start]) in _PATH and not regions.prompted(before))


def _alone(text: str, end: int, *, final: bool) -> Standing:
    """A redirection that begins a line is a quotation, unless the line holds nothing else than its target."""
    line_end = text.find("\n", end)
    if line_end < 0 and not final:
        return Standing.OPEN
    return Standing.CLEAR if text[end : line_end if line_end >= 0 else len(text)].strip() else Standing.HEAD


def _definition(text: str, position: int, before: str, *, final: bool) -> Sign:
    opening = _DEFINITION.match(text, position)
    if opening is None:
        waiting = not final and _DEFINING.fullmatch(text, position)
        return Sign(Standing.OPEN if waiting else Standing.CLEAR, position + 1)
    name = _NAME.search(before)
    if name is None:
        return Sign(Standing.CLEAR, opening.end())
    close = text.find("}", opening.end(), position + _BODY)
    if close < 0 and not final and len(text) - position < _BODY:
        return Sign(Standing.OPEN, position)
    lead = re.escape(name[1])
    if close < 0 or not re.search(rf"{lead}\s*\|&?\s*{lead}", text[opening.end() : close]):
        return Sign(Standing.CLEAR, opening.end())
    return Sign(Standing.HEAD, close + 1, name[1])
