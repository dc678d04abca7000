"""Runbooks in Markdown: commands become steps, prose says why, headings say what they stand in for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from guardrails.commands.markdown import read
from guardrails.commands.rules import RuleError
from guardrails.guard import Guard
from guardrails.interface import Channel
from guardrails.policy import Policy

if TYPE_CHECKING:
    from pathlib import Path

RUNBOOK = """\
---
title: Database disk full
weight: 20
---

# DatabaseDiskFull

The data directory fills up. Nothing here is offered by itself.

```shell
$ df -h /var/lib/postgresql
Filesystem  Size  Used
/dev/sda1   40G   39G
```

## Instead of delete or overwrite: `rm`, `find`, data

Old write-ahead logs
go first:

```bash
SLOT="standby_1"
export PRIMARY="$(kubectl get pods -o name | head -1)"
# which slot holds them
psql -c "select * from pg_replication_slots where slot_name = '$SLOT'" \\
  -d <database>

pg_archivecleanup -n ${WAL_DIR} {oldest-file}
```

1. Look at `du -xh {path}` before anything else, not at `free`.

### And never

```sh
rm -rf /var/lib/postgresql
```

## Restart

```console
# systemctl restart <service name>
```

```json
{"not": "a command"}
```
"""


@pytest.fixture
def book(tmp_path: Path) -> Path:
    file = tmp_path / "DatabaseDiskFull.md"
    file.write_text(RUNBOOK)
    return file


def test_commands_become_steps(book: Path) -> None:
    """Prompts, comments, output and assignments are left out; placeholders become slots; the line is told."""
    steps, facts, raw = read(book)
    assert [(step.line, step.alternative.command) for step in steps] == [
        (11, "df -h /var/lib/postgresql"),
        (25, "psql -c \"select * from pg_replication_slots where slot_name = 'standby_1'\" -d {database}"),
        (28, "pg_archivecleanup -n {wal_dir} {oldest_file}"),
        (31, "du -xh {path}"),
        (36, "rm -rf /var/lib/postgresql"),
        (42, "systemctl restart {service_name}"),
    ]
    assert (facts, raw) == ([], RUNBOOK.encode())
    first, second = steps[0].alternative, steps[1].alternative
    assert first.id == "database-disk-full.database-disk-full"
    assert second.id == "database-disk-full.instead-of-delete-or-overwrite-rm-find-data"
    assert steps[2].alternative.id == f"{second.id}-2"
    assert second.why == "Old write-ahead logs go first"
    assert steps[5].alternative.why == "is the runbook's step: Restart"


def test_a_heading_says_what_its_steps_stand_in_for(book: Path) -> None:
    """It holds for everything below it, and ends with the next heading of its depth."""
    steps, _, _ = read(book)
    offers = [(list(map(str, one.effects)), one.heads, list(map(str, one.places))) for one in
              (step.alternative for step in steps)]  # fmt: skip
    told = (["delete", "overwrite"], ["rm", "find"], ["data"])
    assert offers == [([], [], []), told, told, told, told, ([], [], [])]


def test_front_matter_says_it_for_the_whole_file(tmp_path: Path) -> None:
    """Effects, places, heads and needs, and names that exist here."""
    file = tmp_path / "disk.md"
    file.write_text(
        "---\nwardgate:\n  effects: [stop]\n  needs: [service]\n  facts: {services: [billing-api]}\n---\n"
        "# Restart\n\n    `systemctl reload {service}`\n"
    )
    (step,), facts, _ = read(file)
    assert (step.line, step.alternative.command, step.alternative.needs) == (
        9,
        "systemctl reload {service}",
        ["service"],
    )
    assert facts == ["billing-api"]


@pytest.mark.parametrize(
    ("text", "where", "mend"),
    [
        ("---\nwardgate: {efects: [stop]}\n---\n", ":2: wardgate.efects", "did you mean effects?"),
        ("---\nwardgate: [b\n---\n", ":2: yaml", "close the bracket"),
        ("# X\n\n## Instead of deleting data\n", ":3: heading", "'deleting' is neither .* did you mean delete?"),
    ],
)
def test_what_cannot_be_meant_is_named(tmp_path: Path, text: str, where: str, mend: str) -> None:
    """Line, field and mend, as for rules."""
    file = tmp_path / "bad.md"
    file.write_text(text)
    with pytest.raises(RuleError, match=f"bad.md{where}: .*{mend}"):
        read(file)


def test_another_program_s_front_matter_is_left_alone(tmp_path: Path) -> None:
    """A wiki's own templates need not be YAML."""
    file = tmp_path / "default.md"
    file.write_text('---\ntitle: "{{ replace .Name "-" " " }}"\n---\n\n```sh\ndf -h\n```\n')
    (step,), _, _ = read(file)
    assert (step.line, step.alternative.command) == (6, "df -h")


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    """As is one that is not there."""
    file = tmp_path / "bad.md"
    with pytest.raises(RuleError, match="cannot be read"):
        read(file)
    file.write_bytes(b"caf\xe9")
    with pytest.raises(RuleError, match="save it as UTF-8"):
        read(file)


def test_a_team_s_runbook_is_offered_and_its_destructive_steps_are_not(book: Path) -> None:
    """The step with its slot filled comes first; what would be stopped itself is told, and never offered."""
    guard = Guard(Policy.parse({"runbook_paths": [book.name]}, book.parent))
    verdict = guard.examine("rm -rf /var/lib/postgresql", Channel.COMMAND)
    assert verdict.alternative == (
        "psql -c \"select * from pg_replication_slots where slot_name = 'standby_1'\" -d {database}"
    )
    (dropped,) = guard.catalogue.dropped
    assert str(dropped).startswith(f"{book}:36: 'rm -rf /var/lib/postgresql' is not offered: it would delete")
    assert all(one.command != dropped.command for one in guard.catalogue.alternatives)


def test_a_folder_is_read_with_what_lies_below(book: Path) -> None:
    """Markdown and YAML side by side; the catalogue knows the words of all."""
    deep = book.parent / "teams" / "billing"
    deep.mkdir(parents=True)
    (deep / "more.yaml").write_text("facts: {hosts: [DB-1.internal]}\nalternatives: []\n")
    words = Guard(Policy.parse({"runbook_paths": ["."]}, book.parent)).catalogue.words
    assert {"db-1.internal", "pg_archivecleanup", "/var/lib/postgresql", "-n"} <= words
    assert not any("{" in word for word in words)
