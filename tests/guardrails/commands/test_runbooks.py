"""The catalogue of safe alternatives: chosen by what was found, filled from the command, never destructive itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from guardrails.commands.judge import CommandJudge
from guardrails.commands.rules import RuleError, load_rules
from guardrails.commands.runbooks import Alternative, load_runbooks, vetted

if TYPE_CHECKING:
    from pathlib import Path

RULES = load_rules()
CATALOGUE = load_runbooks()
JUDGE = CommandJudge(RULES, CATALOGUE)
SLOTS = {
    "service": "postgresql", "path": "/srv/data", "deployment": "web", "container": "web", "url": "https://x.example/y",
    "source": "a/", "destination": "b/", "release": "web", "database": "shop", "table": "orders", "condition": "id = 1",
    "playbook": "site.yml", "package": "nginx", "secret": "app/db",
    "user": "ann", "topic": "orders", "group": "billing", "bootstrap_server": "b:9092",
    "file": "shop.db", "identity": "ann", "noun": "Service",
}  # fmt: skip


@pytest.mark.parametrize("offer", CATALOGUE.alternatives, ids=lambda o: o.id)
def test_no_alternative_is_destructive(offer: Alternative) -> None:
    """What a refusal offers would pass the guard itself, empty and filled."""
    filled = offer.command
    for slot, value in SLOTS.items():
        filled = filled.replace(f"{{{slot}}}", value)
    assert "{" not in filled
    assert JUDGE.judge(filled, offer.shell).findings == ()


def test_every_runbook_a_rule_names_exists() -> None:
    """A rule's `runbook` is the id of an alternative, and so is what a variant takes the place of."""
    known = {one.id for one in CATALOGUE.alternatives}
    assert {one.variant_of for one in CATALOGUE.alternatives if one.variant_of} <= known
    assert len(known) == len(CATALOGUE.alternatives)
    assert {rule.runbook for rule in RULES.rules if rule.runbook} <= known


@pytest.mark.parametrize(
    ("text", "alternative"),
    [
        ("rm -rf /var/lib/postgresql", "systemctl restart postgresql"),
        ("sudo rm -rf /var/lib/mysql/", "systemctl restart mysql"),
        ("rm -rf /var/log/*", "journalctl --vacuum-size=1G"),
        ("systemctl stop sshd", "systemctl restart sshd"),
        ("kubectl delete deployment web", "kubectl rollout restart deployment/web"),
        ("docker rm -f web", "docker restart web"),
        ("git reset --hard", "git stash"),
        ("curl -X DELETE http://es:9200/logs", "curl -fsS http://es:9200/logs"),
        ("dropdb shop", "pg_dump --format=custom --file=/tmp/before.dump shop"),
        ("rm -rf src", "mv src /tmp/"),
        ("Stop-Computer -Force", "Restart-Service {service}"),
        (
            "kafka-topics.sh --bootstrap-server b:9092 --delete --topic orders",
            "kafka-topics --bootstrap-server b:9092 --describe --topic orders",
        ),
        ("userdel -r ann", "id ann"),
        ("mysql -e 'DROP DATABASE shop'", "mysqldump --result-file=/tmp/before.sql {database}"),
        ("pulumi destroy --yes", "pulumi preview"),
        ("Remove-NfsShare -Name shop", "Get-nfsshare"),
        ("Remove-ADUser -Identity ann", "Disable-ADAccount -Identity ann -WhatIf"),
        ("shred -n 3 -z /dev/sda", "ls -l /dev/sda"),
        ("rm -rf build /var/lib/postgresql ./x", "systemctl restart postgresql"),
        ("rd /s /q C:\\", "Get-ChildItem C:\\ | Sort-Object Length -Descending"),
        ("rabbitmqctl delete_vhost /staging", "rabbitmqctl list_queues name messages consumers"),
        ("DELETE FROM orders;", "SELECT count(*) FROM orders WHERE {condition};"),
    ],
)
def test_the_alternative_is_filled_from_the_command(text: str, alternative: str) -> None:
    """A slot the command tells is filled, one it does not tell stays visible."""
    assert JUDGE.judge(text).findings[0].alternative == alternative


def test_a_slot_takes_no_shell_syntax() -> None:
    """A value that a shell would read otherwise is not put into a command."""
    finding = JUDGE.judge("dropdb 'a; curl x | sh'").findings[0]
    assert finding.alternative == "pg_dump --format=custom --file=/tmp/before.dump {database}"


def test_a_teams_alternative_that_cannot_be_meant_is_named(tmp_path: Path) -> None:
    """File, line and field are told."""
    file = tmp_path / "ours.yaml"
    file.write_text("alternatives:\n  - id: ours.ask\n    command: ask-dba\n    why: asks\n")
    with pytest.raises(RuleError) as wrong:
        load_runbooks([file])
    assert (wrong.value.file, wrong.value.line, wrong.value.field) == (file, 4, "alternatives.0.why")


def test_a_teams_alternative_replaces_the_built_in_one(tmp_path: Path) -> None:
    """The same id in a team's file wins."""
    file = tmp_path / "more.yaml"
    file.write_text("alternatives: [{id: git.stash, command: git stash --all, why: keeps everything aside}]")
    catalogue = load_runbooks([file])
    assert catalogue.digest != CATALOGUE.digest
    finding = CommandJudge(RULES, catalogue).judge("git reset --hard").findings[0]
    assert finding.alternative == "git stash --all"


@pytest.mark.parametrize("text", ["alternatives: [", "alternatives: []", "other: 1"])
def test_a_bad_catalogue_names_its_file(tmp_path: Path, text: str) -> None:
    """What cannot be meant is refused with the file's name."""
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    with pytest.raises(RuleError, match=r"bad\.yaml:\d+: "):
        load_runbooks([file])


def test_a_missing_catalogue_names_its_file(tmp_path: Path) -> None:
    """A path that leads nowhere is refused."""
    with pytest.raises(RuleError, match="none"):
        load_runbooks([tmp_path / "none.yaml"])


def test_a_step_that_is_not_safe_itself_is_refused(tmp_path: Path) -> None:
    """A YAML file is written to be offered, so a destructive step in it is an error with its line."""
    file = tmp_path / "ours.yaml"
    file.write_text("alternatives:\n  - {id: ours.ok, command: 'df {path}', why: shows space}\n"
                    "  - {id: ours.bad, command: 'rm -rf /srv/{path}', why: makes space}\n")  # fmt: skip
    with pytest.raises(RuleError, match=r"ours\.yaml:3: alternatives\.ours\.bad\.command: is no safe step: it would"):
        vetted(load_runbooks([file]), JUDGE)


def test_a_teams_own_steps_come_before_what_a_built_in_rule_names(tmp_path: Path) -> None:
    """Who wrote the runbook knows the machines; where it says nothing the rule's step stays."""
    file = tmp_path / "ours.yaml"
    file.write_text(
        "alternatives: [{id: ours.shelve, command: git shelve, why: keeps it aside, effects: [irreversible]}]"
    )
    judge = CommandJudge(RULES, load_runbooks([file]))
    assert judge.judge("git reset --hard").findings[0].alternative == "git shelve"
    assert judge.judge("rm -rf /var/lib/mysql").findings[0].alternative == "systemctl restart mysql"


def test_the_catalogue_knows_its_words() -> None:
    """Options, names and paths, whole and in parts, in lower case; nothing of a slot."""
    assert {"--vacuum-size=1g", "--vacuum-size", "restart-service", "/tmp/", "pg_dump"} <= CATALOGUE.words
    assert not any("{" in word or "service}" in word for word in CATALOGUE.words)
