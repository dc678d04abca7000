"""Files that a Windows script writes or fetches, and runs later: `certutil … a.exe & a.exe`, `echo … > x.bat & x`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guardrails.commands.outputs import fed, output, saved
from guardrails.commands.tree import Code, Command
from guardrails.interface import Shell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guardrails.commands.scope import Scope

_MARK = "\\"  # no name of a file holds it, so these keys meet none of bash's
_NETWORK = re.compile(r"https?://|ftp://|\\\\", re.IGNORECASE)
_SAVES = {
    "invoke-webrequest": ("-outfile", "-o", "-outf"),
    "invoke-restmethod": ("-outfile", "-o", "-outf"),
    "start-bitstransfer": ("-destination", "-dest", "-d"),
    "desktopimgdownldr": (),
    "certutil": (),
    "bitsadmin": (),
    "curl": (),
    "wget": (),
    ".downloadfile": (),
}
_WRITERS = frozenset({"set-content", "add-content", "out-file", "tee-object"})
_RUNNERS = frozenset({
    "powershell", "pwsh", "cscript", "wscript", "mshta", "regsvr32", "rundll32", "msiexec", "import-module", "control",
    "invoke-item", "installutil", "cmstp", "python", "start-process", "invoke-command", "add-appxpackage", "msbuild",
    "explorer",
})  # fmt: skip


def note(command: Command, scope: Scope) -> None:
    """Notes the files a command writes or fetches."""
    text = (output if command.argv else fed)(command) if command.redirects else None
    for redirect in command.redirects:
        if redirect.writes and redirect.target.text:
            _write(redirect.target.text, text, command, scope, appends=redirect.operator == ">>")
    name = command.name
    operands = [word.shape for word in command.argv[1:] if word.shape[:1] not in "-/"]
    if name in _WRITERS and operands:
        text = operands[1] if len(operands) > 1 else fed(command)
        _write(operands[0], text, command, scope, appends=name == "add-content")
    elif name in _SAVES and any(_NETWORK.search(one) for one in operands):
        for path in _saved(command, operands):
            _write(path, None, command, scope)


def held(command: Command, scope: Scope) -> list[Code]:
    """What a command runs that the script itself has written or fetched."""
    if command.name in _RUNNERS:
        found = [scope.files.get(_key(part)) for w in command.argv[1:] for part in w.shape.split(",")[:2] if part]
        content = next((one for one in found if one is not None), None)
    else:
        content = scope.files.get(_key(command.name))
    if content is None or f"file {command.name}" in command.wrappers:
        return []
    return [Code(content.text, f"file {command.name}", content.commands, shell=command.shell)]


def _key(path: str) -> str:
    base = path.strip("\"'").replace("/", "\\").rpartition("\\")[2].lower()
    return _MARK + (base.rpartition(".")[0] or base)


def _write(path: str, text: str | None, command: Command, scope: Scope, *, appends: bool = False) -> None:
    if _key(path) in (_MARK, f"{_MARK}nul", f"{_MARK}$null"):
        return
    if text is not None and command.shell is Shell.CMD:
        text = text.rstrip(" \r\n") + "\n"
    scope.write(_key(path), text, (command, *command.stdin), appends=appends)


def _saved(command: Command, operands: Sequence[str]) -> list[str]:
    options = _SAVES[command.name]
    words = [word.shape for word in command.argv]
    named = [words[at + 1] for at, word in enumerate(words[:-1]) if word.lower() in options]
    if named or options:
        return named
    if command.name in ("curl", "wget"):
        return saved(command)
    return [one for one in operands[-2:] if not _NETWORK.match(one)]
