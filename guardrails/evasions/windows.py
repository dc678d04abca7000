"""Spelling and wrapping for PowerShell, cmd.exe and SQL. The result still runs."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

from guardrails.evasions.interface import Evasion, Undone, first_word, outside_quotes
from guardrails.interface import Shell

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

_POWERSHELL = frozenset({Shell.POWERSHELL})
_CMD = frozenset({Shell.CMD})
_SQL = frozenset({Shell.SQL})
_MEANT = "0abefnrtuvx"  # letters that a backtick gives a meaning to


def _between(sign: str, meant: str = "") -> Callable[[str, Random], str | None]:
    def apply(text: str, random: Random) -> str | None:
        name = first_word(text)
        if name is None:
            return None
        places = [at for at in outside_quotes(text) if 0 < at < name[1] and text[at].lower() not in meant]
        if not places:
            return None
        chosen = {random.choice(places), *(at for at in places if random.random() < 0.3)}
        return "".join(sign * (at in chosen) + letter for at, letter in enumerate(text))

    return apply


def _case(text: str, random: Random) -> str | None:
    name = first_word(text)
    if name is None:
        return None
    word = "".join(sign.upper() if random.random() < 0.5 else sign.lower() for sign in text[: name[1]])
    return None if word == text[: name[1]] else word + text[name[1] :]


def _called(text: str, random: Random) -> str | None:
    name = first_word(text)
    if name is None or name[1] < 3:
        return None
    word, rest = text[: name[1]], text[name[1] :]
    cut = random.randrange(1, len(word))
    backwards = "".join(f"[char]{ord(sign)}+" for sign in word).rstrip("+")
    return random.choice(
        [
            f"& ('{word[:cut]}'+'{word[cut:]}'){rest}",
            f"& ('{{1}}{{0}}' -f '{word[cut:]}','{word[:cut]}'){rest}",
            f'& "{word}"{rest}',
            f". ({backwards}){rest}",
            f"$c='{word}'; & $c{rest}",
            f"& (gcm {word}){rest}",
        ]
    )


def _evaluated(text: str, random: Random) -> str | None:
    quoted = "'" + text.replace("'", "''") + "'"
    raw = base64.b64encode(text.encode()).decode()
    return random.choice(
        [
            f"iex {quoted}",
            f"Invoke-Expression -Command {quoted}",
            f"{quoted} | iex",
            f"& ([scriptblock]::Create({quoted}))",
            f"iex ([Text.Encoding]::UTF8.GetString([Convert]::FromBase64String('{raw}')))",
            f"Invoke-Command -ScriptBlock {{ {text} }}",
            f"Start-Job {{ {text} }}",
        ]
    )


def _encoded(text: str, random: Random) -> str | None:
    option = random.choice(["-EncodedCommand", "-enc", "-e", "-ec", "-EnCo"])
    raw = base64.b64encode(text.encode("utf-16-le")).decode()
    return f"{random.choice(['powershell', 'pwsh', 'powershell.exe -nop -w hidden'])} {option} {raw}"


def _blocks(text: str, random: Random) -> str | None:
    return None if "\n" in text else random.choice(
        [f"& {{ {text} }}", f"if ($true) {{ {text} }}", f"1..1 | % {{ {text} }}", f"try {{ {text} }} catch {{}}",
         f"Get-Date; {text}", f"function g {{ {text} }}; g"]
    )  # fmt: skip


def _slash_c(text: str, random: Random) -> str | None:
    return (
        None
        if '"' in text or "\n" in text
        else random.choice(["cmd /c ", "cmd.exe /s /c ", "%COMSPEC% /c "]) + f'"{text}"'
    )


def _set(text: str, random: Random) -> str | None:
    name = first_word(text)
    if name is None or name[1] < 2 or "\n" in text:
        return None
    cut = random.randrange(1, name[1])
    head, tail, rest = text[:cut], text[cut : name[1]], text[name[1] :]
    return random.choice(
        [f"set a={head}& set b={tail}& call %a%%b%{rest}", f"set x={text}\n%x%", f"set z=zz{head}{tail}\n%z:~2%{rest}"]
    )


def _for(text: str, _: Random) -> str | None:
    words = text.split(" ", 1)
    return None if "\n" in text or len(words) < 2 else f"for %i in ({words[0]}) do %i {words[1]}"


def _cmd_group(text: str, random: Random) -> str | None:
    if "\n" in text:
        return None
    before = random.choice(["dir & {}", "({})", "if 1==1 {}", "@{}", "start /b {}", "call {}", "dir || {}"])
    return before.replace("{}", text)


def _sql_comments(text: str, random: Random) -> str | None:
    if "'" in text or '"' in text or " " not in text:
        return None
    return random.choice(["/**/", " /* a */ ", " -- a\n", "\n\t"]).join(text.split(" "))


def _sql_wrapped(text: str, random: Random) -> str | None:
    bare = text.strip().rstrip(";")
    quoted = "'" + bare.replace("'", "''") + "'"
    return random.choice(
        [
            f"SELECT 1; {bare};",
            f"DO $$ BEGIN {bare}; END $$;",
            f"DO $$ BEGIN EXECUTE {quoted}; END $$;",
            f"PREPARE s FROM {quoted}; EXECUTE s;",
            f"EXEC({quoted})",
        ]
    )


def _sql_case(text: str, random: Random) -> str | None:
    read = re.sub(r"\b[A-Za-z]+\b", lambda m: m[0].swapcase() if random.random() < 0.5 else m[0], text)
    return None if "'" in text or '"' in text or read == text else read


_TABLE = (
    ("backticks", "backticks inside the cmdlet's name", _between("`", _MEANT), _POWERSHELL),
    ("letter case", "upper and lower case mixed", _case, _POWERSHELL | _CMD),
    ("call operator", "the name assembled behind the call operator", _called, _POWERSHELL),
    ("Invoke-Expression", "the command as text that is evaluated", _evaluated, _POWERSHELL),
    ("encoded command", "-EncodedCommand in its prefixes", _encoded, _POWERSHELL),
    ("script block", "in a block, loop or function", _blocks, _POWERSHELL),
    ("carets", "carets inside words", _between("^"), _CMD),
    ("empty quotes, cmd", "empty quotes inside words", _between('""'), _CMD),
    ("cmd /c", "behind another interpreter", _slash_c, _CMD),
    ("set and expand", "assembled from variables", _set, _CMD),
    ("for", "as a loop's variable", _for, _CMD),
    ("cmd group", "in a group, condition or chain", _cmd_group, _CMD),
    ("SQL comments", "comments for blanks", _sql_comments, _SQL),
    ("SQL wrapped", "behind another statement or in a dynamic one", _sql_wrapped, _SQL),
    ("SQL letter case", "letter case mixed", _sql_case, _SQL),
)
WINDOWS = tuple(Evasion(name, about, Undone.SHELL, shells, apply) for name, about, apply, shells in _TABLE)
