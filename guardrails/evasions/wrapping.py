"""Putting a whole command inside another that runs it: evaluators, functions, here-documents, decoders into a shell."""

from __future__ import annotations

import base64
import gzip
import json
import re
from shlex import quote
from typing import TYPE_CHECKING

from guardrails.evasions.interface import BASH, Evasion, Undone

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

_SIGILS = re.compile(r"[$@]")


def _form(*forms: str) -> Callable[[str, Random], str | None]:
    """One of several forms; `{}` takes the command, `{q}` its quoted form."""

    def apply(text: str, random: Random) -> str | None:
        return random.choice(forms).replace("{q}", quote(text)).replace("{}", text)

    return apply


def _one_line(*forms: str) -> Callable[[str, Random], str | None]:
    filled = _form(*forms)
    return lambda text, random: None if "\n" in text or "#" in text else filled(text, random)


def _fed(*forms: str) -> Callable[[str, Random], str | None]:
    """A decoder that feeds a shell; `{64}`, `{16}`, `{rev}`, `{oct}` and `{gz}` take the command encoded."""

    def apply(text: str, random: Random) -> str | None:
        raw = text.encode()
        form = random.choice(forms)
        for name, value in (
            ("{64}", base64.b64encode(raw).decode()),
            ("{16}", raw.hex()),
            ("{rev}", quote(text[::-1])),
            ("{oct}", "".join(f"\\{byte:03o}" for byte in raw)),
            ("{x}", "".join(f"\\x{byte:02x}" for byte in raw)),
            ("{gz}", base64.b64encode(gzip.compress(raw, mtime=0)).decode()),
        ):
            form = form.replace(name, value)
        return None if "\n" in text and "rev" in form else form

    return apply


def _turned(text: str, _: Random) -> str | None:
    table = str.maketrans(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", "NOPQRSTUVWXYZABCDEFGHIJKLMnopqrstuvwxyzabcdefghijklm"
    )
    return f"echo {quote(text.translate(table))} | tr 'A-Za-z' 'N-ZA-Mn-za-m' | sh"


def _python(text: str, random: Random) -> str | None:
    code = random.choice(
        [
            f"import os; os.system({json.dumps(text)})",
            f"import subprocess; subprocess.run({json.dumps(text)}, shell=True)",
            f"__import__('os').popen({json.dumps(text)}).read()",
        ]
    )
    return f"python3 -c {quote(code)}"


def _program(text: str, random: Random) -> str | None:
    literal = json.dumps(text)
    variables = _SIGILS.sub(r"\\\g<0>", literal)  # Perl and PHP fill variables in
    return random.choice(
        [
            f"perl -e {quote(f'system({variables})')}",
            f"ruby -e {quote(f'system({literal})')}",
            "node -e " + quote(f'require("child_process").execSync({literal})'),
            f"php -r {quote(f'system({variables});')}",
            "awk " + quote(f"BEGIN {{ system({literal}) }}"),
        ]
    )


def _document(text: str, random: Random) -> str | None:
    end = random.choice(["EOF", "_", "END"])
    feed = random.choice(["bash <<", "sh -s <<", "sudo bash <<", "cat <<", "ssh web-01 bash <<"])
    tail = " | sh" if feed.startswith("cat") else ""
    return f"{feed}'{end}'{tail}\n{text}\n{end}"


def _script(text: str, random: Random) -> str | None:
    path = random.choice(["/tmp/a.sh", "x", "./fix.sh"])  # noqa: S108 - where an attacker would write
    run = random.choice([f"sh {path}", f"bash {path}", f"chmod +x {path} && {path if '/' in path else './' + path}"])
    return random.choice([f"cat > {path} <<'EOF'\n{text}\nEOF\n{run}", f"echo {quote(text)} > {path}; {run}"])


_GROUPS = (
    "( {} )",
    "{ {}; }",
    "if true; then {}; fi",
    "for i in 1; do {}; done",
    "while :; do {}; break; done",
    "case x in *) {};; esac",
    "! {}",
    "until {}; do :; done",
)
_TAILS = (
    "sudo {}",
    "nohup {}",
    "timeout 9 {}",
    "env A=1 {}",
    "nice -n 5 {}",
    "setsid {}",
    "command {}",
    "exec {}",
    "stdbuf -o0 {}",
    "time {}",
)
_TAKERS = (
    "su root -c {q}",
    "ssh web-01 {q}",
    "watch -n1 {q}",
    "find . -maxdepth 0 -exec sh -c {q} \\;",
    "echo 1 | xargs -I% sh -c {q}",
    "script -qc {q} /dev/null",
    "flock /tmp/l -c {q}",
    "docker exec web sh -c {q}",
    "kubectl exec web-0 -- bash -c {q}",
)
_BASE64 = (
    "echo {64} | base64 -d | sh",
    "base64 -d <<< {64} | bash",
    'bash -c "$(echo {64} | base64 --decode)"',
    "eval $(base64 -d <<<{64})",
    "sh <(echo {64}|base64 -d)",
    "echo {64} | openssl base64 -d -A | sh",
    "python3 -c \"import base64,os;os.system(base64.b64decode('{64}'))\"",
)
_HEX = (
    "echo {16} | xxd -r -p | sh",
    "printf '{x}' | bash",
    "printf '{oct}' | sh",
    "echo -e '{x}' | sh",
    'bash -c "$(echo {16} | xxd -r -p)"',
)
_SOURCED = ("source <(echo {q})", ". <(printf %s {q})", "source /dev/stdin <<< {q}")

_TABLE = (
    ("evaluated", "eval", _form("eval {q}", "eval -- {q}", "eval $(echo {q})")),
    ("shell -c", "a shell's -c", _form("bash -c {q}", "sh -c {q}", "/bin/bash -lc {q}", "busybox sh -c {q}")),
    ("here-string", "a shell fed by a here-string", _form("bash <<< {q}", "sh <<<{q}")),
    ("here-document", "a here-document that a shell runs", _document),
    ("script written and run", "a file written, then run", _script),
    ("function", "a function, called", _one_line("f() { {}; }; f", "function go { {}; }\ngo", "ls() { {}; }; ls -l")),
    ("alias", "an alias, called", _form("shopt -s expand_aliases; alias x={q}\nx", "alias ll={q}\nll")),
    ("group", "a group, subshell, loop or condition", _one_line(*_GROUPS)),
    ("chain", "behind a harmless command", _one_line("ls && {}", "true; {}", "false || {}", "cd / && {}", "ls & {}")),
    ("substitution", "as an argument", _one_line("echo $({})", "echo `{}`", ': "$({})"', "x=$({})", "cat <({})")),
    ("wrapper", "behind a command that runs its tail", _one_line(*_TAILS)),
    ("wrapper -c", "behind a command that takes one as text", _form(*_TAKERS)),
    ("trap", "as a trap", _form("trap {q} EXIT", "trap -- {q} INT TERM EXIT; exit")),
    ("sourced", "sourced from a substitution", _form(*_SOURCED)),
    ("base64 into a shell", "base64 decoded into a shell", _fed(*_BASE64)),
    ("hex into a shell", "hexadecimal decoded into a shell", _fed(*_HEX)),
    ("reversed into a shell", "reversed", _fed("echo {rev} | rev | sh", 'bash -c "$(rev <<< {rev})"')),
    ("rot13 into a shell", "turned by tr into a shell", _turned),
    (
        "compressed into a shell",
        "gzip",
        _fed("echo {gz} | base64 -d | gunzip | sh", "base64 -d <<< {gz} | zcat | bash"),
    ),
    ("Python", "python -c", _python),
    ("other interpreters", "perl, ruby, node, php or awk", _program),
)
WRAPPING = tuple(Evasion(name, about, Undone.SHELL, BASH, apply) for name, about, apply in _TABLE)
