"""Words that may be the head of a command, read one at a time from a text that may still be arriving."""

from __future__ import annotations

import re
import unicodedata
from enum import Enum, auto
from fnmatch import filter as matching
from typing import TYPE_CHECKING, NamedTuple

from guardrails.commands import encoded
from guardrails.commands.ansi import ansi
from guardrails.confusables import SELECTORS, TAGS
from guardrails.text import canonical, layers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Standing(Enum):
    OPEN = auto()  # what comes next decides
    CLEAR = auto()  # no head, whatever comes next; `end` lies in or behind the word
    HEAD = auto()  # a head, complete
    VARIABLE = auto()  # an expansion: in command position it is a command known only at run time
    ENCODED = auto()  # a word, or a list of codes, that may be encoded text
    HIDDEN = auto()  # characters that nobody sees and that carry text
    GLOB = auto()  # a path whose last part names a head by a pattern; `word` says which


class Read(NamedTuple):
    standing: Standing
    end: int
    word: str = ""


_PLAIN = re.compile(r"[A-Za-z0-9_.+-]*")
_GAP = re.compile(r"[ \t\r\f\v,;:!?()\[\]{}|=<>/@#*^]*")
_UP_TO_SIGN = re.compile(r"[ \t\r\f\v,;:!?)\]}|</@#*^]*")
_CLEARED = re.compile(r"[^\s,;:!?()\[\]{}|&=<>/@#*^`\x08\x1b\x80-\U0010ffff]*")
_SPACE = re.compile(r"\s")
_WORD = re.compile(r"[A-Za-z0-9_+-][A-Za-z0-9_.+-]*")
_CONTROLS = frozenset(map(chr, (*range(9), *range(14, 32), 127)))
_TRICKY = frozenset("'\"\\%&$") | _CONTROLS
EVALUATORS = ("iex", "invoke-expression")  # PowerShell's eval; no rule names what it runs
_OTHERS = frozenset((*EVALUATORS, *encoded.CUES))
_PREFIXES = frozenset(name[:length] for name in _OTHERS for length in range(1, len(name) + 1))
_LONGEST = 256  # characters of a word with quotes or invisible characters in it: it is read again with every piece
_MOST_CHARACTERS = 4096
_MOST_NAMES = 16  # heads that one pattern may mean
_LETTER = re.compile(r"[a-z]")
_NOISE = re.compile(r"[\"'\\]+")
_EMPTY = re.compile(r"\$[@*]|\$\{[@*]\}|\$\(\)|``|\\\r?\n")  # what a shell reads as nothing
_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
_COLOUR_OPEN = re.compile(r"\x1b(?:\[[0-9;:]*)?")
_EMPTY_OPEN = re.compile(r"\$(?:\{(?:[@*])?|\()?|`|\\\r?")
_ANSI = re.compile(r"\$'((?:[^'\\]|\\.)*)'", re.DOTALL)
_ANSI_OPEN = re.compile(r"\$(?:'(?:[^'\\]|\\.)*\\?)?", re.DOTALL)
_EDGES = ".,;:!?)\"'`*"
_MARKUP = re.compile(r"\\[A-Za-z]{2,20}(?=\{)")
_GLOB = re.compile(r"[A-Za-z0-9_.+?*\[\]-]+")
_GLOB_BEFORE = re.compile(r"/([A-Za-z0-9_.+?*\[\]-]*)\Z")
_PATTERN_SIGNS = frozenset("?*[")
_ORDINARY = frozenset("ghijklmnopqrstuvwxyz")  # nothing encoded begins with them
_PATTERN_ENDS = frozenset("?*]")
_SHOWN = frozenset("\b\x1b\x9b\u202e")  # what makes a display show something else than what is there


class HeadReader:
    """Reads words against one set of heads; immutable but for what it remembers of characters."""

    def __init__(
        self, is_head: Callable[[str], bool], may_begin: Callable[[str], bool], names: Iterable[str] = ()
    ) -> None:
        """Know a head by `is_head`, its beginning by `may_begin`; a pattern may mean one of `names`."""
        self._known = is_head
        self._start = may_begin
        self._names = sorted(names)
        self._patterns: dict[str, str] = {}
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
            if text[position] in TAGS or text[position] in SELECTORS or text[position] in _SHOWN:
                return position
            position += 1

    def read(self, text: str, position: int, *, final: bool) -> Read:
        """What the word at `position` is, as far as it has arrived; `final` says that nothing follows."""
        end = _PLAIN.match(text, position).end()  # type: ignore[union-attr] # matches the empty string
        word = text[position:end].lower()
        sign = text[end] if end < len(text) else ""
        if text[position] not in _ORDINARY or sign in _PATTERN_SIGNS or text[position - 1] in _PATTERN_ENDS:
            special = self._special(text, position, end, word, final=final)
            if special is not None:
                return special
        if self._hopeless(word):
            return Read(Standing.CLEAR, end, word)
        if sign in _TRICKY or sign >= "\x7f" or (sign == "`" and word and text[end + 1 : end + 2] in ("`", "")):
            return self._disguised(text, position, end, word, final=final)
        if not sign and not final:
            return Read(Standing.OPEN, end, word)
        return self._complete(word, end)

    def _special(self, text: str, position: int, end: int, word: str, *, final: bool) -> Read | None:
        """What begins like encoded text, an entity or a pattern; None for every other word."""
        sign = text[end] if end < len(text) else ""
        if end == position and sign == "&":
            # An entity may spell a letter; every other ampersand separates.
            follows = text[end + 1 : end + 2]
            if not follows and not final:
                return Read(Standing.OPEN, end)
            return None if follows == "#" or follows.isalpha() else Read(Standing.CLEAR, end + 1)
        if (found := encoded.reach(text, position, final=final)) is not None and not self._is_head(word):
            if found.end < 0:
                return Read(Standing.OPEN, end, word)
            return Read(Standing.HIDDEN if found.hidden else Standing.ENCODED, found.end)
        if sign in _PATTERN_SIGNS or (position and text[position - 1] in _PATTERN_ENDS):
            return self._globbed(text, position, end, word, final=final)
        return None

    def _is_head(self, word: str) -> bool:
        return self._known(word) or word in _OTHERS

    def _may_begin(self, word: str) -> bool:
        return self._start(word) or word in _PREFIXES

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
            passed = self._passed(text, end, word, final=final)
            if passed is not None:
                if passed < 0:
                    return Read(Standing.OPEN, end, word)
                if text.startswith("$'", end):
                    word = (word + ansi(text[end + 2 : passed - 1])).lower().rpartition("/")[2]
                end = passed
                continue
            if text[end] in "\\%&$":
                return self._signed(text, position, end, word, final=final)
            read = None if text[end] in _SHOWN or (word and text[end] in TAGS) else self._as_read(text[end])
            if read is None:
                break
            word += read
            end += 1
            if self._hopeless(word):
                return self._veiled(text, position, end, word, final=final)
        if end == size and not final:
            return Read(Standing.OPEN, end, word)
        return self._complete(word, end)

    def _veiled(self, text: str, position: int, end: int, word: str, *, final: bool) -> Read:
        """A word that no head begins like; its characters may stand for those of an encoded one."""
        if text[position:end].isascii():
            return Read(Standing.CLEAR, end, word)
        blank = _SPACE.search(text, position, position + encoded.LONGEST)
        stop = blank.start() if blank else min(len(text), position + encoded.LONGEST)
        meant = canonical(text[position:stop].rstrip(_EDGES)).text
        if not encoded.may_be(meant):
            return Read(Standing.CLEAR, end, word)
        if stop == len(text) and not final:
            return Read(Standing.OPEN, end, word)
        return Read(Standing.ENCODED if len(meant) >= encoded.SHORTEST else Standing.CLEAR, stop, word)

    def _signed(self, text: str, position: int, end: int, word: str, *, final: bool) -> Read:
        """A word that goes on with an expansion or with what may be an escape."""
        if text[end] == "$":
            return self._expansion(text, position, end, word, final=final)
        if self._hopeless(word):
            return Read(Standing.CLEAR, end, word)
        return self._escaped(text, position, final=final)

    def _passed(self, text: str, position: int, word: str, *, final: bool) -> int | None:
        """The end of what a shell or a terminal makes nothing of, or of ANSI-C quoting; -1 where it is still arriving.

        None where there is nothing of the kind.
        """
        sign = text[position]
        if sign not in "$`\\\x1b":
            return None
        ways = [(_ANSI, _ANSI_OPEN), (_COLOUR, _COLOUR_OPEN), *([(_EMPTY, _EMPTY_OPEN)] if word else [])]
        for whole, arriving in ways:
            if match := whole.match(text, position):
                return match.end()
            if not final and len(text) - position < _LONGEST and arriving.fullmatch(text, position):
                return -1
        return None

    def _globbed(self, text: str, position: int, end: int, word: str, *, final: bool) -> Read | None:
        """A path that names a head by a pattern: `/bin/r?`, `/bin/?m`; None where this is none."""
        before = ""
        if text[position - 1 : position] in _PATTERN_ENDS:
            path = _GLOB_BEFORE.search(text, max(0, position - _LONGEST), position)
            before = path[1] if path else ""
        elif end == len(text) or text[end] not in _PATTERN_SIGNS or not self._may_begin(word):
            return None
        match = _GLOB.match(text, position)
        stop = match.end() if match else end
        if stop == len(text) and not final and stop - position < _LONGEST:
            return Read(Standing.OPEN, end, word)
        rooted = bool(before) or text[position - 1 : position] == "/"
        pattern = before + text[position:stop].rstrip(".")
        if not rooted and not text[end + 1 : end + 2].isalnum():
            return None
        name = self.named_by(pattern.lower())
        return Read(Standing.GLOB, stop, name) if name else None

    def named_by(self, pattern: str) -> str:
        """The heads that a pattern with a letter in it may mean, between blanks; empty where none is."""
        if not _LETTER.search(pattern) or _PATTERN_SIGNS.isdisjoint(pattern):
            return ""
        known = self._patterns.get(pattern)
        if known is None:
            known = " ".join(matching(self._names, pattern)[:_MOST_NAMES])
            if len(self._patterns) < _MOST_CHARACTERS:
                self._patterns[pattern] = known
        return known

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
        if markup := _MARKUP.match(text, position):
            return Read(Standing.CLEAR, markup.end())
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
        folded = "" if unicodedata.category(character)[0] == "M" else canonical(character).text
        read = folded.lower() if not folded or _PLAIN.fullmatch(folded) else None
        if len(self._characters) < _MOST_CHARACTERS:
            self._characters[character] = read
        return read
