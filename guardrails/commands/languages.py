"""Tells which languages a command may be written in, from its words alone."""

from __future__ import annotations

from guardrails.interface import Shell
from guardrails.screens import Sign

_STARTS = r"(?:^|[;|{(&=\n])\s*"
_POWERSHELL = Sign(
    _STARTS + r"(?:[A-Z][a-z]+-[A-Z][A-Za-z0-9]+\b|(?:iex|irm|iwr|gci|gwmi|ri)\s"
    r"|\$\w+(?:\[[^\]\n]*\]|\.\w+)*(?:\.\w|\s*[+-]?=\s)"
    r"|param\s*\(|\$[A-Z]\w*[a-z]\w*(?:\s*\||\s*$)|\(*\[\w+\]\(?\$)"
    r"|\$(?:global|script|using|local):\w"
    r"|\$(?:env|PS\w+|_|true|false|null|Error|Host)\b[:.]?|\[[\w.]+\](?:::|\s*\$|\w)"
    r"|\s-(?:Recurse|Force|Confirm|WhatIf|ErrorAction|eq|ne|gt|lt|ge|le|and|or|match|like)\b",
)
_CMD = Sign(
    _STARTS + r"@?(?:(?:vssadmin|wmic|bcdedit|cipher|wbadmin|wevtutil|fsutil|diskpart|takeown|icacls|taskkill|netsh|"
    r"schtasks|certutil|bitsadmin|reg|sc|cmd|mountvol|powercfg|manage-bde|forfiles)(?:\.exe)?\s"
    r"|(?:del|erase|rd|rmdir|format|attrib|net|shutdown|robocopy|for|set|start|call|if)\b"
    r"[^\n]*?(?:\s/\w|%\w|\\|\b[a-z]:|/del))|%\w+(?::[^%\n]*)?%|\w\^\w",
    ignore_case=True,
)
_NAME = r"[\w.\"`\[\]#]+"
_SQL = Sign(
    rf"\s*(?:--[^\n]*\n\s*|/\*.*?\*/\s*)*(?:drop\s+(?:table|database|schema|user|role|view|index|column|tablespace|owned)\b"
    rf"|truncate\s+(?:table\s+)?{_NAME}\s*(?:;|$|,|cascade|restart)|delete\s+from\s+{_NAME}(?:\s*(?:;|$)|\s+(?:where|using|as)\b)"
    rf"|update\s+{_NAME}\s+(?:\w+\s+)?set\s+{_NAME}\s*=|alter\s+(?:table|database|user|role|system)\b|insert\s+into\b"
    rf"|select\s.+\sfrom\b|select\s+[\w(*]|begin\s*;|begin\s+transaction\b|start\s+transaction\b|with\s+\w+\s+as\s*\(|create\s+(?:table|database|user|index)\b"
    rf"|grant\s.+\son\s|revoke\s.+\son\s|copy\s+{_NAME}\s+(?:to|from)\b|shutdown\s*;?\s*$|exec(?:ute)?\s+\w*xp_|purge\s+binary\b"
    rf"|explain\s+(?:analyze\s+)?(?:select|delete|update)|merge\s+into\b|do\s+\$|show\s+\w+\s*;|reset\s+master\b|/\*!)",
    ignore_case=True,
)
_UPPER = Sign(r"\s*(?:--[^\n]*\n\s*|/\*.*?\*/\s*)*[A-Z]{4,}\b")


def languages(text: str) -> tuple[Shell, ...]:
    """Bash always, and whatever else the text looks like; the likeliest stands last."""
    if _SQL.begins(text) and (_UPPER.begins(text) or text.rstrip().endswith(";") or text.lstrip().startswith("/*!")):
        return Shell.BASH, Shell.SQL
    found = [Shell.BASH]
    if _CMD.within(text):
        found.append(Shell.CMD)
    if _POWERSHELL.within(text):
        found.append(Shell.POWERSHELL)
    return tuple(found)
