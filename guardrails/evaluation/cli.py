"""`wardgate guard eval`: what the guard stops and what it wrongly stops, on labelled rows and on evasions of them."""

from __future__ import annotations

import json
import sys
from itertools import chain
from pathlib import Path  # noqa: TC003 - cyclopts reads the annotations
from typing import Annotated

from cyclopts import Parameter

from guardrails.commands.rules import RuleError
from guardrails.evaluation import printed, trials
from guardrails.evaluation.report import Report
from guardrails.evaluation.rows import Row, RowError, read
from guardrails.guard import Guard
from guardrails.interface import Channel
from guardrails.policy import PolicyError, load_policy

WELL, SHORT, BAD_USE = 0, 1, 2


def eval_(
    files: Annotated[list[Path] | None, Parameter(negative="")] = None,
    /,
    *,
    kind: Channel | None = None,
    evade: int = 0,
    seed: int = 0,
    worst: int = 20,
    policy: Path | None = None,
    html: Path | None = None,
    min_recall: float = 0.0,
    max_alarms: float = 1.0,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Measure the guard on labelled rows: recall, false alarms and cost, with intervals.

    Rows labelled destructive, injection, harmful or attack are to be stopped, ordinary and benign ones to pass; others
    are counted apart. Exit status: 0, 1 if a bound is missed, 2 bad use.

    Example: wardgate guard eval incidents.jsonl --evade 20 --html report.html

    Parameters
    ----------
    files
        Files of `{"text", "kind"?, "shell"?, "type"?, "label", "source"?, "technique"?}` lines.
    kind
        Judge every row as this, whatever it says.
    evade
        Compose so many evasions of each row that is to be stopped, on every channel, and print what gets through.
    seed
        Equal seeds compose equal evasions.
    worst
        Show so many misses, false alarms and evasions.
    policy
        A policy file; the built-in policy otherwise.
    html
        Write the report there as one page, too.
    min_recall
        Exit 1 if a smaller share of what is to be stopped was.
    max_alarms
        Exit 1 if a larger share of what is to pass was stopped.
    json_
        Print the report as one line of JSON.
    """
    if not files:
        return _bad_use("name at least one FILE.jsonl")
    try:
        report = _measure(Guard(load_policy(policy)), [read(file, kind) for file in files], worst, evade, seed)
    except (PolicyError, RuleError, RowError) as error:
        return _bad_use(str(error))
    document = report.document()
    if html is not None:
        html.write_text(printed.page(document, f"wardgate guard eval {' '.join(file.name for file in files)}"), "utf-8")
    print(json.dumps(document) if json_ else printed.terminal(document))  # noqa: T201 - it is what the command is for
    recall, alarms = document["recall"], document["false_alarms"]
    short = (recall["total"] and recall["share"] < min_recall) or alarms["share"] > max_alarms
    return SHORT if short else WELL


def _measure(guard: Guard, files: list[tuple[list[Row], int]], worst: int, evade: int, seed: int) -> Report:
    report = Report(worst)
    report.without_text = sum(without for _, without in files)
    for row in chain.from_iterable(rows for rows, _ in files):
        report.row(trials.plain(guard, row))
        if evade and row.stop:
            for trial in trials.evaded(guard, row, evade, seed):
                report.evasion(trial)
        elif evade and row.stop is False and row.channel is Channel.COMMAND:
            for trial in trials.dressed(guard, row):
                report.dressed(trial)
    return report


def _bad_use(message: str) -> int:
    print(f"wardgate guard eval: {message}", file=sys.stderr)  # noqa: T201 - it is what the command is for
    return BAD_USE
