"""The report for a terminal, and as a page that needs nothing else."""

from __future__ import annotations

import html
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

Row = tuple[str, ...]
_TITLES = {
    "missed": "Not stopped",
    "wrongly_stopped": "Wrongly stopped",
    "got_through": "Evasions that got through",
}


def share(document: dict[str, Any]) -> str:
    """A share with its interval, for a person."""
    if not document["total"]:
        return "-"
    low, high = document["low"], document["high"]
    return f"{document['hits']}/{document['total']} = {document['share']:.2%} ({low:.2%} to {high:.2%})"


def tables(document: dict[str, Any]) -> list[tuple[str, Row, list[Row]]]:
    """Title, head and rows of each table of a report."""
    found: list[tuple[str, Row, list[Row]]] = []
    every = {"all": {"recall": document["recall"], "false_alarms": document["false_alarms"]}}
    head = ("", "stopped of those to stop", "stopped of those to pass")
    for title, groups in (
        ("All rows", every),
        *((f"By {name}", document[f"by_{name}"]) for name in ("source", "technique", "channel")),
    ):
        found.append(
            (title, head, [(name, share(one["recall"]), share(one["false_alarms"])) for name, one in groups.items()])
        )
    if evasions := document.get("evasions"):
        found.append(("Evasions", ("", "gets through"), [("all", share(evasions["through"]))]))
        found += [
            (f"Evasions by {name}", ("", "gets through"), _shares(evasions[f"by_{name}"]))
            for name in ("technique", "channel", "dress")
        ]
    if dressed := document.get("dressed_false_alarms"):
        found.append(("Commands to pass, in answers", ("", "stopped"), _shares(dressed)))
    times = [
        (place, *(f"{value:,.0f}" for value in quantiles.values()))
        for place, quantiles in document["latency_us"].items()
    ]
    found.append(("CPU time, µs", ("", "p50", "p90", "p99", "max"), times))
    return found


def _shares(shares: dict[str, Any]) -> list[Row]:
    return [(name, share(one)) for name, one in shares.items()]


def terminal(document: dict[str, Any]) -> str:
    """The report as lines."""
    apart, without = document["apart"], document["without_text"]
    lines = [f"{document['rows']} rows; {apart} of another label and {without} without a text are in no rate."]
    lines.append("Shares with their 95 % Wilson intervals.")
    for title, head, rows in tables(document):
        lines += ["", title, *_aligned([head, *rows])]
    for name, title in _TITLES.items():
        if document[name]:
            lines += ["", f"{title} ({len(document[name])} shown)"]
        for one in document[name]:
            how = " + ".join([*one["techniques"], f"{one['place']} {one['dress']}".strip()])
            lines.append(f"  {one['id']} {one['source']} [{how}] {one['text']!r}")
    return "\n".join(lines)


def _aligned(rows: list[Row]) -> Iterable[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def page(document: dict[str, Any], title: str) -> str:
    """The report as one HTML page; everything that came from a file is escaped."""
    parts = []
    for name, head, rows in tables(document):
        cells = "".join(_row(row, "td") for row in rows)
        parts.append(f"<h2>{html.escape(name)}</h2><table>{_row(head, 'th')}{cells}</table>")
    for name, heading in _TITLES.items():
        shown = [
            (
                one["id"],
                one["source"],
                " + ".join(one["techniques"]),
                f"{one['place']} {one['dress']}",
                repr(one["text"]),
            )
            for one in document[name]
        ]
        if shown:
            body = _row(("row", "source", "evasions", "where", "text"), "th") + "".join(
                _row(row, "td") for row in shown
            )
            parts.append(f"<h2>{html.escape(heading)}</h2><table class=texts>{body}</table>")
    template = files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    return Template(template).substitute(title=html.escape(title), rows=document["rows"], body="\n".join(parts))


def _row(cells: Row, tag: str) -> str:
    return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"
