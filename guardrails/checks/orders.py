"""Orders in a prompt: text that tries to have a chained or destructive command carried out.

Two questions, in this order because the first is cheap: is a command *ordered* here (run this) or *mentioned* (what
does it do, never run it, somebody ran it)? And is it one that destroys, fetches what it runs, or chains?
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, Protocol

from guardrails import ciphers
from guardrails.audit import current
from guardrails.checks.candidates import candidates, flattened
from guardrails.checks.directed import Readings, directed, possible, runs_unknown
from guardrails.checks.mood import AROUND, Mood
from guardrails.checks.shape import (
    DOWNLOADERS,
    INTERPRETERS,
    NAMES,
    RISKY,
    WORDS,
    Head,
    Kind,
    arguments,
    called,
    head,
    spoken_among,
    spoken_of,
    words_of,
)
from guardrails.commands.budget import BudgetExceeded
from guardrails.encodings import tokens
from guardrails.text import View, layers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.commands.judge import Judgement

SHORTEST = 12
"""Fewest characters of a base64 or hex token that is decoded in a prompt."""

UNRESOLVABLE = "commands.unresolvable"
"""The judge's rule for a command nobody can tell beforehand: in prose, that is most of what is no command."""

_DEPTH = 4
# Work that one prompt may cost, in characters read around and in commands: besides, for each of its own, and what a
# command that is judged costs. An ordinary prompt needs less than two for each of its characters.
_WORK, _WORK_EACH = 400_000, 4
_WORK_JUDGED, _WORK_JUDGED_EACH = 800, 8
_PIECE = 256
_LONGEST = 1200  # characters of one command line

_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}|&#|&[a-z]{2,8};|\\[xu0][0-9A-Fa-f{]|\\[nrt]|%u[0-9A-Fa-f]{4}")
_SHELLISH = re.compile(r"[ \t(\"'`](?:-{1,2}[A-Za-z]|[~.]{0,2}/|\*|[A-Za-z]:\\|/[A-Za-z]\b)|[;|&`$<>\\]")
_MARKS = b";|&`$<>\\*"
_SHOUTED = words_of("DEL ERASE RD RMDIR FORMAT DISKPART REG SHUTDOWN TASKKILL VSSADMIN CIPHER RM DD")
_STATEMENTS = words_of("DROP TRUNCATE DELETE drop truncate delete")
# Names of the judge's that a shell or SQL has, and every prompt too; the syntax among them destroys nothing alone.
_SYNTAX = words_of("for if while until do then else elif fi done case function with begin in select")
_ENGLISH = _SYNTAX | words_of(
    "alter anchor bat blade bless call change chaos commit crash create crystal defaults detach disable drill"
    " execute expect fetch flash flip flush glance grant hive insert load lock log merge optimize overwrite"
    " poetry presto profiles pub purge rails readonly reassign ren replace restore revoke rollback serve snow"
    " socket sql stress system toolbox update use vacuum view"
)
# Commands that destroy by their name alone, so that the judge cannot tell one from the verb; the others name a tool.
_VERBS = words_of(
    "reboot shutdown halt poweroff init kill format wipe shred scrub erase truncate delete drop remove stop start"
    " restart reset clear move replace rename break split time watch find sort install make update alter create insert"
    " merge"
)
_EFFECTS = words_of(
    "delete destroy remove rm disable purge drop terminate erase wipe reset uninstall prune revoke rollback down detach"
)
_CONTROLS = words_of("systemctl service docker podman kubectl helm git net sc reg ip")
_LOOKS = words_of(
    "status get describe logs log ps images list ls show top version info is-active is-enabled inspect events diff"
    " query"
)
_SPLITTING = ("^", "\\", "''", '""', "' -", "$@", "``")
_SPLIT = re.compile(r"[A-Za-z/](?:['\"^\\]|\$@|``)+[A-Za-z/]{1,20}(?:['\"^\\]|\$@|``)*(?=[A-Za-z/ '\"^\\])")
_CMDLET = re.compile(r"\b[A-Z][a-z]+-[A-Z][a-z]")
_ARTICLE = re.compile(r"\b(?:an?|the|this|each|every)\s$")
_CLOSING = {"`": "`", '"': '"', "'": "'", "(": ")", "<": ">", "[": "]", "{": "}"}
_SENTENCE_END = re.compile(r"(?<=[\w)/'\"`*])[.!?](?=\s+[A-Z]|\s*$)|[.!?]\s+(?=[A-Z])")
_CHAINED = re.compile(r"[;&|\n`$(>]")
_NEXT = re.compile(r"[ \t]+([A-Za-z']{1,12})(?=[\s.,;:!?)])")
_CHAIN = re.compile(r"\|\||&&|[;\n]|(?<![<>&])&(?![&\w])|\$\(|`|\|")
_SEQUENCE = re.compile(r"\|\||&&|;|(?<![<>&])&(?![&\w])")
_QUOTED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"|\\;")
_QUOTES = frozenset("\"'`")
_STATEMENT = re.compile(
    r"\b(?:DROP\s+(?:TABLE|DATABASE|SCHEMA|USER)|TRUNCATE\s+(?:TABLE\s+)?\w+\s*;|DELETE\s+FROM\s+\w+\s*;"
    r"|drop\s+(?:table|database|schema)\s+\w+)"
)


class Judge(Protocol):
    """The part of `CommandJudge` that is needed here."""

    heads: frozenset[str]

    def judge(self, text: str) -> Judgement: ...


class Order(NamedTuple):
    """A command that the prompt wants carried out; `span` is in the text as it was sent."""

    span: tuple[int, int]
    rule: str
    message: str


class Names(NamedTuple):
    """Command names that make a prompt worth a look.

    Attributes:
        telling: Names that no ordinary prompt has.
        plain: Names that are English words too; they tell only where something else looks like a shell.
        tools: Those of them that name a tool, which destroys by a subcommand.
        known: All of them, and those that destroy nothing alone.
        acting: The others.
        english: Those that are words of a sentence by what follows them.
    """

    telling: frozenset[str]
    plain: frozenset[str]
    tools: frozenset[str]
    known: frozenset[str]
    acting: frozenset[str]
    english: frozenset[str]


def alerting(heads: frozenset[str]) -> Names:
    """The judge's names and ours, told apart by whether English has them too."""
    plain = frozenset(name for name in heads if name in WORDS or name in _ENGLISH) | _STATEMENTS
    telling = (frozenset(name for name in heads | NAMES if len(name) > 1) - plain - _SYNTAX) | _SHOUTED
    plain -= _SYNTAX
    acting = telling | plain
    english = (WORDS | plain) - telling - NAMES
    return Names(telling, plain, plain - _VERBS - _STATEMENTS, acting | WORDS, acting, english)


def quiet(text: str, names: Names) -> bool:
    """Whether nothing in a prompt needs a closer look; a few microseconds a kilobyte."""
    if not text.isascii() or possible(text) or ciphers.possible(text) or "\x1b" in text or "\b" in text:
        return False
    found = flattened(text).split()
    if not names.telling.isdisjoint(found) or tokens(text, SHORTEST):
        return False
    if ("%" in text or "&" in text or "\\" in text) and _ENCODED.search(text):
        return False
    split = any(mark in text for mark in _SPLITTING) and _SPLIT.search(text)
    if split or ("-" in text and _CMDLET.search(text)):
        return False
    if names.plain.isdisjoint(found):
        return True
    tool = not names.tools.isdisjoint(found) and not _EFFECTS.isdisjoint(found)
    statement = not _STATEMENTS.isdisjoint(found) and _STATEMENT.search(text)
    return not (tool or statement or _shellish(text))


def _shellish(text: str) -> bool:
    """Whether a text has an option, a path or an operator in it."""
    raw = text.encode()
    marked = "/" in text or " -" in text or len(raw.translate(None, _MARKS)) < len(raw)
    return marked and _SHELLISH.search(text) is not None


def ordered(
    text: str, judge: Judge, names: Names, limit: int, readings: Readings, *, part: tuple[int, int] | None = None
) -> Order | None:
    """The first order in a prompt, or None.

    Args:
        text: As it was sent.
        judge: Says what a command destroys.
        names: Names that make a prompt worth a look (`alerting`).
        limit: Longest text looked at.
        readings: How else a shell may read a command.
        part: Where in the text a command may have changed since it was looked at; None for anywhere.

    Raises:
        TooLong: The text is longer than `limit`.
        BudgetExceeded: It holds more commands than anybody should judge.
    """
    if len(text) <= limit and quiet(text, names):
        _note(text, (View(text),))
        return None
    work = _Work(len(text))
    views = layers(text, _DEPTH, shortest=SHORTEST, limit=limit)
    _note(text, views)
    for view in views:
        shown = _changed(view) if view.decoded else view.text
        if part:
            shown = _near(view, shown, part)
        flat = flattened(shown)
        mood = Mood(view, flat)
        places = _commands(view.text, candidates(shown, flat, names.known), names, mood)
        found = _named(view, places, mood, judge, work) or _unnamed(
            view, directed(shown), mood, judge, work, readings=readings
        )
        if found:
            return found
    return None


class _Work:
    """What one prompt may still cost."""

    __slots__ = ("_left",)

    def __init__(self, length: int) -> None:
        self._left = _WORK + _WORK_EACH * length

    def spend(self, units: int) -> None:
        self._left -= units
        if self._left < 0:
            raise BudgetExceeded("more commands stand in one prompt than its length allows")

    def judge(self, length: int) -> None:
        self.spend(_WORK_JUDGED + _WORK_JUDGED_EACH * length)


def _named(view: View, places: Iterator[tuple[int, int]], mood: Mood, judge: Judge, work: _Work) -> Order | None:
    """The first order of a command that begins with a known name."""
    for start, end in places:
        work.spend(AROUND)
        if mood.ordered(start, end):
            work.judge(end - start)
            quoted = view.text[start - 1 : start] in _QUOTES
            if danger := _danger(view.text[start:end], judge, quoted=quoted):
                offset, length, rule, message = danger
                return Order(view.source_span(start + offset, start + length), rule, message)
    return None


def _unnamed(
    view: View, places: Iterator[tuple[int, int]], mood: Mood, judge: Judge, work: _Work, *, readings: Readings
) -> Order | None:
    """The first order of what a verb says to run, whatever it begins with."""
    for start, end in places:
        work.spend(AROUND)
        if mood.ordered(start, end):
            work.judge(end - start)
            if hidden := _hidden(view.text[start:end], judge, readings):
                return Order(view.source_span(start, end), *hidden)
    return None


def _note(text: str, views: tuple[View, ...]) -> None:
    if (audit := current()) is not None:
        audit.looked("injection", len(text), views)


def _hidden(command: str, judge: Judge, readings: Readings) -> tuple[str, str] | None:
    """Rule and message of what in a command that no known name begins must not be carried out."""
    for reading in readings.of(command):
        for finding in judge.judge(reading).findings:
            if finding.action.stops and (finding.rule != UNRESOLVABLE or runs_unknown(command)):
                rule = "prompt.unresolvable" if finding.rule == UNRESOLVABLE else "prompt.destructive"
                return rule, f"orders a command that {finding.message}"
    return None


def _near(view: View, shown: str, part: tuple[int, int]) -> str:
    """What is shown of a view, blank where a command has nothing of a part of the source, nor around it."""
    start, end = part[0] - _LONGEST, part[1] + AROUND
    pieces = []
    for at in range(0, len(shown), _PIECE):
        piece = shown[at : at + _PIECE]
        first, last = view.source_span(at, at + len(piece))
        pieces.append(piece if first <= end and last >= start else " " * len(piece))
    return "".join(pieces)


def _changed(view: View) -> str:
    """A decoded view's text, blank where it was looked at already as it was written."""
    text = view.text
    pieces = []
    for at in range(0, len(text), _PIECE):
        piece = text[at : at + _PIECE]
        near = view.edited(max(0, at - AROUND), min(len(text), at + _PIECE + _LONGEST))
        pieces.append(piece if near else " " * len(piece))
    return "".join(pieces)


def _commands(text: str, words: list[re.Match[str]], names: Names, mood: Mood) -> Iterator[tuple[int, int]]:
    """Where a command may stand that may be ordered: from its name to the end of its quotes, line or sentence."""
    for word in words:
        written = word[0]
        found = head(written)
        if found is None and written not in names.telling:
            continue
        begin, stop = word.span()
        if text[stop : stop + 1] == ":" or (written in names.english and _spoken_of(text, stop)):
            continue
        if not mood.possible(begin):
            continue
        end = _end(text, begin, stop)
        rest = text[stop:end]
        if found and found.kind is not Kind.CMDLET and found.name not in names.acting and not _CHAINED.search(rest):
            continue  # it destroys nothing, and nothing follows it
        telling = written in names.telling and not _ARTICLE.search(text, max(0, begin - 6), begin)
        if _worth(found, telling, written in names.tools, rest):
            yield begin, end
    if any(verb in text for verb in _STATEMENTS):
        for statement in _STATEMENT.finditer(text):
            yield statement.start(), _end(text, statement.start(), statement.end())


def _spoken_of(text: str, stop: int) -> bool:
    """Whether the word after a name, and nothing but a blank before it, is one of a sentence."""
    follows = _NEXT.match(text, stop)
    return follows is not None and spoken_of(follows[1])


def _worth(found: Head | None, telling: bool, tool: bool, rest: str) -> bool:
    """Whether a name and what follows it look enough like a command to be judged."""
    if found is None or found.kind is Kind.VARIABLE:
        return telling and bool(rest.strip())
    first = _CHAIN.split(rest, maxsplit=1)[0]
    given = first.split()
    if found.kind is not Kind.WORD or telling:
        return bool(given) or first != rest
    if not found.split and spoken_among(found.name, given):
        return False
    looks = arguments(given, first)
    return called(found, looks) or ((looks.strong or tool) and looks.many > 0 and not looks.sentence)


def _end(text: str, start: int, word_end: int) -> int:
    before = text[start - 1 : start]
    most = min(len(text), max(word_end, start + _LONGEST))
    line = text.find("\n", word_end, most)
    line = most if line < 0 else line
    closing = _CLOSING.get(before)
    found = text.find(closing, word_end, most) if closing else -1
    if closing and found >= 0 and (closing not in "\"'" or found < line):
        return found
    sentence = _SENTENCE_END.search(text, word_end, line)
    return sentence.start() if sentence else line


def _danger(command: str, judge: Judge, *, quoted: bool) -> tuple[int, int, str, str] | None:
    """Offset, end, rule and message of what in a command line must not be carried out.

    A chain is refused for what is in it: `df -h && free -m` is a plain wish; one with a link that fetches, changes
    rights, stops something or reads what is not for everybody is how an attack goes on.
    """
    for finding in judge.judge(command).findings:
        if finding.action.stops and finding.rule != UNRESOLVABLE:
            return (*finding.span, "prompt.destructive", f"orders a command that {finding.message}")
        if finding.rule == UNRESOLVABLE and not quoted and runs_unknown(command):
            return (*finding.span, "prompt.unresolvable", f"orders a command that {finding.message}")
    bare = _QUOTED.sub(lambda quoted: "_" * len(quoted.group()), command)
    names, risky = [], False
    for part in _CHAIN.split(bare):
        words = part.split()
        found = head(words[0]) if words else None
        given = arguments(words[1:], part)
        runs = found is not None and found.name in INTERPRETERS and found.kind is Kind.NAME
        if found and (runs or called(found, given) or (found.kind is not Kind.WORD and not given.sentence)):
            names.append(found.name)
            looks = found.name in _CONTROLS and not _LOOKS.isdisjoint(words[1:3])
            risky |= (found.name in RISKY and not looks) or given.sensitive
    fetch = next((index for index, name in enumerate(names) if name in DOWNLOADERS), None)
    if fetch is not None and not INTERPRETERS.isdisjoint(names[fetch + 1 :] + names[:fetch]):
        return 0, len(command), "prompt.download", "orders a command that runs what it downloads"
    if len(names) > 1 and risky and (_SEQUENCE.search(bare) or "$(" in bare):
        return 0, len(command), "prompt.chain", f"orders a chain of commands: {', then '.join(names[:4])}"
    return None
