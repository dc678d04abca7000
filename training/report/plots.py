"""The report's plots: declared with altair, drawn as SVG by vl-convert, ready to stand inside a page of any colour."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

import altair as alt
import vl_convert

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from training.evidence import Token
    from training.table import Line, Scored

BEFORE_COLOUR, AFTER_COLOUR = "#9a8f80", "#1a8f7d"
CHOSEN_COLOUR, REJECTED_COLOUR = "#2b78b5", "#cf4a57"
_INK, _FAINT = "#010203", "#040506"  # stand-ins: the page's own colours take their place
_WIDTH, _HEIGHT = 330, 190
_TICKS = 120  # more ticks under a curve are a bar, and megabytes
_BOTH = ("chosen", "rejected")
_ARMS = alt.Scale(domain=["before", "after"], range=[BEFORE_COLOUR, AFTER_COLOUR])
_SIDES = alt.Scale(domain=["chosen", "rejected"], range=[CHOSEN_COLOUR, REJECTED_COLOUR])


def distributions(pairs: Sequence[Scored], side: str) -> str:
    """How log P of the side's answers lies before and after, each pair a tick below."""
    rows = [{"arm": arm, "nats": getattr(pair, f"{side}_{arm}")} for pair in pairs for arm in ("before", "after")]
    low, high = _reach(pairs)
    base = alt.Chart(alt.Data(values=rows)).encode(color=alt.Color("arm:N", scale=_ARMS, legend=_legend()))
    curve = (
        base.transform_density("nats", groupby=["arm"], as_=["nats", "density"], extent=[low, high])
        .mark_area(opacity=0.32, line={"strokeWidth": 1.8})
        .encode(
            x=alt.X("nats:Q", title=f"log P({side}), nats", scale=alt.Scale(domain=[low, high], nice=False)),
            y=alt.Y("density:Q", title=None, axis=None, stack=None),
        )
    )
    few = rows[: 2 * _TICKS]  # both arms of so many pairs
    below = [
        alt.Chart(alt.Data(values=few))
        .transform_filter(alt.datum.arm == arm)
        .mark_tick(thickness=1, opacity=0.5, size=6, color=colour)
        .encode(x="nats:Q", y=alt.value(_HEIGHT + depth))
        for arm, colour, depth in (("before", BEFORE_COLOUR, -10), ("after", AFTER_COLOUR, -3))
    ]
    return _draw(alt.layer(curve, *below), f"log P of the {side} answers before and after")


def _reach(pairs: Sequence[Scored]) -> tuple[float, float]:
    """Both sides' plots share their axis, so that the eye can go from one to the other."""
    values = [getattr(pair, f"{side}_{arm}") for pair in pairs for side in _BOTH for arm in ("before", "after")]
    room = max(1.0, (max(values) - min(values)) * 0.06)
    return min(values) - room, min(0.0, max(values) + room)


def scatter(pairs: Sequence[Scored]) -> str:
    """Each pair's change: chosen across, rejected upward; below the diagonal it moved the right way."""
    rows = [
        {"chosen": pair.chosen_change, "rejected": pair.rejected_change, "objective": pair.objective} for pair in pairs
    ]
    across = [pair.chosen_change for pair in pairs]
    ends = [{"at": min(across)}, {"at": max(across)}]
    dots = (
        alt.Chart(alt.Data(values=rows))
        .mark_circle(size=26, opacity=0.55)
        .encode(
            x=alt.X("chosen:Q", title="change of log P(chosen), nats"),
            y=alt.Y("rejected:Q", title="change of log P(rejected), nats"),
            color=alt.Color("objective:N", scale=alt.Scale(scheme="tableau10"), legend=_legend()),
        )
    )
    line = alt.Chart(alt.Data(values=ends)).mark_line(strokeDash=[4, 4], color=_FAINT).encode(x="at:Q", y="at:Q")
    return _draw(line + dots, "change of every pair's chosen and rejected answer")


def margins(objectives: dict[str, list[Line]]) -> str:
    """Of each objective, how far chosen and rejected moved, with intervals."""
    rows = [
        {"objective": name, "side": side, "value": line.change.value, "low": line.change.low, "high": line.change.high}
        for name, lines in objectives.items()
        for side in ("chosen", "rejected")
        for line in lines
        if line.measure.key == f"log_prob_{side}" and line.change is not None
    ]
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=alt.Y("objective:N", title=None, axis=alt.Axis(labelFontSize=12, ticks=False, domain=False)),
        yOffset=alt.YOffset("side:N"),
        color=alt.Color("side:N", scale=_SIDES, legend=_legend()),
    )
    bars = base.mark_rule(strokeWidth=5, opacity=0.45, strokeCap="round").encode(
        x=alt.X("low:Q", title="change of log P, nats (95 %)", axis=alt.Axis(tickCount=6)), x2="high:Q"
    )
    dots = base.mark_point(filled=True, size=70, opacity=1).encode(x="value:Q")
    return _draw(_zero() + bars + dots, "change of log P by objective", height=46 * max(1, len(objectives)))


def running(chosen: Iterable[Token], rejected: Iterable[Token]) -> str:
    """The running sum of each worked answer's log-probability, before dashed and after drawn through."""
    rows = []
    for side, tokens in (("chosen", chosen), ("rejected", rejected)):
        sums = {"before": 0.0, "after": 0.0}
        rows += [{"at": 0, "nats": 0.0, "arm": arm, "side": side} for arm in sums]
        for at, token in enumerate(tokens, 1):
            sums = {arm: so_far + getattr(token, arm) for arm, so_far in sums.items()}
            rows += [{"at": at, "nats": so_far, "arm": arm, "side": side} for arm, so_far in sums.items()]
    chart = (
        alt.Chart(alt.Data(values=rows))
        .mark_line(strokeWidth=2, interpolate="step-after")
        .encode(
            x=alt.X("at:Q", title="token", axis=alt.Axis(tickMinStep=1)),
            y=alt.Y("nats:Q", title="log P so far, nats"),
            color=alt.Color("side:N", scale=_SIDES, legend=_legend("stroke")),
            strokeDash=alt.StrokeDash(
                "arm:N", scale=alt.Scale(domain=["before", "after"], range=[[3, 3], [1, 0]]), legend=_legend("stroke")
            ),
        )
    )
    return _draw(chart, "running sum of the log-probability, token by token", width=2 * _WIDTH)


def curves(metrics: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """(caption, SVG) of each thing that the training run logged: the loss, both answers' gain, margin by objective."""
    drawn = []
    loss = [{"step": row["step"], "value": row["loss"]} for row in metrics if "loss" in row]
    if loss:
        drawn.append(("Loss of each step", _lines(loss, "loss", None, "loss by step")))
    gains = [
        {"step": row["step"], "value": row[side], "series": side}
        for row in metrics
        for side in ("chosen", "rejected")
        if row.get(side) is not None
    ]
    if gains:
        colour = alt.Color("series:N", scale=_SIDES, legend=_legend("stroke"))
        drawn.append(("What both answers gained on the reference", _lines(gains, "nats", colour, "gains by step")))
    standing = [
        {"step": row["step"], "value": each["margin"], "series": name}
        for row in metrics
        for name, each in (row.get("standing") or {}).items()
        if each.get("margin") is not None
    ]
    if standing:
        colour = alt.Color("series:N", scale=alt.Scale(scheme="tableau10"), legend=_legend("stroke"))
        drawn.append(("Margin by objective", _lines(standing, "margin", colour, "margin by step and objective")))
    return drawn


def _lines(rows: list[dict[str, Any]], title: str, colour: Any, name: str) -> str:
    base = alt.Chart(alt.Data(values=rows)).encode(x=alt.X("step:Q", title="step", axis=alt.Axis(tickMinStep=1)))
    base = base.encode(color=alt.value(AFTER_COLOUR) if colour is None else colour)
    many = len({row["step"] for row in rows}) > 12  # a window over fewer steps would only blur them
    raw = base.mark_line(strokeWidth=1, opacity=0.35 if many else 1).encode(y=alt.Y("value:Q", title=title))
    if not many:
        return _draw(raw.mark_line(strokeWidth=2, point=True), name)
    grouped = ["series"] if colour is not None else []
    smooth = base.transform_window(
        mean="mean(value)", frame=[-4, 4], groupby=grouped, sort=[{"field": "step"}]
    ).mark_line(strokeWidth=2.2)
    return _draw(raw + smooth.encode(y="mean:Q"), name)


def _zero() -> Any:
    return alt.Chart(alt.Data(values=[{"zero": 0}])).mark_rule(strokeDash=[2, 3], color=_FAINT).encode(x="zero:Q")


def _legend(symbol: str = "circle") -> Any:
    return alt.Legend(title=None, orient="top", direction="horizontal", symbolType=symbol, columns=5, symbolOpacity=1)


def _draw(chart: Any, name: str, width: int = _WIDTH, height: int = _HEIGHT) -> str:
    """SVG that scales with its place, wears the page's ink, and says its name to who cannot see it."""
    plain = {"labelColor": _INK, "titleColor": _INK, "gridColor": _FAINT, "domainColor": _FAINT, "tickColor": _FAINT}
    spec = (
        chart.properties(width=width, height=height, padding=4)
        .configure(background="transparent", font="system-ui, sans-serif")
        .configure_view(stroke=None)
        .configure_axis(**plain, gridOpacity=0.5, labelFontSize=11, titleFontSize=11, titleFontWeight="normal")
        .configure_legend(labelColor=_INK, labelFontSize=11.5, symbolSize=70)
    )
    drawn: str = vl_convert.vegalite_to_svg(spec.to_json())
    drawn = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", drawn[drawn.index("<svg") :])
    size = re.search(r'width="([\d.]+)" height="([\d.]+)"', drawn)
    widest = f'style="max-width:{float(size[1]) * 1.25:.0f}px"' if size else ""
    label = html.escape(name, quote=True)
    drawn = re.sub(
        r'(<svg[^>]*?)\swidth="[\d.]+" height="[\d.]+"', rf'\1 role="img" aria-label="{label}" {widest}', drawn, count=1
    )
    drawn = re.sub(r' aria-(?:label|roledescription|hidden)="(?!' + re.escape(label) + r'")[^"]*"', "", drawn)
    drawn = re.sub(r' role="graphics-(?:symbol|object|document)"', "", drawn)
    drawn = re.sub(r"\d+\.\d{3,}", lambda found: f"{float(found[0]):.2f}", drawn)
    return drawn.replace(_INK, "currentColor").replace(_FAINT, "var(--faint)")
