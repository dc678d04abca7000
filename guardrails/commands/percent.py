"""cmd.exe's variables: `%NAME%`, `%NAME:~1,3%`, `%NAME:old=new%`, `!NAME!`, a loop's `%i` and a batch file's `%1`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guardrails.commands.tree import UNKNOWN

if TYPE_CHECKING:
    from guardrails.commands.scope import Scope

_LONGEST = 8191  # characters of a line, cmd.exe's own limit
_SHAPE = (
    r"(?P<name>[^%!:=\s^&|<>\"]+)"
    r"(?::~(?P<start>-?\d+)?(?:,(?P<length>-?\d+))?|:(?P<old>[^%!=]+)=(?P<new>[^%!]*))?"
)
_PERCENT = re.compile(rf"%%|%(?:{_SHAPE})%|%~?[a-zA-Z$:]*(?P<given>[0-9*])", re.IGNORECASE)
_DELAYED = re.compile(rf"!(?:{_SHAPE})!", re.IGNORECASE)
_LOOP = re.compile(r"%{1,2}(?P<how>~[fdpnxsatz]*(?:\$\w+:)?)?(?P<name>[A-Za-z#$@])(?![\w%])|%{1,2}(?P<only>[A-Za-z])")
# Variables that stand for places the target table knows.
_KEPT = frozenset({
    "systemroot", "windir", "systemdrive", "userprofile", "programfiles", "programdata", "temp", "tmp", "homedrive",
    "appdata", "localappdata", "public", "allusersprofile", "homepath", "programfiles(x86)", "onedrive",
})  # fmt: skip
# What is the same on nearly every Windows: obfuscation cuts the letters of commands out of them.
_USUAL = {
    "comspec": r"C:\WINDOWS\system32\cmd.exe",
    "systemroot": r"C:\WINDOWS",
    "windir": r"C:\WINDOWS",
    "systemdrive": "C:",
    "homedrive": "C:",
    "public": r"C:\Users\Public",
    "programfiles": r"C:\Program Files",
    "programdata": r"C:\ProgramData",
    "allusersprofile": r"C:\ProgramData",
    "commonprogramfiles": r"C:\Program Files\Common Files",
    "commonprogramw6432": r"C:\Program Files\Common Files",
    "programw6432": r"C:\Program Files",
    "os": "Windows_NT",
    "pathext": ".COM;.EXE;.BAT;.CMD;.VBS;.VBE;.JS;.JSE;.WSF;.WSH;.MSC",
    "processor_architecture": "AMD64",
    "driverdata": r"C:\Windows\System32\Drivers\DriverData",
}


def expanded(text: str, scope: Scope) -> str:
    """A line with its percent signs read; what nobody knows is `UNKNOWN`."""
    return _PERCENT.sub(lambda found: _percent(found, scope), text)[:_LONGEST] if "%" in text else text


def delayed(text: str, scope: Scope) -> str:
    """A word with its `!NAME!` read, where such a variable is known or the script has said that it uses them."""
    if "!" not in text:
        return text

    def one(found: re.Match[str]) -> str:
        known = f"%{found['name'].lower()}" in scope.variables
        return _value(found, scope) if known or "%%delayed" in scope.variables else found[0]

    return _DELAYED.sub(one, text)[:_LONGEST]


def looped(text: str, values: dict[str, str | None]) -> str:
    """A loop's body with its variables replaced by one round's values."""

    def one(found: re.Match[str]) -> str:
        given = found["name"] or found["only"]
        if given not in values:
            return found[0]
        value = values[given]
        if value is None:
            return UNKNOWN
        how = found["how"]
        bare = value.strip('"') if how else value
        return bare if not how or set(how) <= set("~fdpnx") else UNKNOWN

    return _LOOP.sub(one, text)[: 4 * _LONGEST]


def _percent(found: re.Match[str], scope: Scope) -> str:
    if found[0] == "%%":
        return "%"
    if found["given"] is not None:
        given = scope.positional
        if found[0].lower().startswith("%~dp0"):
            return ".\\"
        if given is None:
            return UNKNOWN
        if found["given"] == "*":
            return " ".join(one if one is not None else UNKNOWN for one in given)
        at = int(found["given"]) - 1
        value = given[at] if 0 <= at < len(given) else ""
        return UNKNOWN if value is None else value.strip('"') if "~" in found[0] else value
    return _value(found, scope)


def _value(found: re.Match[str], scope: Scope) -> str:
    name = found["name"].lower()
    cut = found["start"] is not None or found["length"] is not None
    value = scope.variables.get(f"%{name}", UNKNOWN if f"%{name}" in scope.variables else None)
    if value is None and f"%{name}" not in scope.variables:
        if not cut and not found["old"] and name in _KEPT:
            return found[0].replace("!", "%")
        value = _USUAL.get(name)
    if value is None or value == UNKNOWN or len(value) > _LONGEST:
        return UNKNOWN
    if cut:
        start = int(found["start"] or 0)
        length = found["length"]
        tail = value[start:] if start >= 0 else value[max(0, len(value) + start) :]
        return tail if length is None else tail[: int(length)]
    if found["old"]:
        return _replaced(value, found["old"], found["new"])
    return value


def _replaced(value: str, old: str, new: str) -> str:
    if old.startswith("*") and len(old) > 1:
        at = value.lower().find(old[1:].lower())
        return value if at < 0 else new + value[at + len(old) - 1 :]
    return re.sub(re.escape(old), lambda _found: new, value, flags=re.IGNORECASE)[:_LONGEST]
