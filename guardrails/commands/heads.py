"""Words that may be the head of a command, read one at a time from a text that may still be arriving."""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

from guardrails.text import canonical, layers

if TYPE_CHECKING:
    from collections.abc import Callable


class Standing(Enum):
    OPEN = auto()  # what comes next decides
    CLEAR = auto()  # no head, whatever comes next; `end` lies in or behind the word
    HEAD = auto()  # a head, complete
    VARIABLE = auto()  # an expansion: in command position it is a command known only at run time


class Read(NamedTuple):
    standing: Standing
    end: int
    word: str = ""


_PLAIN = re.compile(r"[A-Za-z0-9_.+-]*")
_GAP = re.compile(r"[ \t\r\f\v,;:!?()\[\]{}|=<>/@#*^]*")
_UP_TO_SIGN = re.compile(r"[ \t\r\f\v,;:!?)\]}|=</@#*^]*")
_CLEARED = re.compile(r"[^\s,;:!?()\[\]{}|&=<>/@#*^`\x80-\U0010ffff]*")
_SPACE = re.compile(r"\s")
_WORD = re.compile(r"[A-Za-z0-9_+-][A-Za-z0-9_.+-]*")
_CONTROLS = frozenset(map(chr, (*range(9), *range(14, 32), 127)))
_TRICKY = frozenset("'\"\\%&$") | _CONTROLS
EVALUATORS = ("iex", "invoke-expression")  # PowerShell's eval; no rule names what it runs
_LONGEST = 256  # characters of a word with quotes or invisible characters in it: it is read again with every piece
_MOST_CHARACTERS = 4096
_LETTER = re.compile(r"[a-z]")
_NOISE = re.compile(r"[\"'\\]+")


class HeadReader:
    """Reads words against one set of heads; immutable but for what it remembers of characters."""

    def __init__(self, is_head: Callable[[str], bool], may_begin: Callable[[str], bool]) -> None:
        self._known = is_head
        self._start = may_begin
        self._characters: dict[str, str | None] = {}

    def gap(self, text: str, position: int) -> int:
        """The end of what separates words; a newline, tick, tilde, dollar or ampersand is not skipped."""
        while True:
            position = _GAP.match(text, position).end()  # type: ignore[union-attr] # matches the empty string
            if position == len(text) or text[position] < "\x80" or self._as_read(text[position]) is not None:
                return position
            position += 1

    def up_to_sign(self, text: str, position: int) -> int:
        """As `gap`, but a `>` or `(`, however it is written, and a `{` or `[` are not skipped either."""
        while True:
            position = _UP_TO_SIGN.match(text, position).end()  # type: ignore[union-attr] # matches the empty string
            if position == len(text) or text[position] < "\x80" or self._as_read(text[position]) is not None:
                return position
            if canonical(text[position]).text in (">", "("):
                return position
            position += 1

    def rest(self, text: str, position: int) -> int:
        """The end of a word that was cleared."""
        while True:
            position = _CLEARED.match(text, position).end()  # type: ignore[union-attr] # matches the empty string
            if position == len(text) or text[position] < "\x80" or self._as_read(text[position]) is None:
                return position
            position += 1

    def read(self, text: str, position: int, *, final: bool) -> Read:
        """What the word at `position` is, as far as it has arrived; `final` says that nothing follows."""
        end = _PLAIN.match(text, position).end()  # type: ignore[union-attr] # matches the empty string
        word = text[position:end].lower()
        size = len(text)
        if end == position and text[end] == "&":
            # An entity may spell a letter; every other ampersand separates.
            follows = text[end + 1 : end + 2]
            if not follows and not final:
                return Read(Standing.OPEN, end)
            if follows != "#" and not follows.isalpha():
                return Read(Standing.CLEAR, end + 1)
        if end < size and (text[end] in _TRICKY or text[end] >= "\x7f"):
            return self._disguised(text, position, end, word, final=final)
        if end == size and not final:
            return Read(Standing.CLEAR if self._hopeless(word) else Standing.OPEN, end, word)
        return self._complete(word, end)

    def _is_head(self, word: str) -> bool:
        return self._known(word) or word in EVALUATORS

    def _may_begin(self, word: str) -> bool:
        return self._start(word) or any(name.startswith(word) for name in EVALUATORS)

    def _hopeless(self, word: str) -> bool:
        """Whether no head begins with `word`, a full stop behind it allowed."""
        return bool(word) and not self._may_begin(word) and not (word[-1] == "." and self._is_head(word.rstrip(".")))

    def _complete(self, word: str, end: int) -> Read:
        bare = word.rstrip(".")
        if _LETTER.search(bare) and self._is_head(bare):
            return Read(Standing.HEAD, end - (len(word) - len(bare)), bare)
        return Read(Standing.CLEAR, end, word)

    def _disguised(self, text: str, position: int, end: int, word: str, *, final: bool) -> Read:
        """A word with quotes, backslashes, escapes or characters in it that are not read as they are written."""
        # Nobody writes a longer one; it is read once the answer is complete.
        size = len(text) if final else min(len(text), position + _LONGEST)
        while end < size:
            character = text[end]
            if character in "\\%&":
                if self._hopeless(word):
                    return Read(Standing.CLEAR, end, word)
                return self._escaped(text, position, final=final)
            if character == "$":
                return self._expansion(text, position, end, word, final=final)
            read = self._as_read(character)
            if read is None:
                break
            word += read
            end += 1
            if self._hopeless(word):
                return Read(Standing.CLEAR, end, word)
        if end == size and not final:
            return Read(Standing.OPEN, end, word)
        return self._complete(word, end)

    def _expansion(self, text: str, position: int, end: int, word: str, *, final: bool) -> Read:
        if word:
            # `rm$IFS-rf` is rm; anything else with an expansion in it is a word of its own.
            if self._is_head(word):
                return Read(Standing.HEAD, end, word)
            return Read(Standing.CLEAR, end + 1, word)
        if end + 1 == len(text) and not final:
            return Read(Standing.OPEN, end)
        follows = text[end + 1 : end + 2]
        if follows.isalpha() or follows in ("_", "{", "(", "'", "@", "*"):
            return Read(Standing.VARIABLE, position)
        return Read(Standing.CLEAR, end + 1)

    def _escaped(self, text: str, position: int, *, final: bool) -> Read:
        """A word in which characters are spelled by escapes; known once it has ended."""
        blank = _SPACE.search(text, position)
        if blank is None and not final:
            return Read(Standing.OPEN, len(text))
        end = blank.start() if blank else len(text)
        token = text[position:end]
        for view in layers(token, 2):
            for spelled in _WORD.finditer(_NOISE.sub("", view.text)):
                if self._is_head(spelled[0].lower().rstrip(".")):
                    return Read(Standing.HEAD, end, spelled[0].lower())
        return Read(Standing.CLEAR, end)

    def _as_read(self, character: str) -> str | None:
        """What a character is read as inside a word, lower-case; None where it separates words like a blank."""
        if character in "'\"":
            return ""
        known = self._characters.get(character, "?")
        if known != "?":
            return known
        folded = canonical(character).text
        read = folded.lower() if not folded or _PLAIN.fullmatch(folded) else None
        if len(self._characters) < _MOST_CHARACTERS:
            self._characters[character] = read
        return read
