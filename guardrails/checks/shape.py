"""What a command looks like: names that begin one, arguments that only a shell has, and words only a sentence has."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

from guardrails.screens import Sign

if TYPE_CHECKING:
    from collections.abc import Sequence


class Kind(StrEnum):
    """What a word in command position may be."""

    NAME = "name"  # a command, and no English word
    WORD = "word"  # a command whose name is an English word
    PATH = "path"  # the path of a program
    CMDLET = "cmdlet"  # PowerShell's Verb-Noun
    VARIABLE = "variable"  # whatever a variable holds


class Head(NamedTuple):
    """A word in command position.

    Attributes:
        kind: What it may be.
        name: Lower-case base name with the quoting taken off.
        split: Whether it was taken apart by quotes, carets or empty expansions, as only evasion does.
        written: As it stands in the text.
    """

    kind: Kind
    name: str
    split: bool
    written: str


def words_of(words: str) -> frozenset[str]:
    """The words of a list written as text."""
    return frozenset(words.split())


def _read(name: str) -> frozenset[str]:
    text = files(__package__).joinpath(name).read_text(encoding="utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())


NAMES = _read("command_names.txt")
"""Lower-case command names that are no English words."""

WORDS = _read("command_words.txt")
"""Lower-case command names that are English words too."""

COMMANDS = NAMES | WORDS

INTERPRETERS = words_of(
    "ash bash csh dash fish ksh mksh pwsh powershell sh tcsh zsh busybox iex cmd lua luajit node nodejs perl php pypy "
    "pypy3 python python2 python3 ruby tclsh osascript xargs eval source"
)
"""Commands that run what they are fed."""

DOWNLOADERS = words_of("curl wget wget2 aria2c axel fetch http https lynx w3m iwr irm ncat nc netcat lftp")
"""Commands that fetch what somebody else wrote."""

RISKY = (
    INTERPRETERS
    | DOWNLOADERS
    | words_of(
        "rm rmdir mv dd chmod chown chattr sudo su useradd usermod userdel passwd chpasswd crontab ssh scp sftp rsync"
        " kill pkill killall iptables nft ufw mount umount mkfs shutdown reboot halt poweroff systemctl service docker"
        " kubectl"
        " base64 openssl shred truncate tee socat telnet del erase rd format reg net sc schtasks taskkill whoami"
    )
)
"""Commands that make a chain worth refusing even where it stands in quotes."""

# Words that are commands but so often nouns or verbs before a name or number that only an option tells.
_WEAK = words_of(
    "at break call continue control date display enable file format help history host hostname join kind link local "
    "locate look mail node path pause print prompt query read recover reload rename resume return route run screen "
    "script search select service set shift sort split start stop test time timeout title top trap tree type users "
    "wait watch where which who write yes true false less more last"
)
_NET = words_of("user users view localgroup group share use start stop session sessions accounts config statistics")
_READERS = words_of("cat type more less head tail tac nl strings base64 cp copy dir ls rm del")
_MOST_AFTER_PATH = 2
_TAKES_NUMBER = frozenset({"sleep", "kill", "ping", "timeout", "seq", "exit", "wait", "pause"})

# What follows a command's name in a sentence about it, never in a call of it.
_AFTER_NAME = words_of(
    "is are was were be been being has have had does did do can could cannot will would should shall may might must "
    "not never no and or but nor as at by for from if in into of off on once onto out over since so than that then to "
    "under until up via when where while with without within the a an this these those its it they we you i "
    "returns returned returning shows showed showing fails failed failing says said reports reported hangs hung times "
    "timed takes took runs ran gives gave works worked looks seems needs needed requires required uses used exits "
    "exited prints printed stops stopped crashes crashed dies died command commands output error errors exit "
    "response binary version down slow missing full broken stuck busy dead ok okay too very still again also only"
)
_VERBS = words_of(
    "is are was were has have had does did will would should cannot fails failed failing returns returned shows says "
    "hangs not never missing full slow down broken stuck dead unreachable unavailable sent caused timed reached "
    "exceeded refused denied expired restarted"
)

_SPLITTING = re.compile(r"['\"^]|\\(?=[A-Za-z/])|\$[@*]|\$\{[@*]\}|``|\$\(\)")
_SPLIT_INSIDE = re.compile(r"[A-Za-z/](?:['\"^\\]|\$[@*]|\$\{[@*]\}|``|\$\(\))+[A-Za-z/]")
_WINDOWS_PATH = re.compile(r"(?:[A-Za-z]:[\\/]|\\\\|%\w+%\\)")
_PROGRAM_PATH = re.compile(r"(?:~|\.{1,2})?/|[A-Za-z]:[\\/]|\\\\|%\w+%[\\/]|\.\\")
_PROGRAM = re.compile(
    r"/s?bin/|/tmp/|/dev/shm/|[*?\[]|\.(?:exe|com|bat|cmd|ps1|vbs|sh|py|pl|rb|php|jar|msi)$", re.IGNORECASE
)
_CMDLET = re.compile(
    r"(?:Add|Clear|Copy|Disable|Enable|Export|Find|ForEach|Format|Get|Import|Install|Invoke|Move|New|Out|Read|Register"
    r"|Remove|Rename|Reset|Restart|Restore|Save|Select|Send|Set|Start|Stop|Suspend|Test|Uninstall|Unregister|Update"
    r"|Wait|Where|Write)"
    r"-(?!(?:Only|On|Up|Off|Protected|Driven|Together|In|Out|All|Ahead|Back|Down)\b)[A-Z][A-Za-z]+"
)
_VARIABLE = re.compile(r"(?:\$(?:\{\w+\}|[A-Za-z_]\w*))+$|(?:%\w+%)+$")
_SUFFIX = re.compile(r"\.(?:exe|com|bat|cmd)$", re.IGNORECASE)
_EDGES = "\"'()[]{},.:!?@"

_OPTION = re.compile(r"--?[A-Za-z0-9?@][\w.=:,/@+%-]*|[+][xrws]|/[A-Za-z?]{1,2}(?::\S*)?|/[A-Z]{2,12}")
_STRONG = re.compile(r"[a-z][a-z0-9+.-]*://|.*(?:\$[\w({'\"]|`)", re.IGNORECASE | re.DOTALL)
# `> 80%`, `=> x` and `->` compare or point; a redirection has a file or a descriptor behind it.
_REDIRECTION = re.compile(r"(?<![=<>-])\d?>{1,2}(?![=>])\s*(?:&\d|(?!\d)[\w~%:-]*[./\\$%][\w./\\$%~-]*|[a-z]\w*$)|<<")
_MEDIUM = re.compile(r"[~.]{0,2}/|[A-Za-z]:[\\/]|\\\\|%[A-Za-z_]{3,}%|.*[*?]|\d{1,3}(?:\.\d{1,3}){3}|\w+=|['\"]|/\w+$")
_DOTTED = re.compile(r"(?:[\w-]+\.)+[A-Za-z]\w{0,5}")
_SENSITIVE = Sign(
    r"/etc/|/proc/|/root\b|/dev/|/var/(?:www|log/auth)|\.ssh|\bpasswd\b|\bshadow\b|id_rsa|\.env\b|boot\.ini"
    r"|[\\/](?:windows|winnt|system32|users)\b|%(?:systemroot|windir|userprofile)%|\bhklm\b",
    ignore_case=True,
)


@lru_cache(maxsize=8192)
def head(written: str) -> Head | None:
    """What a word in command position may be, or None where it is nobody's command."""
    split = _SPLIT_INSIDE.search(written) is not None
    windows = _WINDOWS_PATH.match(written) is not None
    bare = written if windows else _SPLITTING.sub("", written)
    bare = bare.strip(_EDGES) if not _PROGRAM_PATH.match(bare) else bare.rstrip(_EDGES)
    if not bare:
        return None
    if _VARIABLE.match(bare):
        return Head(Kind.VARIABLE, bare, split, written)
    name = _SUFFIX.sub("", re.split(r"[/\\]", bare)[-1]).lower()
    if name in COMMANDS:
        kind = Kind.NAME if name in NAMES or name != bare.lower() else Kind.WORD
        return Head(kind, name, split, written)
    if _PROGRAM_PATH.match(bare) and _PROGRAM.search(bare):
        return Head(Kind.PATH, name, split, written)
    if _CMDLET.fullmatch(bare):
        return Head(Kind.CMDLET, name, split, written)
    return None


class Arguments(NamedTuple):
    """How the words after a command's name look.

    Attributes:
        many: How many there are.
        first: The first of them, lower case, without punctuation.
        strong: Something that no sentence has: an option, a URL, a redirection, an expansion.
        medium: A path, glob, address, assignment or quoted word; a sentence may have one.
        numbers: Whether all of them are numbers.
        plain: How many are words a sentence could have.
        sensitive: A file or directory that attackers ask for.
        sentence: Words that a sentence about a command has: right after its name, or a verb anywhere.
    """

    many: int
    first: str
    strong: bool
    medium: bool
    numbers: bool
    plain: int
    sensitive: bool
    sentence: bool


def arguments(words: Sequence[str], text: str) -> Arguments:
    """How `words`, the arguments in `text`, look."""
    strong = (">" in text or "<<" in text) and _REDIRECTION.search(text) is not None
    medium = sentence = dotted = False
    plain = 0
    for index, word in enumerate(words):
        bare = word.strip("\"'.,:!?()").lower()
        if _OPTION.fullmatch(word) or _STRONG.match(word):
            strong = True
        elif _MEDIUM.match(word):
            medium = True
        elif _DOTTED.fullmatch(bare):
            dotted = True
        elif not bare.isdigit():
            plain += 1
        if bare in _VERBS or (index == 0 and bare in _AFTER_NAME):
            sentence = True
    numbers = bool(words) and all(word.strip("\"'.,()").isdigit() for word in words)
    medium |= dotted and not plain  # `lag on web-01.example.com` has words around the name, a call of ssh has none
    first = words[0].strip("\"'.,:!?()").lower() if words else ""
    return Arguments(len(words), first, strong, medium, numbers, plain, _SENSITIVE.within(text), sentence)


def spoken_of(follows: str) -> bool:
    """Whether the word that follows a name makes it a part of a sentence."""
    return follows.strip("\"'.,:!?()").lower() in _AFTER_NAME


def spoken_among(name: str, words: Sequence[str]) -> bool:
    """Whether words that follow an English word make it a part of a sentence, at a glance: `called` is false then."""
    return not _VERBS.isdisjoint(words) and name != "net" and name not in _READERS


def called(found: Head, given: Arguments) -> bool:
    """Whether a name with its arguments is a call rather than a sentence about it; nothing else is known."""
    if found.split or found.kind is Kind.VARIABLE or (found.name == "net" and given.first in _NET):
        return True
    if found.name in _READERS and given.sensitive and _MEDIUM.match(given.first):
        return True  # whatever else stands there, the file is read
    if found.kind is Kind.WORD:
        return not given.sentence and _word_called(found.name, given)
    few = given.medium or given.numbers or (found.kind is Kind.PATH and given.plain <= _MOST_AFTER_PATH)
    return given.strong or (few and not given.sentence)


def _word_called(name: str, given: Arguments) -> bool:
    if given.numbers:
        return name in _TAKES_NUMBER
    return given.strong or (given.medium and (given.sensitive or (not given.plain and name not in _WEAK)))
