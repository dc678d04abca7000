"""Lines of Windows' shells that go on, and lines that are complete."""

from __future__ import annotations

import pytest

from guardrails.commands.continuations import waits
from guardrails.interface import Shell

GO_ON = [
    ("$p = @{\n", "}\n"),
    ("if ($a) {\n", "}\n"),
    ("Get-Item (\n", ")\n"),
    ("Get-Service |\n", "Stop-Service\n"),
    ("Remove-Item x `\n", "-Recurse\n"),
    ('Write-Output "a\n', 'b"\n'),
    ("$x = @'\nit's {\n", "'@\n"),
    ("<# {\n", "#>\n"),
    ("Get-Item a,\n", "b\n"),
]
COMPLETE = [
    "Get-Item 'C:\\'\n",
    'Get-Item "C:\\"\n',
    "# if (\n",
    "$x = @'\n{\n'@\n",
    "Write-Output `{\n",
    "<# { #>\n",
    "a }\n",
]


@pytest.mark.parametrize(("text", "rest"), GO_ON)
def test_powershell_waits_for_what_completes_a_line(text: str, rest: str) -> None:
    """It waits, the rest has what it waits for, and with the rest it waits no more."""
    found = waits(text, Shell.POWERSHELL)
    assert found is not None
    assert found.search(rest)
    assert waits(text + rest, Shell.POWERSHELL) is None


@pytest.mark.parametrize("text", COMPLETE)
def test_powershell_waits_for_nothing_behind_a_complete_line(text: str) -> None:
    """A backslash escapes nothing; comments and strings open no block."""
    assert waits(text, Shell.POWERSHELL) is None


@pytest.mark.parametrize("text", ["for %%i in (a) do (\n", "if a==b (\ndel x\n", "del ^\n", "(\n"])
def test_cmd_waits_for_a_bracket_or_behind_a_caret(text: str) -> None:
    """Blocks and continued lines go on."""
    assert waits(text, Shell.CMD) is not None


@pytest.mark.parametrize(
    "text", ["del x\n", 'echo "(\n', "rem (\n", "echo ^(\n", "(del x)\n", "echo a)\n", "echo ^^\n"]
)
def test_cmd_waits_for_nothing_behind_a_complete_line(text: str) -> None:
    """Quoted and escaped brackets open nothing."""
    assert waits(text, Shell.CMD) is None
