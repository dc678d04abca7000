"""Evidence that a value is, or carries, a command: what ordinary text in a bound variable never holds.

A lone `;`, `|`, `&` or line end is no evidence: 18 % of harmless runbook lines have one. It becomes evidence by what
stands behind it. Forms that only a shell, a template engine or an interpreter gives a meaning to are evidence alone.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from guardrails.checks.shape import COMMANDS, Arguments, Head, Kind, arguments, called, head

_DRIVE = re.compile(r"[A-Za-z]:\\|%\w+%|\\\\")
_LONGEST_BARE = 64
_MOST_PLAIN = 5  # words behind a name that may all be arguments
_FEW_PLAIN = 2
_PREFIXES = frozenset(
    {"command", "time", "timeout", "nice", "exec", "eval", "builtin", "watch", "script", "start", "call", "env"}
)
_FILTERS = frozenset({"uniq", "sum", "grep", "jq", "fmt"})
_RECON = frozenset({"whoami", "ifconfig", "ipconfig", "netstat", "systeminfo", "tasklist"})


class Evidence(NamedTuple):
    """One sign of a command, with its half-open offsets in the text looked at.

    Attributes:
        rule: Rule identifier, `pack.name`.
        reason: What it is, to be read after "carries".
    """

    start: int
    end: int
    rule: str
    reason: str


_CERTAIN = re.compile(
    r"(?P<substitution>\$\(|\$\{?IFS\b|[A-Za-z]\$[@*]|\$[@*][A-Za-z]|\$'[^']{0,200}\\|[<>]\(\s*[a-z]+ [^)]{0,200}\)"
    r"|\$\{[A-Za-z_]\w*(?:[#%/@!^,]|:[-=?+0-9~ ])[^}\n]{0,200}\}|\$\{[@!#*]|%\w+:~-?\d|!\w+:~-?\d)"
    r"|(?P<shellshock>\(\)\s{0,9}\{[^}]{0,200}\}?\s{0,9};)"
    r"|(?P<template>\{\s*\$\{|\$\{\s*(?:jndi|env|sys|java|lower|upper|date|script|dns|url)\s*:"
    r"|[$#*@]\{[^}\n(*'\[]{0,200}[(*'\[][^}\n]{0,200}\}"
    r"|\{\{(?=[^}]{0,200}(?:[(\[|]|__|\d\s*[-+*/]\s*'?\d|\b(?:config|self|request|constructor)\b))"
    r"(?!\s*[$.]\w+[\w.]*(?:\s*\|\s*\w+)?\s*\}\})"
    r"|\{%[-+]?\s*\w+|<%[=@!-]?|<\?(?:php|=|\s)|<!--\#\s*\w+|\[\[\$\{)"
    r"|(?P<call>\b(?:system|exec|shell_exec|passthru|popen|proc_open|pcntl_exec|eval|assert|call_user_func|execl[pe]?"
    r"|create_function|execv[pe]?|spawn|execSync|spawnSync)\s?\(\s*(?:['\"`$]|\w+\s*[.(\[]|_)"
    r"|\bphpinfo\s*\(\s*\)|\b(?:os|commands|subprocess|child_process|popen2)\.(?:system|popen|exec\w*|spawn\w*|run|call"
    r"|check_\w+|Popen|getoutput)\s*\(|__import__\s*\(|\brequire\s*\(\s*['\"]child_process|Runtime\.getRuntime"
    r"|\bProcessBuilder\s*\(|Process\.Start\s*\(|\bKernel\.\w+\s*\(?['\"`]|%x[{(\[]|\bT\(\s*java\.)"
    r"|(?P<powershell>\b(?:iex|invoke-expression)\b\s*[(\"'$&]|\bNet\.WebClient\b|\.DownloadString\b"
    r"|(?<![\w-])-e(?:nc?|ncodedcommand)?\s+[A-Za-z0-9+/]{16,})"
    r"|(?P<control>\\(?:033|x1b|u001b)|%1b|&#(?:27|x1b);)"
    r"|(?P<network>/dev/(?:tcp|udp)/)"
    r"|(?P<redirect>(?<![=-])(?:\d?>{1,2}\s*(?:/(?:etc|dev|tmp|var|root|home|usr|proc|opt|srv|bin|www)\b|~/|\.\.?/"
    r"|[A-Za-z]:\\|&\d)|<\s*/(?:etc|dev|var|root|home|proc)/|<<-?\s*['\"]?[A-Z]{2,}\b|<<<)|[;&|]\s*\.\s+[~/.])",
    re.IGNORECASE,
)
_REASONS = {
    "substitution": "a shell's substitution",
    "shellshock": "a shell function definition",
    "template": "an expression for a template engine",
    "call": "a call into an interpreter",
    "powershell": "a PowerShell expression",
    "control": "an encoded control character",
    "network": "a shell's network device",
    "redirect": "a redirection",
}
_STATEMENT = re.compile(
    r"\bxp_cmdshell\b|\binto\s+(?:out|dump)file\b|\bto\s+program\s+'"
    r"|(?:;|^)\s*(?:(?:drop|truncate|alter)\s+(?:table|database|schema|user|role|index|view)\b|delete\s+from\s|insert\s+into\s"
    r"|update\s+\w+\s+set\s+\w+\s*=|exec(?:ute)?\s+(?:master|sp_|xp_|immediate)|shutdown\s*(?:;|--|with\b)|grant\s+\w+\s+on\s)",
    re.IGNORECASE,
)
_TAUTOLOGY = re.compile(
    r"\bunion\s+(?:all\s+)?select\b|'\s*(?:or|and)\s+'?\w+'?\s*(?:=|like)\s*'?\w|'\s*(?:;\s*)?--\s*$", re.IGNORECASE
)
_BACKTICK = re.compile(r"`([^`\n]{0,500})`")
_BRACES = re.compile(r"\{([\w./-]+)((?:,[^\s,{}]+)+)\}")
_OPERATOR = re.compile(r"\|\||&&|\|&|[;|\n]|(?<![<>])&|\\n|`")
_LEAD = re.compile(
    r"(?:[ \t({!@\"']|\\n|&(?![\w#])|[A-Za-z_]\w*=\S*[ \t]"
    r"|(?:then|do|else|if|while|until)[ \t]+(?=\S))*"
)
_WORD = re.compile(r"[^\s;|&<>(){}]{1,200}(?:\(\)[^\s;|&<>(){}]{0,200})?")
_SEGMENT = re.compile(r"(?:[^;|&\n`]|(?<=[<>])&|&(?=\w+=)){0,400}")
_BARE = re.compile(r"[\s;|&]*(?:\\n)?[\s;|&]*[;|&][\s;|&\"')]*")
_LEADING = re.compile(r"['\")\]}]*\s*(?:[;|&]+|\|\||&&)\s*(?:['\"(]*[a-z/\\.~%]{2}|[a-z]\b|[$`<'\"({])")


def carried(text: str, tolerant: frozenset[str] = frozenset(), *, query: bool = False) -> Evidence | None:
    """The first evidence of a command in `text`, a view of a whole value.

    Args:
        text: The value as one view shows it.
        tolerant: Operators that the value's type gives a meaning of its own; a lone name behind one is no evidence.
        query: Whether statements and filters of a query language are what the value is for.
    """
    certain = _CERTAIN.search(text)
    if certain:
        kind = certain.lastgroup or "substitution"
        return Evidence(certain.start(), len(text.rstrip()), f"value.{kind}", _REASONS[kind])
    statement = _STATEMENT.search(text) or (None if query else _TAUTOLOGY.search(text))
    if statement:
        return Evidence(statement.start(), len(text.rstrip()), "value.statement", "an SQL statement")
    for braces in _BRACES.finditer(text):
        found = head(braces[1])
        if found and (found.kind is not Kind.WORD or braces[2][1] in "/-~."):
            return Evidence(*braces.span(), "value.command", f"the command {found.name!r} in a brace expansion")
    for quoted in _BACKTICK.finditer(text):
        inner = _LEAD.sub("", quoted[1], count=1).split(maxsplit=1)
        if inner and head(inner[0]):
            return Evidence(*quoted.span(), "value.substitution", "a command in backticks")
    return _chained(text, tolerant, query=query) or _whole(text)


def alone(text: str, *, hidden: bool) -> Evidence | None:
    """Evidence in a view with an encoding taken off: a bare name, mere separators, or text that nobody was to see."""
    bare = text.strip()
    if hidden and bare:
        return Evidence(0, len(text), "value.hidden", "text in invisible characters")
    if bare.lower() in COMMANDS and len(bare) > 1:
        return Evidence(0, len(text), "value.command", f"the command {bare.lower()!r}")
    if not bare and text:
        return Evidence(0, len(text), "value.control", "nothing but control characters")
    return None


def _chained(text: str, tolerant: frozenset[str], *, query: bool) -> Evidence | None:
    stripped = text.strip()
    if stripped and len(stripped) < _LONGEST_BARE and _BARE.fullmatch(stripped):
        return Evidence(0, len(text), "value.chaining", f"nothing but {stripped!r}")
    if not tolerant and _LEADING.match(stripped) and not stripped.startswith((";)", ";-)", ";D")):
        start = len(text) - len(text.lstrip())
        reason = f"{stripped[:2].strip()!r} where a command ends"
        return Evidence(start, len(text.rstrip()), "value.chaining", reason)
    past = 0
    for sign in _OPERATOR.finditer(text):
        if sign.start() < past:
            continue  # inside what leads from an operator before to its command
        lead = _LEAD.match(text, sign.end())
        past = lead.end() if lead else sign.end()
        link = _link(text, sign, past)
        if link and _follows(link, tolerant, query=query):
            shown = link.sign.replace("\n", "a line end")
            return Evidence(
                sign.start(), len(text.rstrip()), "value.chaining", f"{shown!r} and the command {link.head.name!r}"
            )
    return None


class _Link(NamedTuple):
    """An operator and the command name behind it."""

    sign: str
    before: str
    tight: bool  # no space between the two
    head: Head
    rest: str


def _link(text: str, sign: re.Match[str], at: int) -> _Link | None:
    word = _WORD.match(text, at)
    if word is None or text[word.end() : word.end() + 1] == "(":
        return None  # a function of a query language
    found = head(word.group())
    if found is None:
        return None
    segment = _SEGMENT.match(text, word.end())
    before = text[max(0, sign.start() - 400) : sign.start()].rstrip(" \"')")
    tight = text[sign.end() : sign.end() + 1] not in (" ", "\t")
    rest = segment.group() if segment else ""
    if _quoted(before):  # what stands behind the matcher's closing quote is no argument
        rest = "" if '"' in word.group() else rest.partition('"')[0]
    return _Link(sign.group(), before, tight, found, rest)


def _follows(link: _Link, tolerant: frozenset[str], *, query: bool) -> bool:
    """Whether the name behind an operator, with the rest of its segment, is a command and not a phrase."""
    found = link.head
    words = link.rest.split()
    given = arguments(words, link.rest)
    if query and link.sign == "|" and (found.kind is Kind.WORD or found.name in _FILTERS) and not given.sensitive:
        return False  # `| sort -count`, `| head 10`: the filters of query languages have the names of commands
    own = link.sign in tolerant and (link.tight or found.kind is Kind.WORD)
    if any(word.strip("\"')}]/#,.") for word in words):
        if called(found, given):
            return _cased(found, strong=given.strong)
        # `; net view`: words only, and none that a sentence would have.
        return not own and not given.sentence and _worded(link, words, given)
    return (query and "/" in found.written and not _quoted(link.before)) or (not own and _bare(link))


def _worded(link: _Link, words: list[str], given: Arguments) -> bool:
    """Whether a name with mere words behind it is a command: `; net view`, `;eval id`, `; nice whoami`."""
    found = link.head
    if found.kind is Kind.CMDLET:
        return given.plain <= _MOST_PLAIN
    if not found.written.islower() or given.plain > _MOST_PLAIN:
        return False
    if found.kind is Kind.NAME:
        return True
    if found.name in _PREFIXES and any((inner := head(word)) and inner.kind is Kind.NAME for word in words[:3]):
        return True
    return link.tight and link.sign in (";", "&&", "||") and given.plain <= _FEW_PLAIN


def _cased(found: Head, *, strong: bool) -> bool:
    return found.written[:1].islower() or found.kind is not Kind.WORD or strong or found.written.isupper()


def _quoted(before: str) -> bool:
    return before.count('"') % 2 == 1 and "~" in before


def _bare(link: _Link) -> bool:
    """Whether a name with nothing behind it is a command: `a;id` is, `memory | swap` is not."""
    found, sign = link.head, link.sign
    if found.split or found.kind in (Kind.PATH, Kind.VARIABLE):
        return True
    if "|" in sign and _quoted(link.before):
        return False  # an alternation inside a matcher
    if not link.before or sign in ("&&", "||", "|&") or found.kind is Kind.CMDLET:
        return True
    lower = found.written.strip("\"'").islower()
    return lower and (found.kind is Kind.NAME or (link.tight and sign in (";", "`", "\\n")))


def _whole(text: str) -> Evidence | None:
    """A value that is a command from its first word on."""
    lead = _LEAD.match(text)
    at = lead.end() if lead else 0
    word = _WORD.match(text, at)
    found = head(word.group()) if word and text[word.end() : word.end() + 1] != "(" else None
    if word is None or found is None:
        return None
    segment = _SEGMENT.match(text, word.end())
    rest = segment.group() if segment else ""
    words = rest.split()
    if words:
        given = arguments(words, rest)
        # A sentence begins with a capital letter; DOS shouts or names a drive.
        loud = _DRIVE.search(rest) is not None or (given.strong and found.kind is not Kind.WORD)
        certain = called(found, given) and (found.written.islower() or loud)
    else:
        certain = found.split or found.name in _RECON
    if not certain:
        return None
    return Evidence(at, len(text.rstrip()), "value.command", f"the command {found.name!r}")
