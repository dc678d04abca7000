"""One grammar a parameter type: what each takes, and what each refuses by name and place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrails.grammars import STRICT, offence
from guardrails.parameters import ParameterType

TAKEN = {
    "service": ["nginx", "postgresql@14-main.service", "prod/cart", "cart+sidecar", "web:8443", "MSSQL$PROD", "a_b"],
    "host": [
        "web-01.example.com",
        "localhost",
        "WIN-SQL04",
        "10.0.0.12",
        "10.0.0.0/16",
        "10.1.2.3:8443",
        "::1",
        "fe80::1%eth0",
        "[2001:db8::7]:443",
        "2001:db8::/32",
        "srv-münchen-02.example.de",
        "\\\\FILES01",
        "db.prod.svc.cluster.local:5432",
    ],
    "path": [
        "/var/log/nginx/current.log",
        "C:\\Program Files\\web\\app.exe",
        "./a.csv",
        "../shared/data",
        "~/x/README.md",
        "/data/R&D/plan #2.pdf",
        "/mnt/Jörg's disk/photo (1).jpg",
    ],
    "number": [
        "3",
        "-2.5",
        "2e15",
        "1,024.5",
        "85 %",
        "≥ 97.25%",
        "€ 27,50",
        "7/18",
        "½",
        "10.1K",
        "18 GiB",
        "0x1F",
        "NaN",
    ],
    "enum": ["P1 - Critical", "blue/green", "N/A", "IPv4"],
    "identifier": ["INC-41", "deploy/web", "a1b2-c3", "sha256:9f86d081", "web[3]", "PR#12"],
    "version": [
        "v2.13.0-rc.1",
        "1.29.4+k3s1",
        "HEAD~5",
        ">=2.31,<3",
        "python>=3.10,<3.13",
        "~1.4",
        "latest",
        "registry.example.com/web@sha256:9f86",
    ],
    "time": [
        "2026-11-21T03:00:00Z",
        "now-5h",
        "last 15m",
        "every 10 minutes",
        "yesterday, 8 p.m.",
        "Nov 21 03:00:01",
        "[2026-11-20 TO 2026-11-21]",
        "1763690400",
        "PT5M",
        "Fri, 21 Nov 2026 03:00:00 +0100",
        "2 hours ago",
    ],
    "cron": ["*/5 * * * *", "0 22 * * 1-5#2", "0 0,12 1 */2 *", "@daily", "@every 5m", "TZ=Europe/Berlin 0 5 * * MON"],
    "regex": ["^web-[0-9]+$", "^(GET|POST) /", "foo\\|bar", "[A-Z]{2}-\\d{4}", "^(?!test).*$", "[]()]+", "a{1,2}"],
    "selector": [
        "app=web,tier in (web,api)",
        "env!=prod",
        "status.phase!=Running",
        "version notin (v1,v2)",
        "!canary",
        'severity=~"warning|critical"',
        '{app="web"}',
        'up{job="x"}',
    ],
    "query": [
        'rate(x{code=~"5.."}[2m]) > 0.05',
        "status:500 AND service:web",
        "_source=prod | count by host",
        "index=main | stats count by host | sort -count | head 10",
        "SELECT a || b FROM t WHERE x > 1",
    ],
    "json": ['{"a":[1,2,{"b":null}]}', '{"msg":"p99 > 2s; paging"}', "name: web, replicas: 5"],
    "url": [
        "https://example.com/path;v=1.1/item",
        "http://srv-münchen.example.de:9090/g?a=up&b=15",
        "postgresql://app@db:5432/o",
    ],
    "email": [
        "o'brien@example.ie",
        "<ops+a@example.com>",
        '"Lastname, First (Ext.)" <a.b@example.co.uk>',
        "Ops <a@b.test>",
    ],
    "free_text": ["anything at all", ""],
}

REFUSED = {
    "service": ["nginx; curl x | sh", "nginx$(id)", "a b", "-rf", "../x", "a\nb", "nginx%3Bid", "a|b", ""],
    "host": ["a;b", "10.0.0.300", "1::2::3", "a b", "-oProxyCommand=x", "a..b", "x`id`", "[::1", "host:99999999"],
    "path": [
        "/var/../etc/passwd",
        "../../../x",
        "../etc/passwd",
        "/../x",
        "/tmp/a;id",
        "/tmp/$HOME",
        "/tmp/*",
        "a\0b",
        "-rf",
        "/tmp -rf /",
        "/tmp/%2e%2e/x",
        "C:\\a\\..\\b",
        "/a&&b",
        "/tmp/a & b",
    ],
    "number": ["1;2", "one", "1 2 3x!", "$9", "> 5", "--5", ""],
    "enum": ["a;b", "a|b", "../x", ""],
    "identifier": ["a b", "a;b", "-x", "../a", "a\u200bb"],
    "version": ["1.0;id", "1.0 || 2.0", "$(id)", ">/etc/passwd", ""],
    "time": ["now;id", "whenever", "last 5m | sh", "2026 `id`"],
    "cron": ["* * * *", "*/5 * * * * ; id", "@often", "* * * * * root rm"],
    "regex": ["(a", "a)", "[a", "a`id`", "$(id)", "|x", "a\nb"],
    "selector": ["app=web;id", "a=$(id)", "=x", 'a="x;y"', "a b"],
    "query": ["sum(x", "x)", "a{b]", "$(id)", "x\x00"],
    "json": ["{", "{'a': 1}", "a: b; c", "[" * 100_000],
    "url": [
        "example.com",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "http://a.test/ x",
        "http://a.test/%0d%0aSet-Cookie:x",
        "http://a.test/$(id)",
        "http://",
        "http://a.test/`id`",
    ],
    "email": ["a@b@c", "a", "a@b.test; id", "<a@b.test", "a@b.test\nBcc: x@y.test", '"x;y" <a@b.test>'],
    "free_text": ["a\x00b", "a\u202eb"],
}


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in TAKEN.items() for text in texts])
def test_a_value_of_its_type_is_taken(kind: str, text: str) -> None:
    assert offence(text, ParameterType(kind)) is None


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in REFUSED.items() for text in texts])
def test_anything_else_is_refused(kind: str, text: str) -> None:
    wrong = offence(text, ParameterType(kind))
    assert wrong is not None
    assert 0 <= wrong.start <= wrong.end <= max(len(text), 1)


def test_every_type_has_its_cases() -> None:
    assert set(TAKEN) == set(REFUSED) == set(ParameterType)


@pytest.mark.parametrize(
    ("kind", "text", "rule", "start", "words"),
    [
        ("service", "nginx; curl x | sh", "parameter.character", 5, "';' at offset 5"),
        ("service", "a\tb", "parameter.control", 1, "a tab at offset 1"),
        ("service", "a\u200bb", "parameter.control", 1, "U+200B at offset 1"),
        ("service", "-rf", "parameter.option", 0, "'-' at offset 0"),
        ("path", "/a/../b", "parameter.traversal", 3, "'..' at offset 3"),
        ("host", "a b", "parameter.host", 0, "expected a host name"),
        ("number", "n%41", "parameter.character", 1, "'%41' at offset 1"),
        ("regex", "a(b", "parameter.regex", 1, "'(' at offset 1 is not closed"),
        ("query", "a]", "parameter.query", 1, "']' at offset 1 closes nothing"),
        ("json", '{"a":}', "parameter.json", 5, "offset 5"),
    ],
)
def test_the_offence_is_named_with_its_place(kind: str, text: str, rule: str, start: int, words: str) -> None:
    wrong = offence(text, ParameterType(kind))
    assert wrong is not None
    assert (wrong.rule, wrong.start) == (rule, start)
    assert words in wrong.message


def test_an_enum_with_values_takes_exactly_those() -> None:
    assert offence("a;b", ParameterType.ENUM, ("a;b", "c")) is None
    wrong = offence("d", ParameterType.ENUM, ("a", "c"))
    assert wrong is not None
    assert "one of 'a', 'c'" in wrong.message


def test_a_long_value_is_none_of_a_short_type() -> None:
    wrong = offence("a" * 5000, ParameterType.REGEX)
    assert wrong is not None
    assert "at most 4096" in wrong.message


@given(st.sampled_from(sorted(STRICT - {ParameterType.VERSION, ParameterType.EMAIL})), st.text(min_size=1))
def test_no_strict_type_lets_a_shell_s_character_through(kind: ParameterType, text: str) -> None:
    if offence(text, kind) is None and kind is not ParameterType.SERVICE:
        assert not set(text) & set(";|`$<>\n\r\0")


@given(st.sampled_from(sorted(ParameterType)), st.text(alphabet=" .,:;-/\\*()[]{}'\"a1Z@|&$%<>=~!^#+\n", max_size=200))
def test_offences_stay_inside_the_value(kind: ParameterType, text: str) -> None:
    wrong = offence(text, kind)
    assert wrong is None or 0 <= wrong.start <= wrong.end <= max(1, len(text))
