"""Where in an answer commands stand, and where they end.

Everything here looks at a stretch of text and nothing else, so that what it says does not depend on how the text
arrived.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from importlib.resources import files

import yaml

from guardrails.interface import Shell
from guardrails.screens import Sign


class Language(Enum):
    """What stands in a fence."""

    SHELL = auto()  # every line is a command
    TRANSCRIPT = auto()  # commands and what they printed
    CODE = auto()  # commands stand in strings and values


_SHELLS = {
    **dict.fromkeys(("bash", "sh", "zsh", "ksh", "dash", "shell", "fish", "ash"), Shell.BASH),
    **dict.fromkeys(("powershell", "pwsh", "ps1", "ps", "posh"), Shell.POWERSHELL),
    **dict.fromkeys(("cmd", "bat", "batch", "dos", "batchfile"), Shell.CMD),
    **dict.fromkeys(
        ("sql", "mysql", "psql", "postgresql", "postgres", "plpgsql", "tsql", "sqlite", "plsql"), Shell.SQL
    ),
}
_TRANSCRIPTS = frozenset(
    {"", "console", "terminal", "shell-session", "shellsession", "sh-session", "bash-session", "session", "text", "txt"}
    | {"plain", "plaintext", "output", "log", "none", "command", "commands", "cli", "tty", "ansi", "diff"}
)


def language(label: str) -> tuple[Language, Shell]:
    """What a fence's label says; an unknown label is code, whose strings may hold commands."""
    name = label.lower().strip("{}. ")
    if name in _SHELLS:
        return Language.SHELL, _SHELLS[name]
    return (Language.TRANSCRIPT if name in _TRANSCRIPTS else Language.CODE), Shell.AUTO


# Markdown in front of a line's first word: quotes, bullets, numbers, emphasis.
DECORATION = r"[ \t]*(?:>[ \t]?)*(?:(?:[-*+•]|\(?\w{1,3}[.)])[ \t]+)?(?:\*{1,3}|_{1,3})?"

# What an interactive shell prints in front of a command, longest first.
PROMPT = (
    r"(?:"
    r"(?:\([\w.-]+\)[ \t]*)?\[?[\w.-]+@[\w.-]+[^$#%>\n]{0,60}[$#%>][ \t]+"  # user@host:~$
    r"|PS(?:[ \t]+[A-Za-z]:[^>\n]{0,80}|[ \t]*/[^>\n]{0,80})?>[ \t]*"  # PS C:\>
    r"|[A-Za-z]:\\[^>\n]{0,80}>[ \t]*"  # C:\>
    r"|(?:mysql|MariaDB[^>\n]{0,30}|sqlite|redis[\w.:-]*|\d[\d.]*:\d+(?:\[\d+\])?|mongo\w*|test)>[ \t]*"
    r"|[a-z_]\w*[=-][#>][ \t]+"  # postgres=#
    r"|[\w./~-]{0,20}[$%][ \t]+"
    r"|#[ \t]+"
    r")"
)
_PROMPTED = re.compile(rf"{DECORATION}{PROMPT}$")
_PROMPT_FIRST = re.compile(rf"[ \t]*{PROMPT}")
_BARE = re.compile(
    rf"{DECORATION}(?:{PROMPT}|(?:\*\*)?(?:command|cmd|run|execute|shell|bash|fix|solution|then"
    r"|step \d+)(?:\*\*)?:(?:\*\*)?[ \t]+)?$",
    re.IGNORECASE,
)
_SQL_PROMPT = re.compile(r"[ \t]*(?:mysql>|MariaDB|sqlite>|[a-z_]\w*[=-][#>])")


def prompt_end(line: str) -> int:
    """Length of the prompt that `line` begins with; 0 where there is none."""
    match = _PROMPT_FIRST.match(line)
    return match.end() if match else 0


_DECORATED = re.compile(DECORATION)


def undecorated(line: str) -> str:
    """`line` without the markup that it begins with."""
    match = _DECORATED.match(line)
    return line[match.end() :] if match else line


_LONE_CELL = re.compile(r"^[ \t>]*\|(?:[^\n]*\|)?[ \t]*[^\s|]*[ \t]*\|[ \t]*$|^[ \t>]*\|[ \t]*$")
_CELL = re.compile(r"(?:\\\||[^|\n])*")


def in_table(before: str) -> bool:
    """Whether `before`, a line up to some word, begins like a row of a table."""
    return before.lstrip(" \t>").startswith("|")


def cell_end(text: str) -> int:
    """Where the cell of a table that `text` begins in ends, if a single word stands in it; else the end of `text`."""
    cell = _CELL.match(text)
    return cell.end() if cell and cell.end() and len(cell[0].split()) == 1 else len(text)


def after_lone_cell(before: str) -> bool:
    """Whether `before` breaks off behind a cell of a table with no more than a word in it."""
    return _LONE_CELL.search(before) is not None


def as_celled(text: str, before: str) -> str:
    """`text` with the pipes that a table wants escaped as a shell reads them; as long as it was."""
    return text.replace("\\|", " |") if in_table(before) else text


def prompted(before: str) -> bool:
    """Whether `before`, a line up to some word, is a shell's prompt."""
    return _PROMPTED.match(before) is not None


def prompt_shell(before: str) -> Shell:
    """The shell whose prompt stands in `before`."""
    text = before.lstrip()
    if text.startswith("PS"):
        return Shell.POWERSHELL
    if re.match(r"[A-Za-z]:\\", text):
        return Shell.CMD
    return Shell.SQL if _SQL_PROMPT.match(before) else Shell.AUTO


def bare(before: str) -> bool:
    """Whether a word after `before`, a line up to it, is the line's first: nothing but markup or a prompt precedes."""
    return _BARE.match(before) is not None


# The end of a sentence or of a line, known only with the character behind the blank (never across a line end: what
# comes next may not have arrived).
SENTENCE_END = re.compile(r"\n|(?<=[^\s.])[.!?][\"'\u201d\u2019)\]*_`]*[ \t]+(?=[A-Z\"\u201c\u2018(*`])")
_SENTENCE_START = re.compile(r"(?:[.!?][\"'\u201d\u2019)\]*_`]*[ \t]+(?=[A-Z\"\u201c\u2018(*`])|\n)")


def sentence_before(before: str) -> str:
    """The part of `before` that belongs to the sentence it breaks off in."""
    start = 0
    for match in _SENTENCE_START.finditer(before):
        start = match.end()
    return before[start:]


# What a command has and a sentence has not: flags, paths, pipes, redirections, assignments, variables, globs.
EVIDENCE = Sign(
    r"(?:^|[\s'\"=])(?:-{1,2}[A-Za-z]|/[\w.*]|~/|\.{1,2}/|[A-Za-z]:\\)|\w/(?:[\s).,]|\z)|\w/[\w.-]+/|[|>$*;\\=]|&&|:[A-Za-z]\w*:|\{\w*,"
)

_WORDS: dict[str, str] = yaml.safe_load(files("guardrails").joinpath("english.yaml").read_text(encoding="utf-8"))
ENGLISH = frozenset(_WORDS["heads"].split())
"""Words that head commands and English sentences alike."""
FOLLOWERS = frozenset(_WORDS["followers"].split())
"""Words that, right behind such a word, make it a part of a sentence."""

_LEADS = re.compile(
    r"\b(?:run|execute|type|enter|issue|use|try|then|with|by)[ \t:]+|<[a-z]+>|\*\*|:[ \t]", re.IGNORECASE
)


_OPENING = re.compile(r"[\"'`\u201c\u2018(\[*_]+")


def command_before(before: str) -> str:
    """The part of `before`, a line up to a pipe or separator, that belongs to the command it stands in."""
    start = prompt_end(before)
    for match in _LEADS.finditer(before, start):
        start = match.end()
    quote = _OPENING.match(before, start)
    start = quote.end() if quote else start
    return before[start:]


_NOUN = re.compile(
    r"[ \t]+(?:commands?|utility|tool|program|binary|options?|flags?|scripts?|job|process|requests?|users?|window)\b",
    re.IGNORECASE,
)


_LONGEST_STATEMENT = 80
STATEMENT = re.compile(
    r"(?:DELETE[ \t]{1,4}FROM|DROP[ \t]{1,4}(?:TABLE|DATABASE|SCHEMA|INDEX|USER|ROLE|VIEW)"
    r"|(?:TRUNCATE|ALTER)[ \t]{1,4}TABLE)"
    r"[ \t]{1,4}\S|delete[ \t]{1,4}from[ \t]{1,4}[\w.\"`]{1,40}[ \t]{0,4}(?:;|where[ \t])"
)
"""SQL that no sentence begins with, for all that its words are English."""


def english(head: str, tail: str) -> bool:
    """Whether a head needs further evidence: an English word, written like one, or named as a command in a sentence."""
    if STATEMENT.match(head + tail[:_LONGEST_STATEMENT]):
        return False
    capitalised = head[:1].isupper() and head[1:].islower()
    return head.lower() in ENGLISH or capitalised or _NOUN.match(tail) is not None


VERBS = frozenset(_WORDS["verbs"].split())
"""Words that make any head before them a part of a sentence."""
KEYWORDS = re.compile(
    r"(?:for[ \t]+\w+[ \t]+in\b|for[ \t]*\(\(|while[ \t]+(?:true\b|:|read\b|!|\[|\(|sleep\b)"
    r"|if[ \t]+(?:\[|!|test\b|command\b|\()"
    r"|until[ \t]+(?:\[|!|false\b|\()|case[ \t]+[\"$]|function[ \t]+[\w-]+[ \t]*(?:\(\)|\{)"
    r"|export[ \t]+\w+=|do[ \t]+\w)"
)
KEYWORD_HEADS = frozenset({"for", "while", "if", "until", "case", "function", "export", "select"})
# What these begin is a command of its own, read as one.
TRANSPARENT = frozenset({"then", "do", "else", "time", "command", "builtin", "exec", "nice"})
# A sentence that holds a command, read as a shell would: the sentence's own punctuation becomes blanks, none moves.
_POSSESSIVE = re.compile(r"(?<=\w)['\u2019](?=\w)")
_PUNCTUATION = re.compile(r"(?<=[^\s.,!?])(?:[.,!?]|(?<!\s[A-Za-z]):)+(?=[\"'\u201d\u2019)\]*_]*(?:\s|$))")
_CLOSING = {'"': '"', "'": "'", "\u201c": "\u201d", "\u2018": "\u2019", "(": ")", "[": "]", "*": "*", "_": "_"}


_PARENTHESIS = re.compile(r"[()]")
_OPENED = re.compile(r"<([A-Za-z][\w.-]*)(?:\s[^<>]*)?>[^<>]*$")
_ARROW = re.compile(r"(?<=\s)[-=~]{1,2}>(?=\s)")
_SHELL = r"(?:sudo(?:[ \t]+-\w+)*[ \t]+)?(?:/\S*/)?(?:ba|z|da|k|a|fi)?sh"
_FED = re.compile(
    rf"(\|&?[ \t]*{_SHELL}(?:[ \t]+-\w*)*)"
    r"[ \t]+(?:and|to|then|now|on|in|as|again|for|or|with|which|before|after)\b[^|;&\n]*"
)
_ELEMENT = re.compile(
    r"</?(?:a|b|br|code|div|em|h[1-6]|i|kbd|li|ol|p|pre|samp|small|span|strong|sub|sup|t[dhrt]|u|ul|var)"
    r"(?:[ \t][^<>\n]*)?/?>",
    re.IGNORECASE,
)


def as_spoken(text: str, before: str) -> str:
    """`text`, which begins with a command in the middle of a sentence, without what belongs to the sentence.

    Args:
        text: From the command to the end of the sentence.
        before: The line up to the command; a bracket, quote or element that it opens ends the command.

    Returns:
        A text of the same length.
    """
    end = _closed(text, before)
    text = text[:end] + " " * (len(text) - end)
    if ">" in text:
        for pattern in (_ARROW, _ELEMENT):
            text = pattern.sub(_blanked, text)
    text = _POSSESSIVE.sub("_", text)
    text = _FED.sub(lambda match: match[1] + " " * (len(match[0]) - len(match[1])), text)
    return _PUNCTUATION.sub(_blanked, text)


def _blanked(match: re.Match[str]) -> str:
    return " " * len(match[0])


_CLAUSE = re.compile(r"[ \t](?:and|then|to|so|because|when|before|after|until|aus|und|et|y)\b")


def first_clause(text: str) -> str | None:
    """`text` up to where the sentence goes on after the command, as long as it was; None where it does not."""
    match = _CLAUSE.search(text)
    return text[: match.start()] + " " * (len(text) - match.start()) if match else None


def _closed(text: str, before: str) -> int:
    """Where what `before` has opened is closed in `text`; its length where nothing is."""
    opened = before[-1:]
    close = _CLOSING.get(opened)
    if close:
        close = close * 2 if opened in "*_" and before.endswith(opened * 2) else close
    elif _OPENED.search(before):
        close = "</"
    position = text.find(close) if close else -1
    if position < 0 and before.count("(") > before.count(")"):
        position = _unbalanced(text)
    return position if position >= 0 else len(text)


def _unbalanced(text: str) -> int:
    """The first closing parenthesis that `text` does not open; -1 where there is none."""
    depth = 0
    for match in _PARENTHESIS.finditer(text):
        depth += 1 if match[0] == "(" else -1
        if depth < 0:
            return match.start()
    return -1


_QUOTES = re.compile(
    r"\\.|'[^']*'|\"(?:\\.|[^\"\\])*\"|(?:(?<=\s)|^)#[^\n]*|<<-?[ \t]*(['\"]?)([A-Za-z_]\w*)\1|<<<|['\"]|[^\\'\"#<]+|.",
    re.DOTALL,
)
_OPENERS = re.compile(
    r"(?:^|[;|&\n(])[ \t]*(?:(?:then|do|else)[ \t]+)?(?:if|for|while|until|case|select)\b|(?:^|[;|&\n)\s])\{(?=\s)"
)
_CLOSERS = re.compile(r"(?:^|[;|&\n])[ \t]*(?:fi|done|esac|\})(?![\w-])")
_BLOCK_END = re.compile(r"\b(?:fi|done|esac)\b|\}")
_TRAILING = re.compile(r"(?:\||&&)[ \t]*\n?$")
_CONTINUED = re.compile(r"(?<!\\)(?:\\\\)*\\[ \t]*\r?\n?$")
_ANYTHING = re.compile(r"")


def waits_for(text: str, *, prose: bool) -> re.Pattern[str] | None:
    """What a shell would wait for after `text`; None where it is complete.

    Open are quotes, heredocs, blocks, a backslash, pipe or `&&` at the end.

    Args:
        text: One or more whole lines.
        prose: Whether an apostrophe inside a word is one, and no opening quote.

    Returns:
        A pattern without which no further line can complete it.
    """
    if prose:
        text = _POSSESSIVE.sub("_", text)
    code: list[str] = []
    position, end = 0, len(text)
    while position < end:
        match = _QUOTES.match(text, position)
        if match is None:
            break
        piece = match[0]
        position = match.end()
        if piece in ("'", '"'):
            return re.compile(piece)
        if match[2]:
            close = re.compile(rf"^[ \t]*{re.escape(match[2])}[ \t\r]*$", re.MULTILINE)
            line_end = text.find("\n", position)
            body = close.search(text, line_end + 1) if line_end >= 0 else None
            if body is None:
                return close
            code.append(text[position : line_end + 1])
            position = body.end()
        elif piece[0] != "#":
            code.append("_" if piece[0] in "'\"\\" else piece)
    read = "".join(code)
    if _CONTINUED.search(text) or _TRAILING.search(read):
        return _ANYTHING
    return _BLOCK_END if len(_OPENERS.findall(read)) > len(_CLOSERS.findall(read)) else None


_CODE_TOKEN = re.compile(
    r"\"\"\"(?:\\.|(?!\"\"\").)*\"\"\"|'''(?:\\.|(?!''').)*'''|\"\"\"|'''"
    r"|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|[(\[{]|[)\]}]|(?:#|//)[^\n]*",
    re.DOTALL,
)
_CODE_CLOSE = re.compile(r"[)\]}]")


_VECTOR = re.compile(
    r"^[ \t]*(?:-[ \t]+)?[\"']?(?:command|cmd|args?|argv|arguments|entrypoint|exec|run|script)[\"']?[ \t]*:[ \t\r]*$",
    re.MULTILINE | re.IGNORECASE,
)
_LAST_ITEM = re.compile(r"^[ \t]*-[ \t]+[^\n]*\n?\Z", re.MULTILINE)
_NO_ITEM = re.compile(r"^(?![ \t]*-[ \t])")


def waits_in_code(text: str) -> re.Pattern[str] | None:
    """What a program's logical line waits for after `text`: a long string's end, a closing bracket, a list's next item.

    Returns:
        A pattern without which no further line can complete it; None where it is complete.
    """
    depth = 0
    for match in _CODE_TOKEN.finditer(text):
        mark = match[0]
        if mark in ('"""', "'''"):
            return re.compile(re.escape(mark))
        if mark in "([{":
            depth += 1
        elif mark in ")]}":
            depth -= 1
    if depth > 0:
        return _CODE_CLOSE
    vector = _VECTOR.search(text)
    if vector is None:
        return None
    if not text[vector.end() :].strip():
        return _ANYTHING
    return _NO_ITEM if _LAST_ITEM.search(text) else None
