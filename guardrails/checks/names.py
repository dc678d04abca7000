"""The names in a command: hosts, services, paths and options, and where they stand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from guardrails.commands.tree import UNKNOWN
from guardrails.interface import Shell

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from guardrails.commands.tree import Command, Span, Word


class Kind(StrEnum):
    HOST = "host"
    SERVICE = "service"
    PATH = "path"
    FLAG = "flag"


class Name(NamedTuple):
    kind: Kind
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Form:
    """What is known of one command's words.

    Attributes:
        words: What those that are no option name, in order.
        verbs: The same behind a first word.
        options: What the value of an option names.
        known: Its options; empty where nobody has listed them.
        taking: Those whose value is the next word.
    """

    words: tuple[str, ...] = ()
    verbs: Mapping[str, tuple[str, ...]] | None = None
    options: Mapping[str, str] | None = None
    known: frozenset[str] = frozenset()
    taking: frozenset[str] = frozenset()


def read_data(file: str) -> Any:
    """One of the data files beside this one."""
    return yaml.load(files("guardrails.checks").joinpath(file).read_bytes(), Loader=yaml.CSafeLoader)


_ANY = Form()


@cache
def forms() -> Mapping[str, Form]:
    """By the command's name, in lower case."""
    named: dict[str, dict[str, Any]] = read_data("names.yaml")["commands"]
    listed: dict[str, dict[str, str]] = read_data("options.yaml")
    found = {}
    for name in named.keys() | listed.keys():
        form, options = named.get(name, {}), listed.get(name, {})
        letters = re.findall(r"(.)(=?)", str(options.get("short", "")))
        single = name in _ONE_DASH
        spelled = [("-" + letter, takes) for letter, takes in letters]
        spelled += [
            ("-" * (1 if single else 2) + word.rstrip("="), "=" if word.endswith("=") else "")
            for word in str(options.get("long", "")).split()
        ]
        taking = {option for option, takes in spelled if takes} | {*form.get("options", {})}
        found[name] = Form(
            tuple(form.get("words", "").split()),
            {verb: tuple(words.split()) for verb, words in form["verbs"].items()} if "verbs" in form else None,
            form.get("options"),
            frozenset(option for option, _ in spelled),
            frozenset(taking),
        )
    return found


@cache
def argument_kinds() -> Mapping[str, Kind]:
    """What a tool call's argument of that name names."""
    return {word: Kind(kind) for kind, words in read_data("names.yaml")["arguments"].items() for word in words.split()}


_ONE_DASH = frozenset({"find", "terraform", "nslookup"})
_URL = re.compile(r"[a-z][a-z0-9+.-]{1,20}://(?:[^/@\s]*@)?(\[[0-9a-f:.]+\]|[\w.-]+)", re.IGNORECASE)
_ADDRESS = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}")
_DOTTED = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,62})\.){1,8}([a-z]{2,12})", re.IGNORECASE)
_HOST = re.compile(r"[a-z0-9][\w.-]*|[0-9a-f:.]*:[0-9a-f:.]+", re.IGNORECASE)
_SERVICE = re.compile(r"[a-z0-9][\w.@:-]*", re.IGNORECASE)
_PATH = re.compile(r"(?:~?/|[A-Za-z]:\\|\\\\)[^\s\"'<>|;&${}]+")
_OWN = re.compile(
    r"(?:my|your|the|some|example|sample|foo|bar|x+)(?:[-_.]|$)|\.{2,}"
    r"|(?:[A-Z]+_)*(?:NUMBER|FILE|FOLDER|DIR|DIRECTORY|PATH|HOST|HOSTNAME|SERVER|NODE|SERVICE|UNIT|NAME|NAMESPACE|POD|PID|APP"
    r"|CONTAINER|DEPLOYMENT|RELEASE|DATABASE|DB|USER|PORT|ID|IP|ADDRESS|URL|DOMAIN|DEVICE)$"
)
_EVERYWHERE = frozenset({"--help", "--version"})
_RUNS = frozenset({"-exec", "-execdir", "-ok", "-okdir"})  # what follows is another command's
_SIGNAL = re.compile(r"-(?:SIG)?(?:HUP|INT|QUIT|KILL|TERM|USR1|USR2|STOP|CONT|ABRT|ALRM|CHLD|PIPE)")
_PLAIN_NUMBER = re.compile(r"-[0-9.]+[a-zA-Z]?")


@cache
def _domains() -> frozenset[str]:
    return frozenset(read_data("names.yaml")["usual"]["domains"].split())


def names(command: Command) -> Iterator[Name]:
    """What a command names; a word that only the run will tell, or that a person is to fill in, is no name."""
    if command.shell is Shell.SQL or command.name == UNKNOWN:
        return
    for redirect in command.redirects:
        if redirect.operator not in ("<<", "<<<"):
            yield from _value("any", redirect.target)
    yield from _argued(command)


def _argued(command: Command) -> Iterator[Name]:
    """What its options and words name."""
    form = forms().get(command.name, _ANY)
    options = form.options or {}
    words: list[Word] = []
    waiting = ""  # what the next word is to the option before it
    for word in command.argv[1:]:
        if waiting:
            yield from _value(waiting, word)
            waiting = ""
        elif word.text == "--" or word.text in _RUNS:
            break
        elif word.text is not None and word.text.startswith("-") and len(word.text) > 1:
            option, _, value = word.text.partition("=")
            if command.shell is Shell.BASH and form.known and not _knows(form, option):
                yield Name(Kind.FLAG, option, word.span)
            key = option.lower() if command.shell is Shell.POWERSHELL else option
            kind = options.get(key, "any")
            if value:
                yield from _value(kind, word._replace(text=value))
            elif key in form.taking:
                waiting = kind
        elif _place(form, [*words, word]) == "code":
            break
        else:
            words.append(word)
    yield from _placed(form, words)


def _place(form: Form, words: list[Word]) -> str:
    """What the last of some words stands for."""
    places, index = form.words, len(words) - 1
    if form.verbs is not None:
        places, index = form.verbs.get(words[0].text or "", ()), index - 1
    if index < 0 or not places:
        return "any"
    place = places[min(index, len(places) - 1)]
    return "any" if index >= len(places) and not place.endswith("*") else place.rstrip("*")


def _value(kind: str, word: Word) -> Iterator[Name]:
    """What the value of an option names."""
    if _told(word):
        yield from _of(kind, word)
        yield from _anywhere(word)


def _placed(form: Form, words: list[Word]) -> Iterator[Name]:
    """The words that are no option, by their places."""
    typed = 0
    for index, word in enumerate(words):
        kind = _place(form, words[: index + 1])
        if not _told(word):
            continue
        if kind == "typed" and "/" not in (word.text or ""):
            typed += 1
            kind = "any" if typed == 1 else "service"
        yield from _of(kind, word)
        if kind not in ("typed", "typed1"):
            yield from _anywhere(word)


def _of(kind: str, word: Word) -> Iterator[Name]:
    """What a word names that stands where a name of that kind does."""
    text = word.text or ""
    if kind == "host":
        bare = text.rpartition("@")[2].strip("[]")
        if _HOST.fullmatch(bare) and not bare.isdigit() and not _URL.match(text):
            yield Name(Kind.HOST, bare, word.span)
    elif kind == "target":
        host, colon, _ = text.partition(":")
        if colon and _HOST.fullmatch(host.rpartition("@")[2]) and len(host) > 1:
            yield Name(Kind.HOST, host.rpartition("@")[2], word.span)
    elif kind in ("service", "typed", "typed1"):
        bare = text.rpartition("/")[2] if kind != "service" else text
        if _SERVICE.fullmatch(bare) and not bare.isdigit():
            yield Name(Kind.SERVICE, bare, word.span)
    elif kind == "label":
        for pair in text.split(","):
            value = pair.rpartition("=")[2]
            if "=" in pair and _SERVICE.fullmatch(value):
                yield Name(Kind.SERVICE, value, word.span)


def _anywhere(word: Word) -> Iterator[Name]:
    """What a word names wherever it stands: the host of a URL, an address, a host's whole name, a path."""
    text = word.text or ""
    if url := _URL.search(text):
        yield Name(Kind.HOST, url[1].strip("[]"), word.span)
        return
    if _ADDRESS.fullmatch(text.partition(":")[0].rpartition("@")[2]):
        yield Name(Kind.HOST, text.partition(":")[0].rpartition("@")[2], word.span)
        return
    if (dotted := _DOTTED.fullmatch(text.partition(":")[0].rpartition("@")[2])) and dotted[1].lower() in _domains():
        yield Name(Kind.HOST, dotted[0], word.span)
    for path in _PATH.finditer(text):
        if path.start() == 0 or text[path.start() - 1] in "=:,@":
            yield Name(Kind.PATH, path[0].rstrip(".,:"), word.span)


def _told(word: Word) -> bool:
    return word.text is not None and UNKNOWN not in word.text and not _OWN.match(word.text)


def _knows(form: Form, option: str) -> bool:
    """Whether a command has an option: spelled out, a beginning of one, several letters in one word."""
    if option in form.known or option in _EVERYWHERE or _PLAIN_NUMBER.fullmatch(option) or _SIGNAL.fullmatch(option):
        return True
    if option.startswith("--"):
        return any(known.startswith(option) for known in form.known)
    for letter in option[1:]:
        if f"-{letter}" not in form.known:
            return not letter.isalpha()
        if f"-{letter}" in form.taking:
            return True
    return True
