"""Other languages' one-liners (`python -c`, `perl -e`, `awk …`): the shell commands and deletions inside them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guardrails.commands.outputs import fed
from guardrails.commands.tree import Code, Command, Tail, Word

if TYPE_CHECKING:
    from collections.abc import Iterator

_EVALUATES = {
    **dict.fromkeys(("python", "python2", "python3", "pypy", "pypy3"), "c"),
    **dict.fromkeys(("perl", "ruby", "node", "nodejs", "lua", "osascript", "deno", "bun", "rscript", "julia"), "eEp"),
    "php": "rRB",
}
_AWK = frozenset({"awk", "gawk", "mawk", "nawk"})
INTERPRETERS = frozenset(_EVALUATES) | _AWK
_STRING = r"""(?:[rbfu]{0,2})(?P<quote>'''|\"\"\"|['"`])(?P<text>(?:\\.|(?!(?P=quote)).)*)(?P=quote)"""
_SHELLED = re.compile(
    r"(?:system|popen\d?|exec|execSync|spawnSync|spawn|run|call|check_call|check_output|getoutput|getstatusoutput|Popen|"
    r"shell_exec|passthru|proc_open|do shell script|os\.execute|io\.popen|qx|%x)\s*\(?\s*" + _STRING,
    re.DOTALL,
)
_LISTED = re.compile(
    r"(?:run|call|check_call|check_output|Popen|spawn|spawnSync|execFile|execFileSync|system|exec\w*)\s*\(\s*"
    r"(?:['\"](?P<head>\w+)['\"]\s*,\s*)?\[?(?P<list>(?:\s*['\"][^'\"]*['\"]\s*,?)+)",
    re.DOTALL,
)
_TICKS = re.compile(r"`(?P<text>[^`\n]+)`|(?:qx|%x)[{(\[|/](?P<more>[^})\]|/]+)")
_TREES = re.compile(
    r"(?:rmtree|rm_rf|rm_r|remove_dir_all|rmSync|rimraf|remove_tree|FileUtils\.\w*rm\w*|rmdirSync|removedirs|deltree|unlink\s*\(?\s*glob)\s*\(?\s*"
    + _STRING,
    re.DOTALL,
)
_QUOTED = re.compile(r"['\"]([^'\"]*)['\"]")
_PIPED = re.compile(r"""(?:print|printf)[^|;}]*\|\s*"(?P<text>[^"]+)"|"(?P<more>[^"]+)"\s*\|\s*getline""")


def interpreted(command: Command) -> list[Tail | Code]:
    """Commands a one-liner in another language runs."""
    found: list[Tail | Code] = []
    for source in _sources(command):
        if command.name in _AWK:
            found += [Code(m["text"] or m["more"], command.name) for m in _PIPED.finditer(source)]
        if command.name in ("perl", "ruby", "php"):
            found += [Code(m["text"] or m["more"], command.name) for m in _TICKS.finditer(source)]
        found += [Code(_plain(m["text"]), command.name) for m in _SHELLED.finditer(source)]
        found += [_listed(m, command) for m in _LISTED.finditer(source) if "[" in m.group() or "," in m.group()]
        found += [_removal(m["text"], command) for m in _TREES.finditer(source)]
    return found


def _sources(command: Command) -> Iterator[str]:
    argv = command.argv
    if command.name in _AWK:
        yield from (w.shape for w in argv[1:] if not w.shape.startswith("-"))
        return
    letters = _EVALUATES.get(command.name, "c")
    for at, word in enumerate(argv[1:], 1):
        shape = word.shape
        if shape in ("--eval", "eval", "--execute", "--print") or (
            shape.startswith("-") and not shape.startswith("--") and shape[-1] in letters
        ):
            yield from (w.shape for w in argv[at + 1 : at + 2])
        elif shape.startswith("-c") and "c" in letters:
            yield shape[2:]
    if command.stdin or command.redirects:
        yield fed(command) or ""


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _listed(found: re.Match[str], command: Command) -> Tail:
    words = [found["head"]] if found["head"] else []
    words += _QUOTED.findall(found["list"])
    return Tail(tuple(Word(w, command.span, w) for w in words), command.name)


def _removal(path: str, command: Command) -> Tail:
    return Tail(tuple(Word(w, command.span, w) for w in ("rm", "-rf", path)), command.name)
