"""`find -exec`, `xargs` and `parallel`: commands run over what a search or a list hands on."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from guardrails.commands.ansi import ansi
from guardrails.commands.outputs import fed
from guardrails.commands.prefixes import PREFIXES, names
from guardrails.commands.shells import code, stdin
from guardrails.commands.tree import UNKNOWN, Code, Command, Tail, Word, sources

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guardrails.commands.scope import Scope
    from guardrails.commands.tree import Span

_XARGS_WORD = re.compile(r"(?:[^\s'\"\\]|\\.|'[^'\n]*'|\"[^\"\n]*\")+", re.DOTALL)
_UNQUOTED = re.compile(r"\\(.)|'([^'\n]*)'|\"([^\"\n]*)\"", re.DOTALL)
_MOST_GIVEN = 16
_LINKS = frozenset({"-L", "-H", "-P"})
_NAMES = names("find_names")
_LIMITS = names("find_limits")
_RUNS = frozenset({"-exec", "-execdir", "-ok", "-okdir"})
_ENDS = frozenset({";", "+", "\\;"})


def find(command: Command, _scope: Scope) -> list[Tail | Code]:
    """`find ROOT… [tests] -exec command {} ;` and `-delete`: the command, with what `{}` would stand for."""
    roots, tests = _roots(command)
    found: list[Tail | Code] = []
    reached = [_reached(root, tests) for root in roots]
    past = 0
    for at, test in enumerate(tests):
        if at < past:
            continue  # an argument of what is run
        if test.shape in _RUNS:
            past = next((i for i in range(at + 1, len(tests)) if tests[i].shape in _ENDS), len(tests))
            words = tests[at + 1 : past]
            found += [Tail(tuple(_filled(w, "{}", one) for w in words), "find") for one in reached if words]
        elif test.shape == "-delete":
            found += [_removal(root, test.span, one) for root, one in zip(roots, reached, strict=True)]
    return found


def _roots(command: Command) -> tuple[list[Word], tuple[Word, ...]]:
    """Where a `find` starts, and its tests and actions."""
    argv = command.argv
    first = next((i for i, w in enumerate(argv[1:], 1) if w.shape[:1] in "-(!" and w.shape not in _LINKS), len(argv))
    roots = [w for w in argv[1:first] if w.shape not in _LINKS]
    return roots or [Word(".", command.span, ".")], argv[first:]


def _removal(root: Word, span: Span, reached: Word) -> Tail:
    words = ("rm", "-r") if reached.shape == root.shape else ("rm",)
    return Tail((*(Word(w, span, w) for w in words), reached), "find")


def _reached(root: Word, tests: Sequence[Word]) -> Word:
    """What find hands on: the root, or something below it where tests choose."""
    pattern = next((t.shape for w, t in pairwise(tests) if w.shape in _NAMES), None)
    if pattern is not None and pattern.strip("*./") == "":
        pattern = None
    if pattern is None and not any(w.shape in _LIMITS for w in tests):
        return root._replace(open=True)
    shape = f"{root.shape.rstrip('/')}/some/{(pattern or 'file').rpartition('/')[2]}"
    return Word(None if UNKNOWN in shape else shape, root.span, shape, open=True)


def xargs(command: Command, scope: Scope) -> list[Tail | Code]:
    """`… | xargs command`: the command with what it would be given, where that is known."""
    own = PREFIXES["xargs"].tail(command.argv)
    tail = own or (Word("echo", command.span, "echo"),)
    options = command.argv[1 : len(command.argv) - len(own)]
    text = fed(command)
    marks = {w.shape[2:] for w in options if w.shape.startswith(("-I", "-i")) and len(w.shape) > 2}
    marks |= {after.shape for w, after in pairwise(command.argv) if w.shape in ("-I", "--replace")}
    marks |= {w.shape.removeprefix("--replace=") for w in options if w.shape.startswith("--replace=")} | {"{}"}
    mark = next((m for m in marks if any(m in w.shape for w in tail)), None)
    if mark is not None and any(w.shape.startswith(("-I", "-i", "--replace")) for w in options):
        lines = [line.lstrip() for line in (text or "").split("\n") if line]
        given = [Word(one, command.span, one) for one in lines[:_MOST_GIVEN]] or _listed(command)
        if len(lines) > _MOST_GIVEN:
            given.append(Word(None, command.span, UNKNOWN, open=True))
        return [Tail(tuple(_filled(w, mark, one) for w in tail), "xargs") for one in given]
    if not text or any(w.shape.startswith(("-a", "--arg-file")) for w in options):
        return [Tail((*tail, *_listed(command)), "xargs")]
    batches = _batches(text, options, command.span)
    if scope.branches and [] not in batches:
        batches.append([])  # in a loop somebody else may have read it
    return [Tail((*tail, *batch), "xargs") for batch in batches]


def _batches(text: str, options: Sequence[Word], span: Span) -> list[list[Word]]:
    """What `xargs` hands on: the words it reads, in batches where it is told to."""
    shapes = [w.shape for w in options]
    letters = "".join(s[1:] for s in shapes if s.startswith("-") and not s.startswith("--"))
    mark = _value(shapes, "d", "delimiter")
    lines = [text]
    if "0" in shapes or "-0" in shapes or "--null" in shapes or "0" in letters.partition("n")[0].partition("P")[0]:
        parts = text.removesuffix("\0").split("\0")
    elif mark:
        parts = text.removesuffix(ansi(mark)).split(ansi(mark))
    else:
        lines = text.splitlines() if _value(shapes, "L", "max-lines") else lines
        parts = []
    batches = [parts] if parts else [_pieces(line) for line in lines if line.strip()]
    most = _value(shapes, "n", "max-args")
    if most and most.isdigit() and int(most):
        flat = [one for batch in batches for one in batch]
        batches = [flat[at : at + int(most)] for at in range(0, len(flat), int(most))]
    found = [[Word(one, span, one) for one in batch] for batch in batches[:_MOST_GIVEN]] or [[]]
    return found if len(batches) <= _MOST_GIVEN else [*found, [Word(None, span, UNKNOWN, open=True)]]


def _pieces(line: str) -> list[str]:
    """Words as `xargs` reads them: quotes and backslashes mean what they do in a shell, nothing else does."""
    found = _XARGS_WORD.findall(line)
    return [_UNQUOTED.sub(lambda m: m[1] or m[2] or m[3] or "", word) for word in found]


def _value(shapes: Sequence[str], letter: str, name: str) -> str | None:
    """An option's value, however it is written."""
    for at, shape in enumerate(shapes):
        if shape in (f"-{letter}", f"--{name}"):
            return shapes[at + 1] if at + 1 < len(shapes) else None
        if shape.startswith(f"--{name}="):
            return shape.partition("=")[2]
        if shape.startswith(f"-{letter}"):
            return shape[2:]
    return None


def _listed(command: Command) -> list[Word]:
    """What a `find` up the pipe hands on; unknown where none is."""
    for one in sources(command):
        if one.name in ("find", "gfind"):
            roots, tests = _roots(one)
            return [_reached(root, tests) for root in roots]
    return [Word(None, command.span, UNKNOWN, open=True)]


def _filled(word: Word, mark: str, value: Word) -> Word:
    if mark not in word.shape:
        return word
    shape = word.shape.replace(mark, value.shape)
    return Word(
        None if UNKNOWN in shape else shape, word.span, shape, word.glob, word.commands, word.open or value.open
    )


def parallel(command: Command, _scope: Scope) -> list[Tail | Code]:
    """`parallel command ::: values`, `… | parallel command`, `… | parallel`."""
    tail = PREFIXES["parallel"].tail(command.argv)
    if not tail:
        return stdin(command)
    at = next((i for i, w in enumerate(tail) if w.shape.startswith(":::")), len(tail))
    if at == 0:
        return [code([w], "parallel") for w in tail[1:]]
    text = " ".join(w.shape for w in tail[:at])
    template = Word(text, command.span, text if "{}" in text else f"{text} {{}}")
    return [code([_filled(template, "{}", one)], "parallel") for one in tail[at + 1 :][:8] or _listed(command)]
