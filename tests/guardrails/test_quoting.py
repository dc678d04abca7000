"""A value in a command is one word of it: checked by real shells, not by our own reading."""

from __future__ import annotations

import sqlite3
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails.interface import Shell
from guardrails.parameters import Parameter, bind
from guardrails.quoting import open_quote, quoted

ODD = [
    "it's",
    'say "x"',
    "a;b",
    "$(id)",
    "`id`",
    "$HOME",
    "a\\b",
    "a b",
    "*",
    "~",
    "x' 'y",
    "",
    "-rf",
    "\u00e9 \u2019",
    "a'\"b",
]
ANY = st.text(st.characters(blacklist_characters="\0\r\n", blacklist_categories=("Cs",)), max_size=30)


def said(command: str) -> str:
    """What a real bash prints for a command."""
    return subprocess.run(["bash", "-c", command], capture_output=True, timeout=20, check=True).stdout.decode()


@pytest.mark.parametrize(
    "form", ["printf %s {{v}}", "printf %s '{{v}}'", 'printf %s "{{v}}"', "printf %s 'a'\"{{v}}\""]
)
@pytest.mark.parametrize("value", ODD)
def test_bash_is_given_the_value_and_nothing_else(form: str, value: str) -> None:
    text = bind([f"Run this:\n```bash\n{form}\n```"], {"v": Parameter(value)})[0]
    command = text.split("\n")[2]
    assert said(command) == ("a" if "'a'" in form else "") + value


@settings(max_examples=40, deadline=None)
@given(st.lists(ANY, min_size=4, max_size=4))
def test_bash_reads_any_value_back(values: list[str]) -> None:
    words = " ".join(quoted(value, Shell.BASH) for value in values)
    assert said(f"printf '%s\\n' {words}").split("\n")[:-1] == values


@settings(max_examples=100, deadline=None)
@given(ANY)
def test_sqlite_reads_any_value_back(value: str) -> None:
    with sqlite3.connect(":memory:") as base:
        row = base.execute(f"SELECT '{quoted(value, Shell.SQL, chr(39))}'").fetchone()
        assert row == (value,)
        if not value.replace(".", "").replace("_", "").isalnum():
            assert base.execute(f"SELECT {quoted(value, Shell.SQL)}").fetchone() == (value,)


@pytest.mark.parametrize(
    ("value", "within", "written"),
    [("it's", "", "'it''s'"), ("$x", "", "'$x'"), ("web-01", "", "web-01"), ("$x", '"', "`$x"), ("a'b", "'", "a''b")],
)
def test_powershell_has_its_own_quotes(value: str, within: str, written: str) -> None:
    assert quoted(value, Shell.POWERSHELL, within) == written


@pytest.mark.parametrize(("value", "written"), [("a b", '"a b"'), ("a&b", '"a&b"'), ("web", "web"), ('x"y', '"x""y"')])
def test_cmd_has_its_own_quotes(value: str, written: str) -> None:
    assert quoted(value, Shell.CMD) == written


def test_a_value_in_prose_or_alone_in_code_stays_as_it_is() -> None:
    values = {"v": Parameter("it's down")}
    assert bind(["Why is {{v}}? Is `{{v}}` known?"], values) == ["Why is it's down? Is `it's down` known?"]
    assert bind(["Run `echo {{v}}` now."], values) == ["Run `echo 'it'\"'\"'s down'` now."]
    assert bind(["```python\nprint({{v}})\n```"], values) == ["```python\nprint(it's down)\n```"]


def test_the_quote_that_is_open_is_known() -> None:
    cases = {"a 'b": "'", 'a "b': '"', "a 'b'": "", "a \\'": "", 'a "b\\"': '"', "a 'b\\'": "", "": ""}
    assert {before: open_quote(before) for before in cases} == cases
