"""Values that break out of a query they are put into: SQL injection, and its like in document stores.

A value is looked at as the query would have it: its first quote closes the string that the query opened, what looks
like a comment cuts off the query's own end, and conditions between constants ask nothing of the data.
"""

from __future__ import annotations

import re

from guardrails.screens import Sign

_GAP = r"(?:[\s+()!~]|/\*[^*]*\*/)"
_JOINS = r"(?:(?:or|and|xor|having|div|rlike|regexp|like|in|is|between|not)\b|\|\||&&)"
# The first quote is followed by what only a query has there: an operator, a comment, the end of the statement.
_CLOSED = Sign(
    rf"[^'\"]{{0,80}}['\"]{_GAP}*(?:(?:{_JOINS}){_GAP}*(?:['\"]|[@!~\d\w][^\n]*?(?:=|<|>|\blike\b|\bin\b|\bis\b|\bbetween\b|\(|--|#))"
    rf"|order{_GAP}+by\b|group{_GAP}+by\b|union\b|having\b|limit{_GAP}+\d|grant\b|procedure{_GAP}+analyse|into{_GAP}+(?:out|dump)file|waitfor\b"
    r"|;|--|#\s*$|/\*|\|\|\s*\S|\+\s*(?:'|\"|\(|@@|if\b|\w+\()|,\s*(?:null|\(select|\w+\()|=\s*(?:'|\"|\w+\())",
    ignore_case=True,
)
_TOLD = Sign(
    rf"\bunion{_GAP}*(?:(?:all|distinct){_GAP}*)?select\b|\bselect\s+(?:@@|\*|count\s*\(|null\b|char\s*\(|version\s*\(|user\s*\(|database\s*\()"
    r"|\(\s*select\b|\binformation_schema\b|@@(?:version|hostname|datadir|servername)\b|\bwaitfor\s+delay\b|\bselectchar\("
    r"|\b(?:sleep|pg_sleep|benchmark|randomblob|extractvalue|updatexml|load_file|dbms_pipe\.receive_message|dbms_lock\.sleep)\s*\("
    r"|\butl_(?:http|inaddr)\.|\bdeclare\s+@\w|\bexec(?:ute)?\s*\(\s*@|\bexec\s+(?:master|xp_|sp_)|\bxp_\w+\s|\binto\s+(?:out|dump)file\b"
    r"|;\s*(?:drop\s+\w+\s|shutdown\s*(?:;|--|with)|exec(?:ute)?\s|declare\s+@|waitfor\s|insert\s+into\s|delete\s+from\s|update\s+\w+\s+set\s)"
    r"|\bhaving\s+\d+\s*[=<>]|\border\s+by\s+\d+(?:\s*,\s*\S+)*\s*(?:--|#|$)|\bconvert\s*\(\s*int\b|\bsys(?:objects|columns|databases|users)\b"
    r"|\b(?:ascii|substring|substr|mid|ord|unicode)\s*\([^()]*(?:\([^()]*\))?[^()]*\)\s*\)?\s*(?:=|<|>|between)|\bpg_(?:shadow|user|authid)\b"
    r"|\ball_(?:tables|users|tab_columns)\b|\b(?:sqlite_master|syscat\.|sysibm\.|v\$version|user_tables)\b"
    r"|\$(?:where|ne|gt|gte|nin|regex|or)['\"]?\s*[\]:]|['\"\d]\s*(?:\|\||&&)\s*['\"]?\d+['\"]?\s*={1,3}\s*['\"]?\d",
    ignore_case=True,
)
_COMPARED = re.compile(
    r"(?:\b(?:or|and|xor|having|where|if)\b|\|\||&&|^)[\s()!~+'\"]{0,16}"
    r"([\w.%]{1,32})['\"]?\s{0,4}(?:=|<|>|\blike\b|\brlike\b){1,2}\s{0,4}['\"(]{0,4}([\w.%]{1,32})",
    re.IGNORECASE,
)
_NUMBERED = Sign(
    rf"\W{{0,4}}\d{{1,10}}['\")\s]*(?:{_JOINS}|union\b|order\s+by\b|group\s+by\b|;)[\s(]+[^\n]*(?:=|<|>|select|\d\s*(?:--|#))",
    ignore_case=True,
)
_SCREEN = Sign(
    r"['\"]|\b(?:or|and|union|select|order|having|exec|declare|waitfor|sleep|benchmark|like)\b|\|\||&&|[$@]\w|;|\(",
    ignore_case=True,
)
_MOST = 16


def broken_out(value: str) -> bool:
    """Whether a value would change the query it is put into."""
    if not _SCREEN.within(value):
        return False
    return _CLOSED.begins(value) or _TOLD.within(value) or _NUMBERED.begins(value) or _constant(value)


def _constant(value: str) -> bool:
    """Whether two constants, or a thing and itself, are compared behind an OR or an AND."""
    for count, found in enumerate(_COMPARED.finditer(value)):
        left, right = found[1].lower().strip("%"), found[2].lower().strip("%")
        joined = not found[0][:1].isdigit() and found.start(1) > found.start()
        if (joined and left == right) or (joined and left.isdigit() and right.isdigit()):
            return True
        if count >= _MOST:
            break
    return False
