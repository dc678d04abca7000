"""What is fuzzed, and how each target tells that something is wrong beside crashing: spans, chunks, kinds of error."""

from __future__ import annotations

import tempfile
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from guardrails.commands.packs import RuleError
from guardrails.commands.rules import load_rules
from guardrails.commands.runbooks import load_runbooks
from guardrails.guard import Guard
from guardrails.interface import Channel, Shell, Verdict
from guardrails.parameters import ParameterType
from guardrails.policy import PolicyError, load_policy, read_policy
from guardrails.text import layers

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_SECONDS = 1.0


class Hang(Exception):
    """One text took more than a second of CPU."""


def attempt(name: str, text: str, salt: bytes) -> None:
    """Feed one text.

    Raises:
        Hang: It took too long.
        Exception: Whatever the target lets through.
    """
    began = time.thread_time()
    TARGETS[name](text, salt)
    spent = time.thread_time() - began
    if spent > MOST_SECONDS:
        raise Hang(f"{spent:.1f} s of CPU for {len(text)} characters")


def warm(name: str) -> None:
    """Load what the first text would load, which takes seconds and is nobody's hang."""
    for text in ("a", "select 1;"):
        TARGETS[name](text, b"")


def decoded(data: bytes) -> tuple[str, bytes]:
    """The text and the salt that atheris' bytes stand for; what is no UTF-8 becomes lone surrogates, as in JSON."""
    return data[2:].decode("utf-8", "surrogateescape"), data[:2]


def _raise(check: str, error: Exception) -> None:
    raise RuntimeError(f"the check {check} crashed") from error


@cache
def _guard() -> Guard:
    return Guard(load_policy(None), crashed=_raise)


def _judge(text: str, channel: Channel, shell: Shell = Shell.AUTO, kind: str = "free_text") -> Verdict:
    verdict = _guard().examine(text, channel, shell=shell, type=kind, values=("a",))
    for finding in verdict.findings:
        start, end = finding.span
        assert 0 <= start <= end <= len(text), f"{finding.rule} at {finding.span} of {len(text)} characters"
    return verdict


def _command(shell: Shell) -> Callable[[str, bytes], None]:
    def target(text: str, _salt: bytes) -> None:
        _judge(text, Channel.COMMAND, shell)

    return target


def _text(text: str, _salt: bytes) -> None:
    for view in layers(text, 4, shortest=3):
        for at in range(0, len(view.text) + 1, max(1, len(view.text) // 8)):
            start, end = view.source_span(at, min(at + 3, len(view.text)))
            assert 0 <= start <= end <= len(text), f"{(start, end)} of {len(text)} for {view.decoded}"


def _stream(text: str, salt: bytes) -> None:
    """Whole and cut in pieces, whose lengths `salt` says, the verdict is the same, and no finding has left."""
    whole = _judge(text, Channel.OUTPUT)
    stream = _guard().stream()
    at = step = left = 0
    while at < len(text):
        size = 1 + salt[step % len(salt)] % 9 if salt else 1
        left = max(left, stream.feed(text[at : at + size]))
        at, step = at + size, step + 1
    left = max(left, stream.finish())
    cut = stream.verdict()
    assert (cut.action, cut.findings, cut.unchecked) == (whole.action, whole.findings, whole.unchecked)
    for finding in cut.findings:
        assert left <= finding.span[0] or not cut.action.stops, f"sent up to {left}, {finding.rule} at {finding.span}"


def _prompt(text: str, _salt: bytes) -> None:
    _judge(text, Channel.PROMPT)


def _parameter(text: str, _salt: bytes) -> None:
    for kind in ParameterType:
        _judge(text, Channel.PARAMETER, kind=kind)


def _policy(text: str, _salt: bytes) -> None:
    try:
        read_policy(text, "fuzz", Path())
    except PolicyError:
        return


def _loaded(load: Callable[[list[Path]], object], ending: str) -> Callable[[str, bytes], None]:
    def target(text: str, _salt: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / f"fuzz{ending}"
            file.write_bytes(text.encode("utf-8", "surrogatepass"))
            try:
                load([file])
            except RuleError:
                return

    return target


_runbooks = {ending: _loaded(load_runbooks, ending) for ending in (".yaml", ".md")}


def _catalogue(text: str, salt: bytes) -> None:
    for target in _runbooks.values():
        target(text, salt)


TARGETS: dict[str, Callable[[str, bytes], None]] = {
    "bash": _command(Shell.BASH),
    "powershell": _command(Shell.POWERSHELL),
    "cmd": _command(Shell.CMD),
    "sql": _command(Shell.SQL),
    "text": _text,
    "stream": _stream,
    "prompt": _prompt,
    "parameter": _parameter,
    "policy": _policy,
    "rules": _loaded(load_rules, ".yaml"),
    "runbooks": _catalogue,
}
