"""Windows' shells called from any shell: `powershell -enc …`, `pwsh -c …`, `cmd /c …`."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from guardrails.commands.tree import UNKNOWN, Code, Command, Tail
from guardrails.interface import Shell

if TYPE_CHECKING:
    from guardrails.commands.tree import Word

_VALUED = frozenset(
    {"-executionpolicy", "-ep", "-ex", "-exec", "-windowstyle", "-w", "-version", "-inputformat", "-configurationname"}
)
_POWERSHELLS = frozenset({"powershell", "powershell.exe", "pwsh", "pwsh.exe"})
_CMDS = frozenset({"cmd", "cmd.exe", "%comspec%"})
WINDOWS = _POWERSHELLS | _CMDS | {"invoke-expression", "start-process", "wsl", "wsl.exe", "forfiles"}


def handed_over(command: Command) -> list[Tail | Code]:
    """The code a Windows shell is handed."""
    name = command.name
    if name in _POWERSHELLS:
        return _powershell(command)
    if name in _CMDS or name == "forfiles":
        return _cmd(command)
    if name == "invoke-expression":
        words = [w for w in command.argv[1:] if not w.shape.lower().startswith("-c")]
        return [_code(words, command, Shell.POWERSHELL)] if words or command.stdin else []
    if name == "start-process":
        words = [
            w for w in command.argv[1:] if not w.shape.startswith("-") and w.shape.lower() not in ("runas", "hidden")
        ]
        return (
            [Tail((words[0]._replace(text=words[0].text and words[0].text.lower()), *words[1:]), name)] if words else []
        )
    words = [w for w in command.argv[1:] if w.shape not in ("--exec", "-e", "--", "-u", "root")]
    return [_code(words, command, Shell.BASH)] if words else []


def _code(words: list[Word], command: Command, shell: Shell) -> Code:
    commands = tuple(c for w in words for c in w.commands)
    text = " ".join(w.shape for w in words)
    if not text or text.lstrip().startswith(UNKNOWN) or text.lstrip()[:1] == "(":
        return Code(None, command.name, commands or command.stdin, shell=shell)
    return Code(text.replace(UNKNOWN, "$_unknown"), command.name, commands, shell=shell)


def _powershell(command: Command) -> list[Tail | Code]:
    argv, at = command.argv, 1
    while at < len(argv):
        shape = argv[at].shape.lower()
        flag = "-" + shape[1:] if shape[:1] in "-/\u2013\u2014" else shape
        if (flag.startswith("-e") and "-encodedcommand".startswith(flag)) or flag == "-ec":
            text = _decoded(argv[at + 1].shape) if at + 1 < len(argv) else None
            return [Code(text, command.name, shell=Shell.POWERSHELL)]
        if flag.startswith("-c") and "-command".startswith(flag):
            return [_code(list(argv[at + 1 :]), command, Shell.POWERSHELL)] if at + 1 < len(argv) else []
        if flag.startswith("-f") and "-file".startswith(flag):
            return []
        if not flag.startswith("-"):
            return [_code(list(argv[at:]), command, Shell.POWERSHELL)]
        at += 2 if flag in _VALUED else 1
    return []


def _decoded(text: str) -> str | None:
    """What `-EncodedCommand` holds: UTF-16 in base64."""
    try:
        return base64.b64decode(text.strip("'\""), validate=True).decode("utf-16-le")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None


def _cmd(command: Command) -> list[Tail | Code]:
    for at, word in enumerate(command.argv[1:], 1):
        shape = word.shape.lower()
        if shape in ("/c", "/k", "/r", "-c"):
            return [_code(list(command.argv[at + 1 :]), command, Shell.CMD)] if at + 1 < len(command.argv) else []
        if shape.startswith(("/c", "/k")) and len(shape) > 2 and command.name != "forfiles":
            return [_code([word._replace(shape=word.shape[2:]), *command.argv[at + 1 :]], command, Shell.CMD)]
    return []
