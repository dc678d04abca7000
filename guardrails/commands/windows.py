"""What runs other commands on Windows: its shells, `start`, `schtasks /tr`, `wmic process call create`, `.Run("…")`."""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from guardrails.commands.outputs import fed
from guardrails.commands.tree import UNKNOWN, Code, Command, Tail, sources
from guardrails.interface import Shell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from guardrails.commands.tree import Word

    Unwrap = Callable[[Command], list[Tail | Code]]

_DATA = yaml.load(Path(__file__).with_name("windows.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader)
_VALUED = frozenset(_DATA["powershell_values"].split())
_SETTLING = frozenset(_DATA["settling"].split())
_DASHES = "-/\u2013\u2014\u2015"
_SPECIAL = re.compile(r"[\s&|<>^()]")
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]{8,}")
_FILE = re.compile(r"@(?:path|file|fname|relpath)", re.IGNORECASE)
_DELETES = re.compile(r"\b(?:del|erase)(?=\s)", re.IGNORECASE)
_LINE = re.compile(r"(?:command|commandline|cmdline)\s*=\s*([^;}]+)", re.IGNORECASE)


def _line(words: Sequence[Word]) -> str:
    """Words as one command line: what a single one holds is a line already."""
    if len(words) == 1:
        return words[0].shape
    return " ".join(f'"{w.shape}"' if _SPECIAL.search(w.shape) and '"' not in w.shape else w.shape for w in words)


def _code(words: Sequence[Word], command: Command, shell: Shell, text: str | None = None) -> list[Tail | Code]:
    """Source made of words, or `text`; not known where its beginning is not."""
    commands = tuple(c for w in words for c in w.commands)
    text = text if text is not None else _line(words)
    if not text.strip() or text.lstrip().startswith(UNKNOWN):
        return [Code(None, command.name, commands or command.stdin, shell=shell)]
    unknown = "%_unknown%" if shell is Shell.CMD else "$_unknown"
    return [Code(text.replace(UNKNOWN, unknown), command.name, commands, shell=shell)]


def _read(command: Command, shell: Shell) -> list[Tail | Code]:
    """What a shell reads on its standard input."""
    if not command.stdin and not any(r.operator in ("<<", "<<<") for r in command.redirects):
        return []
    return [Code(fed(command), command.name, command.stdin, shell=shell)]


def _powershell(command: Command) -> list[Tail | Code]:
    argv, at = command.argv, 1
    while at < len(argv):
        shape = argv[at].shape.lower()
        flag, colon, attached = shape.partition(":") if shape[:1] in _DASHES else (shape, "", "")
        flag = "-" + flag.lstrip(_DASHES) if flag[:1] in _DASHES else flag
        rest = list(argv[at + 1 :])
        if colon and attached:
            rest.insert(0, argv[at]._replace(shape=argv[at].shape.partition(":")[2]))
        if flag != "-" and ("-encodedcommand".startswith(flag) or flag == "-ec"):
            return [Code(_decoded(rest[0].shape) if rest else None, command.name, shell=Shell.POWERSHELL)]
        if (flag.startswith("-c") and "-command".startswith(flag)) or flag == "-commandwithargs":
            return _script(rest, command)
        if flag.startswith("-f") and "-file".startswith(flag):
            return _read(command, Shell.POWERSHELL) if rest and rest[0].shape == "-" else []
        if not flag.startswith("-"):
            return _script(list(argv[at:]), command)
        if flag == "-":
            break
        at += 2 if flag in _VALUED and not colon else 1
    return _read(command, Shell.POWERSHELL)


def _script(words: list[Word], command: Command) -> list[Tail | Code]:
    if not words or words[0].shape == "-":
        return _read(command, Shell.POWERSHELL)
    text = " ".join(w.shape for w in words)
    if command.shell is Shell.POWERSHELL and text.startswith("{"):
        return []  # a block, which is read where it stands
    if len(words) == 1 and len(text) > 15 and _BASE64.fullmatch(text) and (decoded := _decoded(text)):
        return [Code(decoded, command.name, shell=Shell.POWERSHELL)]
    if text.startswith("{") and text.rstrip().endswith("}"):
        text = text.strip()[1:-1]
    return _code(words, command, Shell.POWERSHELL, text)


def _decoded(text: str) -> str | None:
    """What `-EncodedCommand` holds: UTF-16 in base64."""
    text = "".join(text.split()).strip("'\"")
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        return data[: len(data) & ~1].decode("utf-16-le")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None


def _cmd(command: Command) -> list[Tail | Code]:
    for at, word in enumerate(command.argv[1:], 1):
        shape = word.shape.lower()
        rest = command.argv[at + 1 :]
        if shape in ("/c", "/k", "/r", "-c", "//c"):
            return _code(rest, command, Shell.CMD, " ".join(w.shape for w in rest)) if rest else []
        if shape.startswith(("/c", "/k", "/r")) and len(shape) > 2:
            words = [word._replace(shape=word.shape[2:]), *rest]
            return _code(words, command, Shell.CMD, " ".join(w.shape for w in words))
    return _read(command, Shell.CMD)


def _expression(command: Command) -> list[Tail | Code]:
    words = [w for w in command.argv[1:] if not w.shape.lower().startswith("-c")]
    if any(w.text in _SETTLING for one in sources(command) for w in one.argv[1:]):
        return []
    if not words:
        return _read(command, Shell.POWERSHELL)
    return _code(words, command, Shell.POWERSHELL, " ".join(w.shape for w in words))


def _process(command: Command) -> list[Tail | Code]:
    """`Start-Process FILE [-ArgumentList …]` and cmdlets that are built alike."""
    words = command.argv[1:]
    file: list[Word] = []
    arguments: list[Word] = []
    rest: list[Word] = []
    into: list[Word] | None = None
    left = 0
    for word in words:
        name, _, attached = word.shape.lower().partition(":")
        kind = next((_PARAMETERS[one] for one in _PARAMETERS if len(name) > 2 and one.startswith(name)), None)
        if kind is not None and word.shape[:1] == "-":
            into = {"file": file, "arguments": arguments}.get(kind)
            left = 1 if kind == "value" else 0
            if attached and into is not None:
                into.append(word._replace(shape=word.shape.partition(":")[2]))
        elif left:
            left = 0
        elif into is not None:
            into.append(word)
            into = arguments if into is arguments else None
        else:
            rest.append(word)
    line = [*file, *rest[: 0 if file else 1], *arguments, *rest[0 if file else 1 :]]
    text = " ".join(f'"{w.shape}"' if at == 0 and " " in w.shape else w.shape for at, w in enumerate(line))
    return _code(line, command, Shell.CMD, text) if line else []


def _spoken(command: Command) -> list[Tail | Code]:
    """Code in the value of an option, such as `schtasks /tr CODE`."""
    for at, word in enumerate(command.argv[1:], 1):
        shape = word.shape.lower()
        for option in _CODE[command.name].split():
            if shape == option and at + 1 < len(command.argv):
                return _code(command.argv[at + 1 : at + 2], command, Shell.CMD)
            if shape.startswith(option) and len(shape) > len(option):
                return _code([word], command, Shell.CMD, word.shape[len(option) :].lstrip(":="))
    return []


def _each(command: Command) -> list[Tail | Code]:
    """`forfiles /p FOLDER /m MASK /c CODE`, in which `@path` stands for each file."""
    words = [w.shape for w in command.argv]
    named = {one.lower(): words[at + 1] for at, one in enumerate(words[:-1])}
    code = named.get("/c")
    if code is None:
        return []
    path = f"{named.get('/p', '.')}\\{named.get('/m', '*')}"
    text = _FILE.sub(lambda _found: path, code)
    if any(w.lower() == "/s" for w in words):  # it comes through every folder below, as `del /s` does
        text = _DELETES.sub(r"\g<0> /s", text)
    return _code([], command, Shell.CMD, text)


def _tail(command: Command) -> list[Tail | Code]:
    """`psexec [options] COMMAND…`."""
    valued, at = _TAILS[command.name].split(), 1
    operands = next((int(one) for one in valued if one.isdigit()), 0)
    argv = command.argv
    while at < len(argv):
        shape = argv[at].shape.lower()
        if shape in valued:
            at += 2
        elif (shape[:1] in "-/" and len(shape) > 1 and shape != "--") or shape.startswith("\\\\") or not shape:
            at += 1
        elif operands:
            operands, at = operands - 1, at + 1
        else:
            break
    return _code(argv[at:], command, Shell.CMD) if at < len(argv) else []


def _created(command: Command) -> list[Tail | Code]:
    """`wmic process call create CODE`, `Invoke-CimMethod … Create @{CommandLine=CODE}`, `.Create(CODE)`."""
    text = " ".join(w.shape for w in command.argv[1:])
    if "create" not in text.lower() and command.name != ".create":
        return []
    named = _LINE.search(text)
    if named:
        return _code([], command, Shell.CMD, named[1].strip())
    if command.name in ("wmic", ".create"):
        at = next((i for i, w in enumerate(command.argv) if w.shape.lower() in ("create", ".create")), 0) + 1
        return _code(command.argv[at : at + 1], command, Shell.CMD) if at < len(command.argv) else []
    at = next((i for i, w in enumerate(command.argv) if w.shape.lower().startswith("-arg")), 0)
    return _code(command.argv[at + 1 : at + 2], command, Shell.CMD) if at else []


def _method(command: Command) -> list[Tail | Code]:
    """`$shell.Run("…")`, `[Diagnostics.Process]::Start("cmd", "/c …")`; unknown, it may be any object's."""
    words = command.argv[1:3] if command.name.startswith(("[", ".shell")) else command.argv[1:2]
    if not words or words[0].text is None or (len(words) < 2 and not words[0].text.strip()):
        return []
    return _code(words, command, Shell.CMD, " ".join(w.shape for w in words if w.shape != "runas"))


def _scripted(command: Command) -> list[Tail | Code]:
    """`$executionContext.InvokeCommand.InvokeScript("…")`, `[powershell]::Create().AddScript("…")`."""
    return _code(command.argv[1:2], command, Shell.POWERSHELL) if len(command.argv) > 1 else []


def _linux(command: Command) -> list[Tail | Code]:
    argv, at = command.argv, 1
    while at < len(argv):
        shape = argv[at].shape
        if shape in ("-d", "--distribution", "-u", "--user", "--cd"):
            at += 2
        elif shape in ("-e", "--exec", "--"):
            at += 1
            break
        elif shape.startswith("-"):
            return []
        else:
            break
    words = argv[at:]
    return _code(words, command, Shell.BASH, " ".join(w.shape for w in words)) if words else []


_PARAMETERS: dict[str, str] = {
    f"-{name}": kind for kind, listed in _DATA["process_parameters"].items() for name in listed.split()
}
_CODE: dict[str, str] = _DATA["code"]
_TAILS: dict[str, str] = _DATA["tails"]
HANDS: dict[str, Unwrap] = {
    **dict.fromkeys(("powershell", "powershell.exe", "pwsh", "pwsh.exe", "powershell_ise"), _powershell),
    **dict.fromkeys(("cmd", "cmd.exe"), _cmd),
    **dict.fromkeys(("wsl", "wsl.exe"), _linux),
    "invoke-expression": _expression,
    **dict.fromkeys(_DATA["processes"].split(), _process),
    **dict.fromkeys(_CODE, _spoken),
    "forfiles": _each,
    **dict.fromkeys(_TAILS, _tail),
    **dict.fromkeys(_DATA["creators"].split(), _created),
    **dict.fromkeys(_DATA["methods"].split(), _method),
    **dict.fromkeys(_DATA["scripts"].split(), _scripted),
}
"""What each of them runs, by name."""
ANYWHERE = frozenset({"powershell", "powershell.exe", "pwsh", "pwsh.exe", "cmd", "cmd.exe", "wsl", "wsl.exe"})
"""Those that are called from bash, too."""
SPOKEN = frozenset(_DATA["spoken"].split())
"""Those that are words of English, so that they begin no command in the middle of a sentence."""
