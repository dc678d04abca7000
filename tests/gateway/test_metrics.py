"""What a scraper reads, by the contract's names, and that Prometheus's own checker finds nothing to object to."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.metrics import Metrics

NAMES = {
    "wardgate_requests_total": {"api", "status", "action"},
    "wardgate_request_seconds": {"api"},
    "wardgate_time_to_first_token_seconds": {"api"},
    "wardgate_overhead_seconds": {"api"},
    "wardgate_guard_seconds": {"stage"},
    "wardgate_guard_findings_total": {"check", "action"},
    "wardgate_guard_unchecked_total": {"check", "reason"},
    "wardgate_guard_reloads_total": {"result"},
    "wardgate_tokens_total": {"direction"},
    "wardgate_streams_open": set(),
    "wardgate_feedback_total": {"kind"},
    "wardgate_escalations_total": {"reason"},
    "wardgate_adapter_info": {"alias", "adapter"},
    "wardgate_vllm_up": {"replica"},
    "wardgate_spool_records": set(),
    "wardgate_spool_oldest_seconds": set(),
}


@pytest.fixture
def busy() -> Metrics:
    """A gateway's numbers after one event of every kind."""
    metrics = Metrics()
    metrics.request_done("chat", 200, "allow", 0.3)
    metrics.first_token("chat", 0.02)
    metrics.overhead("chat", 0.0004)
    metrics.guard_ran("input", 0.0002)
    metrics.finding("commands", "block")
    metrics.unchecked("commands", "budget")
    metrics.guard_reloaded("refused")
    metrics.tokens("prompt", 12)
    metrics.stream_opened()
    metrics.stream_opened()
    metrics.stream_closed()
    metrics.feedback("thumbs")
    metrics.escalation("requested")
    metrics.adapter_info("default", "base")
    metrics.adapter_info("aiops", "ops@1")
    metrics.vllm_up("0", True)
    metrics.spool(3, 1.5)
    return metrics


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    for family in text_string_to_metric_families(metrics.expose().decode()):
        for sample in family.samples:
            if sample.name == name and sample.labels == labels:
                return sample.value
    return None


def test_the_names_and_labels_are_the_contract_s(busy: Metrics) -> None:
    """Exactly the names of the contract and of reloads, each with its labels and nothing beside them."""
    seen: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(busy.expose().decode()):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        seen[name] = set().union(*(sample.labels for sample in family.samples)) - {"le"}
    assert seen == NAMES


def test_every_event_is_counted(busy: Metrics) -> None:
    """Each method moves its own number."""
    assert value(busy, "wardgate_requests_total", api="chat", status="200", action="allow") == 1
    assert value(busy, "wardgate_request_seconds_bucket", api="chat", le="0.25") == 0
    assert value(busy, "wardgate_request_seconds_bucket", api="chat", le="0.5") == 1
    assert value(busy, "wardgate_request_seconds_sum", api="chat") == 0.3
    assert value(busy, "wardgate_overhead_seconds_count", api="chat") == 1
    assert value(busy, "wardgate_time_to_first_token_seconds_count", api="chat") == 1
    assert value(busy, "wardgate_guard_seconds_count", stage="input") == 1
    assert value(busy, "wardgate_guard_findings_total", check="commands", action="block") == 1
    assert value(busy, "wardgate_guard_unchecked_total", check="commands", reason="budget") == 1
    assert value(busy, "wardgate_tokens_total", direction="prompt") == 12
    assert value(busy, "wardgate_streams_open") == 1
    assert value(busy, "wardgate_feedback_total", kind="thumbs") == 1
    assert value(busy, "wardgate_escalations_total", reason="requested") == 1
    assert value(busy, "wardgate_vllm_up", replica="0") == 1
    assert value(busy, "wardgate_spool_records") == 3
    assert value(busy, "wardgate_spool_oldest_seconds") == 1.5


def test_an_alias_has_one_adapter_at_a_time(busy: Metrics) -> None:
    """Promoting and dropping leave no series of the adapter that answered before."""
    busy.adapter_info("aiops", "ops@2")
    busy.adapter_info("default", None)
    assert value(busy, "wardgate_adapter_info", alias="aiops", adapter="ops@2") == 1
    assert value(busy, "wardgate_adapter_info", alias="aiops", adapter="ops@1") is None
    assert value(busy, "wardgate_adapter_info", alias="default", adapter="base") is None


def test_a_bound_belongs_to_its_bucket() -> None:
    """Buckets are `less or equal`, and what lies beyond the last is still counted."""
    metrics = Metrics()
    for seconds in (0.0001, 5.0):
        metrics.overhead("chat", seconds)
    assert value(metrics, "wardgate_overhead_seconds_bucket", api="chat", le="0.0001") == 1
    assert value(metrics, "wardgate_overhead_seconds_bucket", api="chat", le="1.0") == 1
    assert value(metrics, "wardgate_overhead_seconds_bucket", api="chat", le="+Inf") == 2


def test_two_gateways_do_not_share_numbers(busy: Metrics) -> None:
    """Nothing is registered process-wide."""
    assert value(Metrics(), "wardgate_tokens_total", direction="prompt") == 0


@pytest.mark.parametrize("quiet", [True, False])
def test_promtool_has_nothing_to_object_to(busy: Metrics, quiet: bool) -> None:
    """`promtool check metrics` accepts the text without a warning, before and after traffic."""
    promtool = shutil.which("promtool")
    if promtool is None:
        assert os.environ.get("CI") != "true", "promtool is missing: install Debian's package `prometheus`"
        pytest.skip("promtool (Debian's package `prometheus`) is not installed")
    text = (Metrics() if quiet else busy).expose()
    checked = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, check=False, timeout=30)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
