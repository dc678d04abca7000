"""The shell is the oracle: what a real bash executes is what our tree says would run.

Commands run in an empty throwaway root (`tests/oracle/`) whose programs write down what they were called with, once
succeeding and once failing; every argument vector executed must be one that the tree has, or the row is declared
unresolvable. A sample is compared here; `make bench-oracle` compares any file.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import Phase, given, settings
from oracle.comparison import compare
from oracle.generator import scripts
from oracle.obfuscations import obfuscations
from oracle.sandbox import NoSandbox, Sandbox
from oracle.tally import AGREEMENT, UNRESOLVABLE, Tally

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DATA = Path(__file__).parents[3] / "shared" / "data" / "commands_ordinary.jsonl"
SAMPLE = 250  # texts, each run twice at some 10 ms


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    try:
        with Sandbox() as one:
            yield one
    except NoSandbox as refused:
        pytest.skip(f"no throwaway root can be had here: {refused}")


def tally(texts: Iterable[str], sandbox: Sandbox) -> Tally:
    """Each text compared with bash, and the counts printed."""
    counts = Tally()
    for text in texts:
        counts.count(compare(text, sandbox))
    print(*counts.lines(), *(f"disagrees: {row.text!r}: {row.missed}" for row in counts.disagreements), sep="\n")  # noqa: T201 - shown where the test fails
    return counts


def test_the_root_shows_nothing_of_the_host(sandbox: Sandbox) -> None:
    """Bash there is nobody, alone, without a network, in an empty home, and cannot write where it stands."""
    script = """
        user $UID; home *; top /*; etc /etc/*; processes /proc/[0-9]*
        (exec 3<>/dev/tcp/127.0.0.1/22) || unreachable
        (echo x > /bin/x) || sealed
    """
    calls = {call[0]: call[1:] for call in sandbox.run(script, fails=False).calls}
    assert calls["user"] == ("65534",)
    assert calls["home"] == ("*",)
    assert set(calls["top"]) <= {
        f"/{name}"
        for name in ["bin", "dev", "etc", "home", "lib", "lib64", "proc", "real", "run", "sbin", "tmp", "usr", "var"]
    }
    assert calls["etc"] == ("/etc/passwd",)
    assert len(calls["processes"]) <= 3
    assert {"unreachable", "sealed"} <= calls.keys()


def test_every_text_has_a_home_of_its_own(sandbox: Sandbox) -> None:
    """What one text leaves behind, no other sees; what would not end is ended."""
    sandbox.run("echo x > here; echo x > /tmp/here", fails=False)
    assert sandbox.run("see * /tmp/*", fails=False).calls == (("see", "*", "/tmp/*"),)
    assert sandbox.run("while :; do :; done", fails=False).status != 0


def test_stubs_are_called_as_the_system_s_programs_are(sandbox: Sandbox) -> None:
    """By name or usual path, through the real runners and through stubs that run what stands behind their options."""
    script = "/usr/bin/rm a; echo b | sudo -u x xargs -n 1 timeout 5 nice rm; ssh h 'rm c'; no-such-name d"
    for fails in (False, True):
        calls = sandbox.run(script, fails=fails).calls
        assert {("rm", "a"), ("rm", "b"), ("rm", "c"), ("no-such-name", "d"), ("nice", "rm", "b")} <= set(calls)


def test_everyday_commands_run_what_the_tree_says(sandbox: Sandbox) -> None:
    """Of everyday commands nearly all agree to the letter, and few cannot be resolved."""
    if not DATA.exists():
        pytest.skip("the shared data are not here: commands_ordinary.jsonl")
    rows = [json.loads(line) for line in DATA.read_text("utf-8").splitlines()]
    rows = [row for row in rows if row["shell"] == "bash"]
    rows.sort(key=lambda row: hashlib.sha256(row["id"].encode()).digest())
    counts = tally((row["text"] for row in rows[:SAMPLE]), sandbox)
    assert counts.agreeing.document()["share"] >= AGREEMENT
    assert counts.unresolvable.document()["share"] <= UNRESOLVABLE


def test_no_obfuscation_runs_what_the_tree_does_not_say(sandbox: Sandbox) -> None:
    """Each way to hide a command is seen through, or said to be unresolvable."""
    counts = tally((text for _, text in obfuscations()), sandbox)
    assert counts.agreeing.document()["share"] >= AGREEMENT
    assert counts.unresolvable.document()["share"] <= 0.05


def test_scripts_made_up_at_random_run_what_the_tree_says(sandbox: Sandbox) -> None:
    """Constructs in constructs: what bash executes is in the tree of nearly every script, told its environment."""
    counts = Tally()

    @settings(max_examples=150, database=None, deadline=None, derandomize=True, phases=[Phase.generate])
    @given(scripts())
    def ask(text: str) -> None:
        counts.count(compare(text, sandbox, known=True))

    ask()
    print(*(f"disagrees: {row.text!r}: {row.missed}" for row in counts.disagreements), sep="\n")  # noqa: T201 - as above
    assert counts.agreeing.document()["share"] >= 0.97
