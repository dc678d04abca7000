"""Database clients on a command line: the SQL they are handed by option, operand or pipe."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from guardrails.commands.outputs import fed
from guardrails.commands.tree import UNKNOWN, Code, Command, Tail
from guardrails.interface import Shell

if TYPE_CHECKING:
    from guardrails.commands.scope import Content, Scope
    from guardrails.commands.tree import Word


class _Client(NamedTuple):
    """Options that carry SQL, the operand from which on SQL stands (0: none), options that name a file of it."""

    options: tuple[str, ...]
    operand: int = 0
    files: tuple[str, ...] = ("-f", "--file")


_EXECUTE = _Client(("-e", "--execute", "--exec", "--query", "-q"))
_CLIENTS = {
    "psql": _Client(("-c", "--command")),
    **dict.fromkeys(("mysql", "mariadb", "mycli", "cqlsh", "hive", "beeline", "spark-sql", "impala-shell"), _EXECUTE),
    **dict.fromkeys(("trino", "presto", "tidb", "singlestore", "memsql", "vsql"), _Client(("-e", "--execute", "-c"))),
    **dict.fromkeys(("sqlite3", "sqlite", "duckdb", "litecli"), _Client(("-c", "-cmd", "--cmd", "-e"), 2, ("-init",))),
    **dict.fromkeys(("sqlcmd", "osql", "isql", "mssql-cli"), _Client(("-Q", "-q"), 0, ("-i", "--input-file"))),
    **dict.fromkeys(
        ("clickhouse-client", "clickhouse", "clickhouse-local"), _Client(("-q", "--query"), 0, ("--queries-file",))
    ),
    **dict.fromkeys(("cockroach", "usql", "pgcli", "ysqlsh", "crate", "crash"), _Client(("-e", "--execute", "-c"))),
    **dict.fromkeys(("sqlplus", "sql", "sqlcl", "db2", "isql-fb"), _Client((), 1)),
    **dict.fromkeys(("snowsql", "snow"), _Client(("-q", "--query"))),
    "influx": _Client(("-execute", "--execute")),
    "influx3": _Client((), 2),
    "bq": _Client((), 2),
    "databricks": _Client(("--statement",)),
    "cypher-shell": _Client((), 1),
    "invoke-sqlcmd": _Client(("-query", "-q"), 0, ("-inputfile",)),
}
CLIENTS = frozenset(_CLIENTS)
_SPACE = re.compile(r"\s")


def queries(command: Command, scope: Scope) -> list[Tail | Code]:
    """The SQL a client would send; unknown where it is all made at run time."""
    client = _CLIENTS[command.name]
    found: list[Word] = []
    operands: list[Word] = []
    written: list[Content] = []
    at, argv = 1, command.argv
    while at < len(argv):
        shape = argv[at].shape
        name, equals, rest = shape.partition("=")
        lowered = name.lower() if command.shell is Shell.POWERSHELL else name
        if lowered in client.options:
            found += [argv[at]._replace(shape=rest)] if equals else argv[at + 1 : at + 2]
            at += 2 - bool(equals)
            continue
        if lowered in client.files:
            named = [argv[at]._replace(shape=rest)] if equals else argv[at + 1 : at + 2]
            written += [scope.files[w.shape] for w in named if w.shape in scope.files]
        short = next((o for o in client.options if len(o) == 2 and shape.startswith(o) and len(shape) > 2), None)
        clustered = re.fullmatch(r"-[A-Za-z]{1,6}", shape) and f"-{shape[-1:]}" in client.options
        if clustered:
            found += argv[at + 1 : at + 2]
            at += 1
        elif short is not None:
            found.append(argv[at]._replace(shape=shape[2:]))
        elif not shape.startswith("-"):
            operands.append(argv[at])
        at += 1
    if client.operand:
        found += [w for w in operands[client.operand - 1 :] if _SPACE.search(w.shape)]
    written += [
        scope.files[r.target.shape] for r in command.redirects if r.operator == "<" and r.target.shape in scope.files
    ]
    made: list[Tail | Code] = [_query(w, command) for w in found]
    made += [Code(one.text, command.name, one.commands, shell=Shell.SQL) for one in written]
    if not made and (command.stdin or command.redirects):
        text = fed(command)
        made += [Code(text, command.name, shell=Shell.SQL)] if text else []
    return made


def _query(word: Word, command: Command) -> Code:
    if word.shape.strip() == UNKNOWN:
        return Code(None, command.name, word.commands, shell=Shell.SQL)
    return Code(word.shape, command.name, word.commands, shell=Shell.SQL)
