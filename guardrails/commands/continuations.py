"""What PowerShell and cmd.exe wait for at a line's end: a bracket, a quote, a here-string's end, the next command."""

from __future__ import annotations

import re

from guardrails.interface import Shell

_ANYTHING = re.compile("")
_CLOSE = re.compile(r"[)\]}]")
_POWERSHELL = re.compile(
    r"`.|#>|<#|@['\"][ \t]*\r?\n|\"(?:[^\"`]|`.)*\"|'[^']*'|#[^\n]*|[(\[{]|[)\]}]|['\"]", re.DOTALL
)
_GOES_ON = re.compile(r"(?:`|\||&&|\|\||,|=|\+)[ \t]*\r?\n\Z")
_CMD = re.compile(r"\"[^\"\n]*\"?|\^.|^[ \t]*(?:rem\b|::)[^\n]*|[()]", re.DOTALL | re.IGNORECASE | re.MULTILINE)
_CARET = re.compile(r"(?:^|[^^])\^[ \t]*\r?\n\Z")


def waits(text: str, shell: Shell) -> re.Pattern[str] | None:
    """What a Windows shell would wait for after `text`, one or more whole lines; None where it is complete.

    Returns:
        A pattern without which no further line can complete it.
    """
    return _in_cmd(text) if shell is Shell.CMD else _in_powershell(text)


def _in_powershell(text: str) -> re.Pattern[str] | None:
    depth = position = 0
    while found := _POWERSHELL.search(text, position):
        piece, position = found[0], found.end()
        close = {"<#": "#>", "@'": "\n'@", '@"': '\n"@'}.get(piece[:2])
        if close is not None:
            end = text.find(close, position - 1)
            if end < 0:
                return re.compile(re.escape(close.strip()))
            position = end + len(close)
        elif piece in ("'", '"'):
            return re.compile(piece)
        elif piece in ("(", "[", "{"):
            depth += 1
        elif piece in (")", "]", "}"):
            depth -= 1
    if depth > 0:
        return _CLOSE
    return _ANYTHING if _GOES_ON.search(text) else None


def _in_cmd(text: str) -> re.Pattern[str] | None:
    depth = 0
    for found in _CMD.finditer(text):
        if found[0] == "(":
            depth += 1
        elif found[0] == ")":
            depth -= depth > 0
    if depth > 0:
        return _CLOSE
    return _ANYTHING if _CARET.search(text) else None
