"""What a scraper sees. The only importer of prometheus_client; everybody else calls one plain method an event.

Counting is done in plain numbers (a tenth of what a labelled child of the library costs), and the library writes them
out. All methods are called on the event loop's thread: nothing here is locked.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from gateway.store.records import FeedbackKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from prometheus_client.core import Metric

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

APIS = ("chat",)
REASONS = (
    "frustration",
    "requested",
    "repeated_block",
    "low_confidence",
    "unresolvable_command",
    "engine_failure",
    "policy",
)
STAGES = ("input", "output")
REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
FIRST_TOKEN_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
OVERHEAD_BUCKETS = (0.0001, 0.0002, 0.0003, 0.0005, 0.00075, 0.001, 0.0015, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 1.0)
GUARD_BUCKETS = (0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 1.0)


class _Histogram:
    """Observations of one label value, counted by bucket."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def cumulative(self) -> list[tuple[str, float]]:
        seen = 0
        rows = []
        for bound, count in zip((*self.bounds, float("inf")), self.counts, strict=True):
            seen += count
            rows.append(("+Inf" if bound == float("inf") else str(bound), float(seen)))
        return rows


class Metrics(Collector):
    """One gateway's counters; labels come from closed sets and from the registry, never from a request's text."""

    def __init__(self) -> None:
        self._requests: defaultdict[tuple[str, int, str], int] = defaultdict(int)
        self._seconds = {api: _Histogram(REQUEST_BUCKETS) for api in APIS}
        self._first_token = {api: _Histogram(FIRST_TOKEN_BUCKETS) for api in APIS}
        self._overhead = {api: _Histogram(OVERHEAD_BUCKETS) for api in APIS}
        self._guard = {stage: _Histogram(GUARD_BUCKETS) for stage in STAGES}
        self._findings: defaultdict[tuple[str, str], int] = defaultdict(int)
        self._unchecked: defaultdict[tuple[str, str], int] = defaultdict(int)
        self._reloads = {"done": 0, "refused": 0}
        self._tokens = {"prompt": 0, "completion": 0}
        self._streams = 0
        self._feedback = {kind.value: 0 for kind in FeedbackKind}
        self._escalations = dict.fromkeys(REASONS, 0)
        self._adapters: dict[str, str] = {}
        self._vllm: dict[str, bool] = {}
        self._spool = (0, 0.0)
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def request_done(self, api: str, status: int, action: str, seconds: float) -> None:
        """One answer has left, whole or broken; `action` is the verdict's, or empty where none was reached."""
        self._requests[api, status, action] += 1
        self._seconds[api].observe(seconds)

    def first_token(self, api: str, seconds: float) -> None:
        """The first byte of text has left."""
        self._first_token[api].observe(seconds)

    def overhead(self, api: str, seconds: float) -> None:
        """The gateway's own share of a request: its time less what vLLM was waited for."""
        self._overhead[api].observe(seconds)

    def guard_ran(self, stage: str, seconds: float) -> None:
        """The guard has looked; `stage` is one of `STAGES`, a stream counts once with its sum."""
        self._guard[stage].observe(seconds)

    def finding(self, check: str, action: str) -> None:
        self._findings[check, action] += 1

    def unchecked(self, check: str, reason: str) -> None:
        self._unchecked[check, reason] += 1

    def guard_reloaded(self, result: str) -> None:
        """Policy and rules were read again; `result` is `done` or `refused`."""
        self._reloads[result] += 1

    def tokens(self, direction: str, count: int) -> None:
        """`direction` is `prompt` or `completion`, as vLLM counted them."""
        self._tokens[direction] += count

    def stream_opened(self) -> None:
        self._streams += 1

    def stream_closed(self) -> None:
        self._streams -= 1

    def feedback(self, kind: str) -> None:
        self._feedback[kind] += 1

    def escalation(self, reason: str) -> None:
        """`reason` is one of `REASONS`, the escalation object's."""
        self._escalations[reason] += 1

    def adapter_info(self, alias: str, adapter: str | None) -> None:
        """The alias answers from this adapter now; None where the alias is gone."""
        if adapter is None:
            self._adapters.pop(alias, None)
        else:
            self._adapters[alias] = adapter

    def vllm_up(self, replica: str, up: bool) -> None:
        self._vllm[replica] = up

    def spool(self, records: int, oldest_seconds: float) -> None:
        """Events not yet in the store, and the age of the oldest in seconds (0 where there is none)."""
        self._spool = (records, oldest_seconds)

    def expose(self) -> bytes:
        """Everything in Prometheus's text format, to be sent as `CONTENT_TYPE`."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """Every number as a metric family, under the contract's names; called by `expose`."""
        yield _counter("wardgate_requests", "Requests answered.", ("api", "status", "action"), self._requests.items())
        yield _histogram("wardgate_request_seconds", "Time from request to last byte.", "api", self._seconds)
        yield _histogram(
            "wardgate_time_to_first_token_seconds",
            "Time from request to the first text sent.",
            "api",
            self._first_token,
        )
        yield _histogram(
            "wardgate_overhead_seconds", "The gateway's own share of a request's time.", "api", self._overhead
        )
        yield _histogram("wardgate_guard_seconds", "Time the guard took over one text.", "stage", self._guard)
        yield _counter("wardgate_guard_findings", "Findings of the guard.", ("check", "action"), self._findings.items())
        yield _counter(
            "wardgate_guard_unchecked", "Checks that could not look.", ("check", "reason"), self._unchecked.items()
        )
        yield _counter("wardgate_guard_reloads", "Policy and rules read again.", ("result",), _single(self._reloads))
        yield _counter("wardgate_tokens", "Tokens read and written.", ("direction",), _single(self._tokens))
        yield GaugeMetricFamily("wardgate_streams_open", "Streams being answered.", value=self._streams)
        yield _counter(
            "wardgate_feedback", "Feedback acknowledged, repeats included.", ("kind",), _single(self._feedback)
        )
        yield _counter("wardgate_escalations", "Hand-overs to a person.", ("reason",), _single(self._escalations))
        info = GaugeMetricFamily("wardgate_adapter_info", "Adapter an alias answers from.", labels=("alias", "adapter"))
        for alias, adapter in self._adapters.items():
            info.add_metric((alias, adapter), 1)
        yield info
        up = GaugeMetricFamily("wardgate_vllm_up", "Whether a vLLM answers.", labels=("replica",))
        for replica, answers in self._vllm.items():
            up.add_metric((replica,), int(answers))
        yield up
        records, oldest = self._spool
        yield GaugeMetricFamily("wardgate_spool_records", "Events not yet in the store.", value=records)
        yield GaugeMetricFamily("wardgate_spool_oldest_seconds", "Age of the oldest of them.", value=oldest)


def _single(counts: dict[str, int]) -> Iterable[tuple[tuple[str], int]]:
    return (((label,), count) for label, count in counts.items())


def _counter(
    name: str, text: str, labels: tuple[str, ...], counts: Iterable[tuple[tuple[str | int, ...], int]]
) -> CounterMetricFamily:
    family = CounterMetricFamily(name, text, labels=labels)
    for values, count in counts:
        family.add_metric([str(value) for value in values], count)
    return family


def _histogram(name: str, text: str, label: str, histograms: dict[str, _Histogram]) -> HistogramMetricFamily:
    family = HistogramMetricFamily(name, text, labels=(label,))
    for value, histogram in histograms.items():
        family.add_metric((value,), histogram.cumulative(), histogram.total)
    return family
