"""Every rule's own examples are its tests."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from guardrails.commands.effects import Place
from guardrails.commands.examples import failures
from guardrails.commands.judge import CommandJudge
from guardrails.commands.rules import BUILT_IN, Rule, RuleError, load_rules
from guardrails.commands.runbooks import load_runbooks
from guardrails.commands.schema import MatchData, RuleData
from guardrails.guard import Guard
from guardrails.policy import Policy

if TYPE_CHECKING:
    from pathlib import Path

RULES = load_rules()
JUDGE = CommandJudge(RULES, load_runbooks())


@pytest.mark.parametrize("rule", RULES.rules, ids=lambda r: r.id)
def test_a_rule_finds_its_positive_and_leaves_its_negative_examples(rule: Rule) -> None:
    """A positive example is found by its rule, its span inside the text; a negative one is not found by it."""
    for text in rule.positive:
        found = [f for f in JUDGE.judge(text, rule.shell).findings if f.rule == rule.id]
        assert found, f"{rule.id} misses {text!r}"
        assert all(0 <= f.span[0] < f.span[1] <= len(text) for f in found)
    for text in rule.negative:
        assert rule.id not in [f.rule for f in JUDGE.judge(text, rule.shell).findings], f"{rule.id} finds {text!r}"


RULE = """\
pack: ours
rules:
  - id: no-left-pad
    effect: delete
    severity: high
    reason: would remove left-pad
    reference: https://example.com
    match:
      - command: [leftpad]
        subcommand: [remove]
    positive: [leftpad remove]
    negative: [leftpad list]
"""


def test_a_team_adds_its_own_rules(tmp_path: Path) -> None:
    """A file or a folder of files is read with the built-in packs, changes the digest and extends the heads."""
    (tmp_path / "ours.yaml").write_text(RULE)
    for path in (tmp_path, tmp_path / "ours.yaml"):
        rules = load_rules([path])
        judge = CommandJudge(rules, load_runbooks())
        assert [f.rule for f in judge.judge("sudo leftpad remove").findings] == ["ours.no-left-pad"]
        assert rules.digest != RULES.digest
        assert judge.may_begin("leftp")
        assert not JUDGE.may_begin("leftp")


@pytest.mark.parametrize(
    ("old", "new", "line", "field"),
    [
        ("severity: high", "severity: dire", 5, "rules.0.severity"),
        ("effect: delete", "efect: delete", 4, "rules.0.efect"),
        ("[leftpad]", "leftpad", 9, "rules.0.match.0.command"),
        ("positive: [leftpad remove]", "positive: []", 11, "rules.0.positive"),
        ("subcommand: [remove]", "text: '('", 10, "rules.0.match.0.text"),
        ("pack: ours", "pack: ours: x", 1, "yaml"),
        ("pack: ours", "pack: files\nextra: 1", 2, "extra"),
        ("reference: https://example.com", "reference: x", 7, "rules.0.reference"),
    ],
)
def test_a_bad_rule_names_file_line_and_field(tmp_path: Path, old: str, new: str, line: int, field: str) -> None:
    """What cannot be meant is refused with the place to mend."""
    file = tmp_path / "ours.yaml"
    file.write_text(RULE.replace(old, new))
    with pytest.raises(RuleError) as wrong:
        load_rules([file])
    assert (wrong.value.file, wrong.value.line, wrong.value.field) == (file, line, field)


def test_an_id_is_given_once(tmp_path: Path) -> None:
    """A team's rule may not silently replace a built-in one."""
    file = tmp_path / "ours.yaml"
    file.write_text(RULE.replace("pack: ours", "pack: files").replace("no-left-pad", "delete-tree"))
    with pytest.raises(RuleError, match="taken already"):
        load_rules([file])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A path that leads nowhere is refused."""
    with pytest.raises(RuleError, match=r"none\.yaml:1: path: cannot be read"):
        load_rules([tmp_path / "none.yaml"])


def test_a_message_is_one_line_for_a_person() -> None:
    """Every reason begins with what would happen and leaves no slot open."""
    for rule in RULES.rules:
        assert rule.reason.startswith("would "), rule.id
        for text in rule.positive:
            for finding in JUDGE.judge(text, rule.shell).findings:
                assert "{" not in finding.message or "finalizers" in finding.message
                assert "\n" not in finding.message


def test_an_alternative_of_its_own_is_filled_from_the_command(tmp_path: Path) -> None:
    """What the command tells is filled in; what a shell would read otherwise stays a slot."""
    file = tmp_path / "ours.yaml"
    named = "subcommand: [remove]\n        names: {version: 0}\n    alternative: leftpad pin {version}"
    file.write_text(RULE.replace("subcommand: [remove]", named))
    judge = CommandJudge(load_rules([file]), load_runbooks())
    assert judge.judge("leftpad remove 1.2").findings[0].alternative == "leftpad pin 1.2"
    assert judge.judge("leftpad remove '1;id'").findings[0].alternative == "leftpad pin {version}"


def test_a_finding_says_what_would_happen_to_what() -> None:
    """Effect and target stand beside the message."""
    (finding,) = JUDGE.judge("rm -rf /var/lib/mysql").findings
    assert finding.effect == "delete"
    assert finding.target is not None
    assert (finding.target.path, finding.target.place) == ("/var/lib/mysql", "data")


@pytest.mark.parametrize(
    ("old", "new", "mend"),
    [
        ("severity: high", "severity: hihg", "did you mean high?"),
        ("severity: high", "severty: high", "did you mean severity?"),
        ("    reference: https://example.com\n", "", "is missing; add `reference: "),
        ("[leftpad]", "leftpad", "write `command: \\[leftpad\\]`"),
        ("[leftpad]", "[/usr/bin/leftpad]", "without their folder; write leftpad"),
        ("[leftpad]", "[leftpad x]", "`subcommand: \\[x\\]`"),
        ("[leftpad]", "['left*pad']", "at the end of a name"),
        ("[leftpad]", "[' ']", "write the command's name"),
        ("        subcommand", "    subcommand", "one level deeper, below `match:`"),
        ("    positive", "        positive", "one level higher"),
        ("subcommand: [remove]", "subcommand: [--all]", "below `options`"),
        ("subcommand: [remove]", "subcommand: ['**']", "ends in a word"),
        ("subcommand: [remove]", "subcommand: ['a*b*']", "one \\* a word"),
        ("subcommand: [remove]", "options: [force]", "one begins with -"),
        ("subcommand: [remove]", "options: ['--x y']", "below `values`"),
        ("subcommand: [remove]", "places: [datas]", "did you mean data?"),
        ("subcommand: [remove]", "text: 'a(?!b)'", "looks around itself"),
        ("subcommand: [remove]", "harmful: a", "takes `harmless` back"),
        ("subcommand: [remove]", "same: '(a) a'", "two groups"),
        ("subcommand: [remove]", "captures: {x: a}", "no group"),
        ("subcommand: [remove]", "names: [x]", "slot: value"),
        ("[leftpad remove]", "[leftpad: remove]", "put the whole text in quotes"),
        ("[leftpad remove]", "[no]", "put it in quotes"),
        ("[leftpad remove]", "[7]", "a text is wanted"),
        ("[leftpad remove]", "[leftpad remove", "close the bracket"),
        ("would remove", "removes", "begin with `would`"),
        ("left-pad\n    ref", "{pkg}\n    ref", "filled by nothing; name it below `names`"),
        ("id: no-left-pad", "id: No Pad", "lower-case letters"),
        ("id: no-left-pad", "id: a\n    id: b", "written twice"),
        ("  - id", "\t- id", "indent with blanks"),
        ("    match", "    shell: powershel\n    match", "did you mean powershell?"),
        ("    severity: high", "    severity:", "is empty; write something behind it, as in `severity: high`"),
        ("pack: ours", "pack: ours\nowner: me", "there are pack, rules"),
        (RULE, "", "is empty; it begins with `pack:` and `rules:`"),
        (RULE, "- a", "keys with values are wanted"),
    ],
)
def test_a_slip_is_told_with_its_mend(tmp_path: Path, old: str, new: str, mend: str) -> None:
    """What newcomers do wrong is answered with what to write instead."""
    file = tmp_path / "ours.yaml"
    assert old in RULE
    file.write_text(RULE.replace(old, new))
    with pytest.raises(RuleError, match=mend):
        load_rules([file])


def test_two_rules_of_one_file_may_not_share_an_id(tmp_path: Path) -> None:
    """The second is named with its line and the first's."""
    file = tmp_path / "ours.yaml"
    file.write_text(RULE + RULE.partition("rules:\n")[2])
    with pytest.raises(RuleError, match=r"ours\.yaml:13: rules\.1\.id: .* line 3"):
        load_rules([file])


def test_an_alias_of_powershells_is_named_by_its_cmdlet(tmp_path: Path) -> None:
    """Commands are compared after aliases are resolved, so a rule on an alias would never be reached."""
    file = tmp_path / "ours.yaml"
    file.write_text(RULE.replace("[leftpad]", "[iwr]").replace("    match", "    shell: powershell\n    match"))
    with pytest.raises(RuleError, match="write invoke-webrequest"):
        load_rules([file])


def test_a_folder_without_rules_is_named(tmp_path: Path) -> None:
    """It would otherwise be a policy that says less than it seems to."""
    with pytest.raises(RuleError, match="holds no file"):
        load_rules([tmp_path])


def test_the_page_for_authors_tells_the_truth(tmp_path: Path) -> None:
    """Its rule's examples hold, its runbooks are read, and it names every key there is."""
    page = (BUILT_IN / "README.md").read_text()
    rule, steps = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (book,) = re.findall(r"^```markdown\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    for name, text in (("rule.yaml", rule), ("steps.yaml", steps), ("book.md", book)):
        (tmp_path / name).write_text(text)
    guard = Guard(Policy.parse({"rule_paths": ["rule.yaml"], "runbook_paths": ["steps.yaml", "book.md"]}, tmp_path))
    own = [rule for rule in guard.rules.rules if rule.own]
    assert [rule.id for rule in own] == ["fleet.drain-node"]
    assert not list(failures(own, guard))
    assert [step.alternative.command for step in guard.catalogue.steps] == [
        "fleetctl cordon {node}",
        "du -xh --max-depth=1 {path}",
    ]
    for key in (*RuleData.model_fields, *MatchData.model_fields):
        assert f"`{key}`" in page or f"`{key}: " in page, key
    for place in Place:
        assert str(place) in page


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("./teardown.sh prod", True),
        ("bash /opt/ours/teardown.sh prod", True),
        ("sudo sh -x teardown.sh prod", True),
        (". ./teardown.sh prod", True),
        ("bash -n teardown.sh prod", False),
        ("bash -c 'echo teardown.sh prod'", False),
        ("bash teardown.sh staging", False),
        ("cat teardown.sh prod", False),
    ],
)
def test_a_script_of_the_team_is_known_however_it_is_run(tmp_path: Path, text: str, found: bool) -> None:
    """By its own name, by a shell that is given its file, or read into one."""
    file = tmp_path / "ours.yaml"
    file.write_text(
        RULE.replace("[leftpad]", "[teardown.sh]").replace("subcommand: [remove]", "arguments: ^prod$")
        .replace("[leftpad remove]", "[teardown.sh prod]").replace("[leftpad list]", "[teardown.sh x]")
    )  # fmt: skip
    judge = CommandJudge(load_rules([file]), load_runbooks())
    assert ("ours.no-left-pad" in [f.rule for f in judge.judge(text).findings]) is found


def test_a_runbook_that_nobody_wrote_is_named(tmp_path: Path) -> None:
    """Such a rule would silently offer nothing."""
    file = tmp_path / "ours.yaml"
    file.write_text(RULE.replace("    match", "    runbook: git.stsh\n    match"))
    with pytest.raises(RuleError, match=r"ours\.yaml:3: runbook: 'git\.stsh' is no step .* did you mean git\.stash\?"):
        Guard(Policy.parse({"rule_paths": ["ours.yaml"]}, tmp_path))


def test_a_file_that_holds_itself_is_refused(tmp_path: Path) -> None:
    """An alias may not lead back to where it stands."""
    file = tmp_path / "ours.yaml"
    file.write_text("pack: ours\nrules: &a [*a]\n")
    with pytest.raises(RuleError, match="holds itself"):
        load_rules([file])
