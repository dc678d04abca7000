"""SQL in the string literals of a program: what it hands to a database by a call (`cursor.execute("…")`)."""

from __future__ import annotations

import re

from guardrails.commands.sql.vocabulary import STATEMENT

_CALL = re.compile(
    r"\b(?:execute\w*|exec|query|queryRaw\w*|executeRaw\w*|exec_query|raw|run|prepare|statement|unprepared|do|text|"
    r"pg_query|mysqli_query|mysql_query|sqlite_exec|read_sql\w*|sql|multi_query)\s{0,4}\(\s{0,40}"
    r"(?:\$?\w+\s{0,2},\s{0,2})?[rbfuRBFU]{0,2}(\"\"\"|'''|[\"'`])"
)
_MOST = 64


def statements_in(source: str) -> list[str]:
    """The statements that a program's source hands on, as far as they stand in literals."""
    found: list[str] = []
    for call in _CALL.finditer(source):
        end = source.find(call[1], call.end())
        text = source[call.end() : end if end >= 0 else len(source)].replace("\\'", "'").replace('\\"', '"')
        if STATEMENT.match(text):
            found.append(text)
        if len(found) >= _MOST:
            break
    return found
