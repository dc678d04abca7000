"""How SQL arrives: by option, operand, pipe, heredoc, file, container, program; and what only talks of it."""

from __future__ import annotations

import pytest

from guardrails.commands.judge import CommandJudge
from guardrails.commands.rules import load_rules
from guardrails.commands.runbooks import load_runbooks

JUDGE = CommandJudge(load_rules(), load_runbooks())


@pytest.mark.parametrize(
    "text",
    [
        "psql -c 'DROP TABLE a'", "psql --command='DROP TABLE a'", "PGPASSWORD=x psql -h h -tAc 'drop table a'",
        "psql -c 'SELECT 1' -c 'DROP TABLE a'", "psql -f - <<< 'DROP TABLE a'", "psql <<E\nDROP TABLE a;\nE",
        "cat <<E | psql shop\nDROP TABLE a;\nE", "echo 'DROP TABLE a' | docker exec -i db psql -U u",
        "echo 'DROP TABLE a;' > x.sql; psql -f x.sql", "echo 'DROP TABLE a;' > x.sql; mysql shop < x.sql",
        "mysql -uroot -p -e 'DROP TABLE a' shop", 'mysql -e"DROP TABLE a"', "mariadb --execute='DROP TABLE a'",
        "sqlite3 a.db 'DROP TABLE a'", "sqlite3 a.db '.shell rm -rf /'", "duckdb a.db -c 'DROP TABLE a'",
        "sqlcmd -S h -Q 'DROP DATABASE x'", "clickhouse-client -q 'DROP TABLE a'", "snowsql -q 'DROP TABLE a'",
        "bq query --use_legacy_sql=false 'DROP TABLE a.b'", "impala-shell -q 'DROP TABLE a'",
        "cqlsh -e 'DROP KEYSPACE a'",
        "kubectl exec -n x pod -- mysql -uroot -e 'DROP DATABASE shop'",
        'for t in a b; do psql -c "DROP TABLE $t"; done',
        "echo 'DROP TABLE a' | python manage.py dbshell", "python -c \"cur.execute('DROP TABLE a')\"",
        "node -e 'db.query(`DELETE FROM a`)'", "psql -c '\\! rm -rf /'",
        'psql -c "DO \\$\\$ BEGIN DELETE FROM a; END \\$\\$"',
        "drop table users", "delete from users where 1=1", "DROP TABLE users", "1'; DROP TABLE users; --",
        '"); DELETE FROM users; --', "SELECT 1; EXEC xp_cmdshell 'dir'", "Invoke-Sqlcmd -Query 'DROP TABLE a'",
    ],
)  # fmt: skip
def test_sql_is_found_however_it_arrives(text: str) -> None:
    """Through every client, and alone without a word about its language."""
    assert [f for f in JUDGE.judge(text).findings if f.rule != "commands.unresolvable"]


@pytest.mark.parametrize(
    "text",
    [
        "psql -c 'SELECT 1'", "echo 'DROP TABLE a;' > x.sql", "grep 'DROP TABLE' dump.sql", "psql -f migrate.sql",
        "mysql shop < dump.sql", "sqlite3 a.db .tables", "drop table users and chairs from the list",
        "select a file from disk",
        "update the table set on the wiki", "delete from the list whatever is old", "git commit -m 'DROP TABLE users'",
        "python -c \"print('DROP TABLE a')\"", "psql -c \"SELECT 'DROP TABLE a'\"", "cqlsh -e 'DESCRIBE KEYSPACES'",
        "python -c \"cur.execute('SELECT 1')\"",
    ],
)  # fmt: skip
def test_mentions_and_queries_pass(text: str) -> None:
    """A file that nobody has shown, a sentence, a message, a pattern."""
    assert not JUDGE.judge(text).findings
