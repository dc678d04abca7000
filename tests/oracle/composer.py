"""Composes scripts of SQL at random: conditions, transactions, blocks, strings that are run, comments, quotes.

What a script does is not known here; the database says it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    import random

_PIECES = yaml.safe_load(Path(__file__).with_name("pieces.yaml").read_text(encoding="utf-8"))
_TABLES = {"users": "balance", "orders": "total", "logs": "line"}
_NUMBERED = re.compile(r"\b(later|extra\w*|poor|500|77)\b")


class Composer:
    """Scripts for one kind of database."""

    def __init__(self, chance: random.Random, *, postgres: bool, marks: str = "") -> None:
        self._chance = chance
        self._postgres = postgres
        self._marks = marks
        self._count = 0

    def script(self) -> str:
        """A script of one to three statements or transactions, each dressed somehow."""
        return "\n".join(self._part() for _ in range(self._chance.choice((1, 1, 2, 3))))

    def _part(self) -> str:
        dice = self._chance.random()
        if dice < 0.2:
            return f"BEGIN;\n{self._dressed()};\n{self._chance.choice(('COMMIT', 'ROLLBACK', 'END', 'ROLLBACK'))};"
        if dice < 0.26:
            back = "ROLLBACK TO s" if self._chance.random() < 0.5 else "RELEASE s"
            return f"BEGIN;\nSAVEPOINT s;\n{self._dressed()};\n{back};\n{self._dressed()};\nCOMMIT;"
        if self._postgres and dice < 0.3:
            return self._outside()
        return self._dressed() + ";"

    def _dressed(self) -> str:
        statement = self._statement()
        if (
            self._postgres
            and not statement.startswith(("\\", "DO ", "VACUUM", "BEGIN", "DROP INDEX CONC", "COPY"))
            and ";" not in statement
        ):
            statement = self._wrapped(statement)
        return self._disguised(statement)

    def _outside(self) -> str:
        made = self._chance.choice(_PIECES["outside_postgres"]).replace("{marks}", self._marks)
        return made + ("" if made.startswith("\\") else ";")

    def _statement(self) -> str:
        pick, dice = self._chance.choice, self._chance.random()
        table = pick(list(_TABLES))
        if dice < 0.3:
            self._count += 1
            made = pick((*_PIECES["quiet"], *_PIECES["quiet_postgres"]) if self._postgres else _PIECES["quiet"])
            return _NUMBERED.sub(lambda m: f"{m[1]}{self._count}", made)
        if dice < 0.5:
            return pick(
                (*_PIECES["loses"], *_PIECES["loses_postgres"]) if self._postgres else _PIECES["loses"]
            ).replace("{table}", table)
        condition = pick(
            (
                None,
                *_PIECES["every"][:6],
                pick(_PIECES["every"]),
                pick(_PIECES["every"]),
                pick(_PIECES["some"]),
                pick(_PIECES["some"]),
                pick(_PIECES["some"]),
                pick(_PIECES["none"]),
            )
        )
        where = "" if condition is None else f" WHERE {condition.replace('{table}', table)}"
        if dice < 0.8:
            return f"DELETE FROM {table}{where}"
        value = "'gone'" if table == "logs" else "-1"
        return f"UPDATE {table} SET {_TABLES[table]} = {value}{where}"

    def _wrapped(self, statement: str) -> str:
        """A statement as PostgreSQL runs it in a roundabout way."""
        self._count += 1
        text = "'" + statement.replace("'", "''") + "'"
        cut = self._chance.randrange(1, len(statement))
        halves = " || ".join("'" + half.replace("'", "''") + "'" for half in (statement[:cut], statement[cut:]))
        letters = " || ".join(f"chr({ord(letter)})" for letter in statement)
        hexed = statement.encode().hex()
        name, run = f"made{self._count}", f"EXECUTE {text}"
        plain = statement.startswith(("DELETE", "UPDATE", "INSERT", "WITH", "SELECT"))
        if self._chance.random() < 0.45:
            return statement
        ways = [
            f"DO $b$ BEGIN {run}; END $b$",
            f"DO $b$ BEGIN EXECUTE {halves}; END $b$",
            f"DO $b$ BEGIN EXECUTE format('%s', {text}); END $b$",
            f"DO $b$ DECLARE q text := {halves}; BEGIN EXECUTE q; END $b$",
            f"DO $b$ BEGIN EXECUTE convert_from(decode('{hexed}', 'hex'), 'utf8'); END $b$",
            f"DO $b$ BEGIN EXECUTE reverse('{statement[::-1].replace(chr(39), chr(39) * 2)}'); END $b$",
            f"CREATE FUNCTION {name}() RETURNS void AS $b$ BEGIN {run}; END $b$ LANGUAGE plpgsql;\nSELECT {name}()",
            f"SELECT {text} \\gexec\nSELECT 1",
            f"\\set {name} {text}\n:{name}",
        ]
        if len(statement) < 60:
            ways.append(f"DO $b$ BEGIN EXECUTE {letters}; END $b$")
        if plain and not statement.startswith("SELECT"):
            ways += [
                f"PREPARE {name} AS {statement};\nEXECUTE {name}",
                f"DO $b$ BEGIN {statement}; END $b$",
                f"DO $b$ BEGIN IF true THEN {statement}; END IF; END $b$",
                f"EXPLAIN ANALYZE {statement}",
            ]
        return self._chance.choice(ways)

    def _disguised(self, statement: str) -> str:
        """Comments for blanks, another case, quoted names: nothing that changes what it does."""
        dice = self._chance.random()
        if "'" in statement or "$" in statement or statement.startswith("\\") or "\\" in statement or dice < 0.4:
            return statement
        if dice < 0.6:
            return re.sub(r" ", lambda _: self._chance.choice((" ", "\n", "/* x */", "\t", " -- y\n")), statement)
        if dice < 0.8:
            return "".join(self._chance.choice((c.upper(), c.lower())) for c in statement)
        return re.sub(r"\b(users|orders|logs)\b", r'"\1"', statement)
