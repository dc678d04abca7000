"""Which dialects a text of SQL may be in: the client it is sent through says it, or the text's own marks do."""

from __future__ import annotations

import re
from typing import NamedTuple

from guardrails.commands.sql.tokens import Lexis


class Dialect(NamedTuple):
    """One dialect.

    Attributes:
        name: As sqlglot calls it.
        lexis: How it reads quotes and comments.
        commits: A statement that changes a definition commits what is open, so no rollback takes it back.
        implicit: A transaction is open without any BEGIN.
        ticks: A name is quoted by backticks.
    """

    name: str
    lexis: Lexis
    commits: bool = False
    implicit: bool = False
    ticks: bool = False


_MYSQL = Lexis(backslash=True, double=True, pound=True, dashed=True, hints=True)
_LOOSE = Lexis(backslash=True, double=True, pound=True)
POSTGRES = Dialect("postgres", Lexis(nested=True))
MYSQL = Dialect("mysql", _MYSQL, commits=True, ticks=True)
TSQL = Dialect("tsql", Lexis(nested=True, brackets=True))
ANY = Dialect("", Lexis(hints=True))
"""Nobody knows: what any of them runs is run, and only what all of them take back is taken back."""

_DIALECTS = {
    **dict.fromkeys(("psql", "pgcli", "cockroach", "ysqlsh", "crash", "crate", "usql", "vsql"), POSTGRES),
    **dict.fromkeys(("mysql", "mariadb", "mycli", "tidb", "singlestore", "memsql"), MYSQL),
    **dict.fromkeys(("sqlcmd", "osql", "isql", "invoke-sqlcmd", "tsql"), TSQL),
    **dict.fromkeys(("sqlite3", "sqlite"), Dialect("sqlite", Lexis(brackets=True))),
    "duckdb": Dialect("duckdb", Lexis()),
    **dict.fromkeys(("sqlplus", "sql", "sqlcl"), Dialect("oracle", Lexis(), commits=True, implicit=True)),
    **dict.fromkeys(("clickhouse-client", "clickhouse"), Dialect("clickhouse", _LOOSE, commits=True, ticks=True)),
    "bq": Dialect("bigquery", _LOOSE, commits=True, ticks=True),
    **dict.fromkeys(("snowsql", "snow"), Dialect("snowflake", Lexis(backslash=True), commits=True)),
    **dict.fromkeys(
        ("hive", "beeline", "spark-sql", "impala-shell"), Dialect("hive", _LOOSE, commits=True, ticks=True)
    ),
    **dict.fromkeys(("trino", "presto"), Dialect("trino", Lexis())),
}
_DISPUTED = re.compile(r"\\['\"\\]|#|--\S|\"[^\"]*'|\"\s*(?:=|<|>|like\b)|(?:=|<|>|like)\s*\"", re.IGNORECASE)
_MARKS = (
    (re.compile(r"`|/\*!|\bengine\s*=|\bauto_increment\b|\bdelimiter\b", re.IGNORECASE), ("mysql", "bigquery")),
    (re.compile(r"(?:^|\W)@\w|\[\w+\]|\btop\s*\(?\s*\d|\bgo\s*$|\bn'", re.IGNORECASE), ("tsql", "mysql")),
    (re.compile(r"\bqualify\b|\bvariant\b", re.IGNORECASE), ("snowflake", "bigquery")),
)
_OTHERS = ("postgres", "mysql", "tsql", "oracle")


def readings(text: str, through: tuple[str, ...]) -> list[Dialect]:
    """The dialects a text is to be read in; two where those that may be meant disagree about its quotes."""
    known = next((_DIALECTS[name] for name in reversed(through) if name in _DIALECTS), None)
    if known is not None:
        return [known]
    return [ANY, MYSQL] if _DISPUTED.search(text) else [ANY]


def grammars(dialect: Dialect, text: str) -> tuple[str, ...]:
    """The names of sqlglot's dialects to try on one statement, likeliest first."""
    if dialect.name:
        return (dialect.name, *(name for name in _OTHERS[:2] if name != dialect.name))
    marked = next((names for pattern, names in _MARKS if pattern.search(text)), ())
    return tuple(dict.fromkeys((*marked, *_OTHERS)))[:3]


def implicit_commits(dialect: Dialect, text: str) -> bool:
    """Whether a rollback leaves dropped what a statement dropped."""
    return dialect.commits or (not dialect.name and _MARKS[0][0].search(text) is not None)
