"""Tells which languages a command may be written in, from its words alone."""

from __future__ import annotations

from guardrails.interface import Shell
from guardrails.screens import Sign

_STARTS = r"(?:^|[;|{(&=\n])\s*"
_POWERSHELL = Sign(
    _STARTS + r"(?:[A-Z][a-z]+-[A-Z][A-Za-z0-9]+\b"
    r"|(?i:(?:remove|clear|stop|restart|disable|uninstall|format|initialize|reset|suspend|dismount|revoke|unregister|invoke|set"
    r"|add)-[a-z]\w{2,})|[A-Za-z]+`[A-Za-z`]*(?:-`?[A-Za-z]|\s+-)|[A-Za-z]+-[A-Za-z]*`[A-Za-z]|(?:iex|irm|iwr|gci|gwmi|ri)\s"
    r"|\$\w+(?:\[[^\]\n]*\]|\.\w+)*(?:\.\w|\s*[+-]?=\s)"
    r"|&\s*\(|param\s*\(|\$[A-Z]\w*[a-z]\w*(?:\s*\||\s*$)|\(*\[\w+\]\(?\$)"
    r"|\$(?:global|script|using|local):\w"
    r"|\$(?:env|PS\w+|_|true|false|null|Error|Host)\b[:.]?|\[[\w.]+\](?:::|\s*\$|\w)"
    r"|\s-(?:Recurse|Force|Confirm|WhatIf|ErrorAction|eq|ne|gt|lt|ge|le|and|or|match|like)\b",
)
_CMD = Sign(
    _STARTS + r"@?(?:(?:vssadmin|wmic|bcdedit|cipher|wbadmin|wevtutil|fsutil|diskpart|takeown|icacls|taskkill|netsh|"
    r"schtasks|certutil|bitsadmin|reg|sc|cmd|mountvol|powercfg|manage-bde|forfiles|mshta|regsvr32|rundll32|dism|msiexec|"
    r"wscript|cscript|pnputil|reagentc|auditpol|cmdkey|ntdsutil|diskshadow|secedit|cmstp|odbcconf|wusa)(?:\.exe)?(?:\s|$)"
    r"|(?:del|erase|rd|rmdir|format|attrib|net|shutdown|robocopy|xcopy|copy|move|ren|type|for|set|start|call|if)\b"
    r"[^\n]*?(?:\s/\w|%\w|\\|\b[a-z]:|/del))|%\w+(?::[^%\n]*)?%|\w\^\w|\w\"\"\w",
    ignore_case=True,
)
_NAME = r"[\w.\"`\[\]#]+"
_KIND = (
    r"(?:table|database|schema|user|role|view|index|column|tablespace|owned|extension|function|procedure|trigger|login"
    r"|materialized\s+view|keyspace|sequence|type|policy|warehouse|partition)"
)
_GAP = r"(?:\s|--[^\n]*\n|#[^\n]*\n|/\*.*?\*/)+"
_BEFORE = r"(?:\s|--[^\n]*\n|#[^\n]*\n|/\*[^!].*?\*/)*\(*"
# What begins a statement, where its verb is written large or a semicolon ends it.
_VERBS = (
    rf"(?:drop{_GAP}(?:{_KIND}\b|[a-z_]+{_GAP}[\w\"`\[])|truncate\s+(?:table\s+)?{_NAME}\s*(?:;|$|,|cascade|restart)|truncate\s+table\b"
    rf"|delete{_GAP}(?:from{_GAP})?(?:only\s+)?{_NAME}(?:\s+(?:as\s+)?\w+)?\s*(?:;|$|where\b|using\b|from\b|limit\b|order\b|join\b)"
    rf"|delete\s+top\s*\(|delete\s+\w+(?:\s*,\s*\w+)+\s+from\b|update\s+(?:only\s+)?{_NAME}\s+(?:(?:as\s+)?\w+\s+)?set\s+{_NAME}\s*=|insert\s+(?:or\s+\w+\s+)?(?:into|overwrite)\b"
    r"|alter\s+(?:table|database|user|role|system|schema|server|login|warehouse|tablespace|extension|session)\b"
    r"|replace\s+into\b|select\s.+\sfrom\b|select\s+[\w(*'\"$@]|begin\s*;|begin\s+(?:transaction|tran|work|delete|execute|update|drop|for|if|insert|while|declare)\b"
    r"|start\s+transaction\b|with\s+(?:recursive\s+)?\w+\s+(?:\([^()]*\)\s*)?as\s*\(|declare\s+\w+\s+\w+\s*(?:\(\d+\)\s*)?(?::=|;)"
    r"|create\s+(?:or\s+(?:replace|alter)\s+)?(?:temp\w*\s+|unique\s+|definer\s*=\s*\S+\s+)?"
    r"(?:table|database|user|index|role|view|function|procedure|proc|trigger|event|schema|extension|login|language|materialized|rule|policy)\b"
    rf"|grant\s.+\s(?:on|to)\s|revoke\s.+\s(?:on|from)\s|copy\s+(?:{_NAME}|\(.*\))\s*(?:\([^()]*\)\s*)?(?:to|from)\b|shutdown\s*(?:;|$|with\b|immediate\b|abort\b)"
    r"|exec(?:ute)?\s+[\w.]*(?:xp|sp)_|purge\s+(?:binary|master|recyclebin)\b|explain\s*(?:\([^()]*\)\s*|(?:\w+\s+)*)(?:select|delete|update|with|insert)\b"
    r"|merge\s+into\b|show\s+\w+\s*;|reset\s+(?:master|slave|replica)\b|prepare\s+\w+\s+(?:as|from)\b|call\s+[\w.]+\s*\("
    r"|set\s+(?:global|session|local|password|search_path|session_replication_role)\b|kill\s+(?:query|connection|mutation|all)\b"
    r"|stop\s+(?:slave|replica|group_replication)\b|flush\s+(?:tables|privileges|logs)\b|restore\s+(?:database|log|table)\b"
    r"|backup\s+(?:database|log)\b|detach\s+(?:table|database)\b|system\s+(?:shutdown|kill|drop|stop|reload)\b|flashback\s+(?:table|database)\b"
    r"|reassign\s+owned\b|load\s+data\b|rename\s+table\b|lock\s+tables?\b|use\s+\w+\s*;|if\s+(?:not\s+)?exists\s*\(\s*select|if\s+1\s*=\s*1\b"
    r"|install\s+(?:plugin|component)\b|disable\s+trigger\b|vacuum\s*(?:;|full|analyze)|dbcc\s+\w+|undrop\s+\w+|execute\s+\w+\s*;?\s*$)"
)
# What begins SQL however it is written: no shell has it.
_PLAIN = (
    r"(?:/\*!|do\s+(?:language\s+\w+\s+)?(?:\$\w*\$|')|exec(?:ute)?\s*\(\s*(?:n?'|@)|execute\s+immediate\b|declare\s+@|set\s+@\w|exec\s+@"
    r"|prepare\s+\w+\s+from\b|begin\s+try\b|delimiter\s+\S+\s*\n|exec(?:ute)?\s+(?:\w+\.)*(?:xp_|sp_)|\\(?:!|copy|gexec|set|o|connect|c|i|ir)\s"
    r"|\.(?:shell|system|output|once|import|read|load|restore)\s)"
)
_SQL = Sign(_BEFORE + _VERBS, ignore_case=True)
_SURELY = Sign(_BEFORE + _PLAIN, ignore_case=True)
_UPPER = Sign(_BEFORE + r"[A-Z]{2,}\b")
# A whole statement in small letters without a semicolon; with a word more it would be a sentence.
_WHOLE = Sign(
    rf"\s*(?:drop\s+{_KIND}\s+(?:if\s+exists\s+)?{_NAME}(?:\s*,\s*{_NAME})*(?:\s+(?:cascade|restrict))?"
    rf"|truncate\s+table\s+{_NAME}(?:\s+cascade)?|delete\s+from\s+{_NAME}|(?:delete\s+from|update)\s+{_NAME}\s+.*(?:=|\blike\b|<|>|\bwhere\s+(?:true|1|not)\b).*"
    rf"|alter\s+table\s+{_NAME}\s+drop\s+(?:column\s+)?{_NAME}|grant\s+all\s.*\sto\s.*|select\s+[\w.]+\(.*\).*)\s*",
    ignore_case=True,
)
# A statement stacked behind another, or behind the end of a string that somebody else began.
_STACKED = Sign(
    rf"(?:;|\bgo\s)\s*(?:{_BEFORE[:-3]})(?:drop\s+{_KIND}\s|truncate\s+table\s|delete\s+from\s+\w|update\s+\w+\s+set\s|exec(?:ute)?\s+(?:\w+\.)*xp_"
    r"|insert\s+into\s|alter\s+(?:table|user|role)\s|shutdown\s*(?:;|--|$)|exec(?:ute)?\s*\(|execute\s+immediate\s|declare\s+@)",
    ignore_case=True,
)


def languages(text: str) -> tuple[Shell, ...]:
    """Bash always, and whatever else the text looks like; the likeliest stands last."""
    if is_sql(text):
        return Shell.BASH, Shell.SQL
    found = [Shell.BASH]
    if _CMD.within(text):
        found.append(Shell.CMD)
    if _POWERSHELL.within(text):
        found.append(Shell.POWERSHELL)
    return tuple(found)


def is_sql(text: str) -> bool:
    """Whether a text begins like SQL, or has a statement stacked in it."""
    if _SQL.begins(text) and (_UPPER.begins(text) or text.rstrip().endswith(";")):
        return True
    return _SURELY.begins(text) or _WHOLE.whole(text) or _STACKED.within(text)
