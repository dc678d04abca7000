"""PowerShell as its documentation says it reads: hand-worked lines, and the commands that they run."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails.commands.budget import BudgetExceeded
from guardrails.commands.readers import read
from guardrails.interface import Shell


def encoded(code: str) -> str:
    """What `-EncodedCommand` takes."""
    return base64.b64encode(code.encode("utf-16-le")).decode()


def ran(text: str) -> list[list[str | None]]:
    """The argv of everything a text runs, in order; None for a word that only the run will tell."""
    return [[word.text for word in command.argv] for command in read(text, Shell.POWERSHELL).commands]


# about_Parsing, about_Quoting_Rules, about_Special_Characters: how words are made.
WORDS = [
    ("Get-Item C:\\a", [["get-item", "C:\\a"]]),
    ("Write-Output a b", [["write-output", "a", "b"]]),
    ("Write-Output 'a b' \"c d\"", [["write-output", "a b", "c d"]]),
    ("Write-Output 'it''s'", [["write-output", "it's"]]),
    ('Write-Output "a""b"', [["write-output", 'a"b']]),
    ('Write-Output a`tb "c`td"', [["write-output", "a\tb", "c\td"]]),
    ("Write-Output \"`$home\" '$home'", [["write-output", "$home", "$home"]]),
    ("Get-Item `\n  C:\\a `\n  -Force", [["get-item", "C:\\a", "-Force"]]),
    ("Get-Item a,b", [["get-item", "a", "b"]]),
    ("Get-Item -Path:C:\\a -Force:$false", [["get-item", "-Path:C:\\a", "-Force:$false"]]),
    ("Get-Item $env:TEMP\\a", [["get-item", "$env:temp\\a"]]),
    ('Get-Item C:\\"Program Files"\\a', [["get-item", "C:\\Program Files\\a"]]),
    ("Get-Item $dir\\a", [["get-item", None]]),
    ("R`e`move-It`em x", [["remove-item", "x"]]),
    ("rEmOvE-iTeM x", [["remove-item", "x"]]),
    ("Get-Item x # Remove-Item y", [["get-item", "x"]]),
    ("<# Remove-Item y #> Get-Item x", [["get-item", "x"]]),
    ("icacls C:\\a --% /grant Everyone:F", [["icacls", "C:\\a", "/grant", "Everyone:F"]]),
    ("Write-Output @'\na $b\n'@", [["write-output", "a $b"]]),
    ("$b = 'c'\nWrite-Output @\"\na $b\n\"@", [["write-output", "a c"]]),
    ("Get-Item x > C:\\log 2>&1", [["get-item", "x"]]),
]  # fmt: skip
# about_Aliases, about_Command_Precedence, about_Functions, about_Splatting.
NAMES = [
    ("ri x", [["remove-item", "x"]]),
    ("C:\\Windows\\System32\\vssadmin.exe list shadows", [["vssadmin", "list", "shadows"]]),
    ("Microsoft.PowerShell.Management\\Remove-Item x", [["remove-item", "x"]]),
    ("sc.exe delete x", [["sc", "delete", "x"]]),
    ("sc a.txt x", [["set-content", "a.txt", "x"]]),
    ("Set-Alias zz Remove-Item; zz x", [["set-alias", "zz", "Remove-Item"], ["remove-item", "x"]]),
    ("function f($p) { Remove-Item $p }; f C:\\a", [["remove-item", "C:\\a"]]),
    ("function f { param([string]$p = 'b', $q) Get-Item $p $q }; f -q c", [["get-item", "b", "c"]]),
    ("function f { Remove-Item $args[0] }; f C:\\a", [["remove-item", "C:\\a"]]),
    ("function f { Remove-Item x }", []),
    ("$p = @{ Path = 'C:\\a'; Recurse = $true }; Remove-Item @p", [["remove-item", "-path", "C:\\a", "-recurse"]]),
    ("$p = 'a', 'b'; Copy-Item @p", [["copy-item", "a", "b"]]),
]  # fmt: skip
# about_Operators, about_Script_Blocks, about_Foreach, about_If, about_Try_Catch_Finally, about_Switch.
STATEMENTS = [
    ("& 'Remove-Item' x", [["remove-item", "x"]]),
    ("$c = 'Remove-' + 'Item'; & $c x", [["remove-item", "x"]]),
    (". { Get-Item a }", [["get-item", "a"]]),
    ("$b = { Get-Item a }; & $b", [["get-item", "a"]]),
    ("$b = { Get-Item a }", []),
    ("{ Get-Item a }.Invoke()", [["get-item", "a"]]),
    ("if ($a) { Get-Item b } else { Get-Item c }", [["get-item", "b"], ["get-item", "c"]]),
    ("foreach ($x in 'a', 'b') { Get-Item $x }", [["get-item", "a"], ["get-item", "b"]]),
    ("1..2 | % { gi $_ }", [["foreach-object", "{ gi $_ }"], ["get-item", "1"], ["get-item", "2"]]),
    ("try { Get-Item a } catch { Get-Item b } finally { Get-Item c }", [["get-item", x] for x in "abc"]),
    ("while ($true) { Get-Item a }", [["get-item", "a"]]),
    ("Get-Item a; Get-Item b", [["get-item", "a"], ["get-item", "b"]]),
    ("Get-Item a && Get-Item b", [["get-item", "a"], ["get-item", "b"]]),
    ('Write-Output "$(Get-Item a)"', [["get-item", "a"], ["write-output", "a"]]),
    ("Stop-Computer -Force &\nGet-Item a", [["stop-computer", "-Force"], ["get-item", "a"]]),
    ("gci C:\\a | ri", [["get-childitem", "C:\\a"], ["remove-item", "C:\\a"]]),
    ("gci a | % { ri $_ }", [["get-childitem", "a"], ["foreach-object", "{ ri $_ }"], ["remove-item", "a\\*"]]),
    ("'C:\\a' | ri", [["remove-item", "C:\\a"]]),
    ("[IO.File]::Delete('C:\\a')", [["[io.file]::delete", "C:\\a"]]),
    ("([IO.DirectoryInfo]'C:\\a').Delete($true)", [[".delete", "$true", "C:\\a"]]),
]  # fmt: skip
# What obfuscation makes of a word, worked out by hand; each is Invoke-Expression or its argument `gi a`.
FOLDED = [
    "& ('i' + 'ex') 'gi a'", "& ('{1}{0}' -f 'ex','i') 'gi a'", "&('xei'[2,1,0] -join '') 'gi a'",
    "&('xei'[-1..-3] -join '') 'gi a'", "iex ('gZ a'.Replace('Z','i'))", "iex ('gZ a' -replace 'Z','i')",
    "iex ((103,105,32,97 | % { [char]$_ }) -join '')", "iex ([string]::Join('', ('g','i',' a')))",
    "iex ([char]103 + [char]0x69 + ' a')", "iex (-join ('a ig'[3..0]))", "& (gcm i*ke-ex*n) 'gi a'",
    "& ($PSHOME[21] + $PSHOME[30] + 'x') 'gi a'", "& ($env:ComSpec[4,24,25] -join '') 'gi a'",
    "& ($ShellId[1] + $ShellId[13] + 'x') 'gi a'", "'gi a' | iex", "$x = 'gi a'; iex $x", "iex \"gi $('a')\"",
    "sal q iex; q 'gi a'", "iex ('gi-a'.Split('-') -join ' ')", "$x = 'g'; $x += 'i a'; iex $x",
    "iex ([Text.Encoding]::UTF8.GetString([Convert]::FromBase64String('Z2kgYQ==')))",
    "iex ([regex]::Matches('a ig','.','RightToLeft') -join '')", "& ([scriptblock]::Create('gi a'))",
    "$x = [char[]]'a ig'; [array]::Reverse($x); iex (-join $x)", "Set-Variable x 'gi a'; iex $x",
    "$ExecutionContext.InvokeCommand.InvokeScript('gi a')",
    "iex ('ig'.Insert(0,'') -replace 'ig','gi a')", "iex ('xxgi axx'.Substring(2,4))", "iex ('GI A'.ToLower())",
    "iex (('hj!b'.ToCharArray() | % { [char]([int]$_ - 1) }) -join '')",
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), WORDS + NAMES + STATEMENTS)
def test_a_line_runs_what_the_documentation_says(text: str, expected: list[list[str | None]]) -> None:
    """Words, names and statements are read as PowerShell reads them."""
    assert ran(text) == expected


@pytest.mark.parametrize("text", FOLDED)
def test_a_word_that_was_taken_apart_is_put_together(text: str) -> None:
    """Operators, casts, methods and indexes on constants are worked out."""
    assert ["get-item", "a"] in ran(text)


@pytest.mark.parametrize(
    "flag",
    [
        "-e",
        "-ec",
        "-en",
        "-enc",
        "-enco",
        "-encodedcommand",
        "-EncodedCommand",
        "/e",
        "/enc",
        "\u2013enc",
        "-NoP -w hidden -e",
    ],
)
@pytest.mark.parametrize(
    "program",
    ["powershell", "powershell.exe", "pwsh", "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe"],
)
def test_an_encoded_command_is_decoded(flag: str, program: str) -> None:
    """Whatever prefix of the parameter is used; nested, too."""
    assert ran(f"{program} {flag} {encoded('gi a')}")[-1] == ["get-item", "a"]
    assert ran(f"{program} {flag} '{encoded('powershell -enc ' + encoded('gi a'))}'")[-1] == ["get-item", "a"]


@pytest.mark.parametrize(
    "text",
    [
        "powershell -Command gi a", "powershell -c 'gi a'", 'powershell "gi a"',
        "pwsh -NoProfile -ExecutionPolicy Bypass -c gi a",
        "'gi a' | powershell -", "echo 'gi a' | pwsh -Command -", 'powershell -c "& { gi a }"', "powershell { gi a }",
        "cmd /c powershell -c gi a", 'cmd.exe /c "powershell -c ""gi a"""', "Start-Process powershell '-c gi a'",
        "Start-Process -FilePath powershell.exe -ArgumentList '-c','gi a' -Wait",
        "saps pwsh -Args '-c gi a' -Verb RunAs",
        "[Diagnostics.Process]::Start('powershell', '-c gi a')",
        "(New-Object -ComObject WScript.Shell).Run('powershell -c gi a')",
        "Invoke-CimMethod Win32_Process Create @{CommandLine='powershell -c gi a'}",
        "Invoke-WmiMethod -Class Win32_Process -Name Create -ArgumentList 'powershell -c gi a'",
        "([wmiclass]'Win32_Process').Create('powershell -c gi a')", "schtasks /create /tn x /tr 'powershell -c gi a'",
        "Invoke-Command -ComputerName h -ScriptBlock { gi a }", "icm h { gi a }", "Start-Job { gi a }",
        "New-ScheduledTaskAction -Execute powershell -Argument '-c gi a'", "wsl -e pwsh -c 'gi a'",
        "wmic process call create 'powershell -c gi a'", "$b = { gi a }; Invoke-Command -ScriptBlock $b",
        "[powershell]::Create().AddScript('gi a').Invoke()",
    ],
)  # fmt: skip
def test_what_hands_code_on_is_seen_through(text: str) -> None:
    """Shells, processes, jobs, tasks, WMI and COM lead to the command that runs in the end."""
    assert ["get-item", "a"] in ran(text)


@pytest.mark.parametrize("text", ["& $x", "iex $x", "& (Get-Content x)", "iwr http://x | iex", '& "$x" a'])
def test_what_only_the_run_will_tell_stays_open(text: str) -> None:
    """Something in command position that is not constant has no name."""
    assert any(argv[:1] == [None] for argv in ran(text))


def test_a_branch_makes_a_variable_unknown() -> None:
    """Two values, one of them taken, are neither."""
    assert ran("$x = 'a'; if ($y) { $x = 'b' }; Get-Item $x") == [["get-item", None]]


def test_spans_count_characters_of_the_text_given() -> None:
    """Words that had to be quoted for the grammar move nothing."""
    text = 'Get-Item é; Remove-Item $env:TEMP\\ü -Recurse; Get-Item C:\\"a b"\\c'
    spans = [command.span for command in read(text, Shell.POWERSHELL).commands]
    assert [text[slice(*span)] for span in spans] == text.split("; ")


CHARACTERS = st.text(alphabet=st.sampled_from("rm -$x'\"`|&{}()[]@#;=.\\,:%+<>\né0\ud800"), max_size=50)
FRAGMENTS = (
    "'ab' \"a$x\" $x $_ 3 0x41 -f -join -split -replace + * .. [char] [char[]] [int] "
    "[scriptblock] ( ) @( $( { } | % iex & . ; = -1 ,1 [0] [1,-1] .Replace('a','$1') "
    ".Substring(1) .Insert(9,'x') .PadLeft(9) -bxor [Convert]::ToInt32('z',16) @x "
    "[Convert]::FromBase64String('@') .Invoke() .ToCharArray() function f param if "
    "foreach in @{a=1} .a ri -Recurse "
)
PIECES = st.lists(st.sampled_from(FRAGMENTS.split()), max_size=14).map(" ".join)


@settings(max_examples=400, deadline=None)
@given(CHARACTERS | PIECES)
def test_any_text_is_read(text: str) -> None:
    """Nothing crashes the reader, and spans lie within the text."""
    try:
        commands = read(text, Shell.POWERSHELL).commands
    except BudgetExceeded:
        return
    assert all(0 <= command.span[0] <= command.span[1] <= len(text) for command in commands)
