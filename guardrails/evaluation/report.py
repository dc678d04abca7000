"""What the trials come to: recall and false alarms by source, technique and channel, cost, and the worst of them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from guardrails.evaluation.tally import Share, quantiles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guardrails.evaluation.trials import Trial

PLAIN = "no evasion"
_SHOWN = 400


@dataclass(slots=True)
class Group:
    """Rows with something in common: how many of those to be stopped were, and of those to pass."""

    stopped: Share = field(default_factory=Share)
    alarms: Share = field(default_factory=Share)

    def count(self, trial: Trial) -> None:
        (self.stopped if trial.row.stop else self.alarms).count(trial.stopped)

    def document(self) -> dict[str, Any]:
        return {"recall": self.stopped.document(), "false_alarms": self.alarms.document()}


Groups = defaultdict[str, Group]


class Report:
    """Takes trials one by one."""

    def __init__(self, worst: int) -> None:
        """Keep the texts of at most `worst` misses and as many false alarms, and as many evasions got through."""
        self._worst = worst
        self._total = Group()
        self._by: dict[str, Groups] = {name: defaultdict(Group) for name in ("source", "technique", "channel")}
        self._evasions: dict[str, defaultdict[str, Share]] = {
            name: defaultdict(Share) for name in ("technique", "channel", "dress")
        }
        self._through = Share()
        self._dressed: defaultdict[str, Share] = defaultdict(Share)
        self._micros: defaultdict[str, list[float]] = defaultdict(list)
        self._kept: dict[str, list[dict[str, Any]]] = {"missed": [], "wrongly_stopped": [], "got_through": []}
        self.apart = 0
        self.without_text = 0

    def row(self, trial: Trial) -> None:
        """A row as it stands."""
        self._micros[trial.place].append(trial.micros)
        if trial.row.stop is None:
            self.apart += 1
            return
        self._total.count(trial)
        for name, value in (("source", trial.row.source), ("technique", trial.row.technique), ("channel", trial.place)):
            self._by[name][value].count(trial)
        if trial.row.stop is not trial.stopped:
            self._keep("missed" if trial.row.stop else "wrongly_stopped", trial)

    def evasion(self, trial: Trial) -> None:
        """An attack, made of a row that is to be stopped."""
        got = not trial.stopped
        self._micros[trial.place].append(trial.micros)
        for name in trial.techniques or (PLAIN,):
            self._evasions["technique"][name].count(got)
        self._evasions["channel"][trial.place].count(got)
        self._evasions["dress"][f"{trial.place}: {trial.frame}"].count(got)
        if trial.techniques:
            self._through.count(got)
        if got:
            self._keep("got_through", trial)

    def dressed(self, trial: Trial) -> None:
        """A command that is to pass, dressed as in an answer."""
        self._dressed[f"{trial.place}: {trial.frame}"].count(trial.stopped)
        if trial.stopped:
            self._keep("wrongly_stopped", trial)

    def document(self) -> dict[str, Any]:
        """The report as JSON has it; shares come with their 95 % Wilson intervals, times in microseconds of CPU."""
        document: dict[str, Any] = {
            "rows": self._total.stopped.total + self._total.alarms.total,
            "apart": self.apart,
            "without_text": self.without_text,
            **self._total.document(),
            **{f"by_{name}": _groups(groups) for name, groups in self._by.items()},
            "latency_us": {place: quantiles(values) for place, values in sorted(self._micros.items())},
        }
        if self._evasions["channel"]:
            document["evasions"] = {
                "through": self._through.document(),
                **{f"by_{name}": _shares(shares) for name, shares in self._evasions.items()},
            }
        if self._dressed:
            document["dressed_false_alarms"] = _shares(self._dressed)
        return document | self._kept

    def _keep(self, name: str, trial: Trial) -> None:
        kept = self._kept[name]
        if len(kept) < self._worst:
            kept.append(
                {
                    "id": trial.row.id,
                    "source": trial.row.source,
                    "techniques": list(trial.techniques or ()),
                    "place": trial.place,
                    "dress": trial.frame,
                    "text": trial.text[:_SHOWN],
                }
            )


def _groups(groups: Groups) -> dict[str, dict[str, Any]]:
    return {name: group.document() for name, group in sorted(groups.items())}


def _shares(shares: Mapping[str, Share]) -> dict[str, dict[str, float | int]]:
    """Worst first."""
    return {name: share.document() for name, share in sorted(shares.items(), key=lambda item: -_share(item[1]))}


def _share(share: Share) -> float:
    return share.hits / share.total if share.total else 0.0
