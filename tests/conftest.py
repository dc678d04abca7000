"""What every test shares, and the rule that in CI a skipped test is a failed one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

ROOT = Path(__file__).resolve().parent.parent
STORIES = ROOT / "tests" / "stories"
# What stands beside the clone, not in it, may be absent on somebody's machine.
MAY_BE_ABSENT = "../shared"
PLAYED = pytest.StashKey[set[Path]]()


def in_ci() -> bool:
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip into a failure, in CI, unless its reason is something that only stands beside the clone."""
    if not (in_ci() and report.skipped) or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if MAY_BE_ABSENT not in reason:
        report.outcome = "failed"
        report.longrepr = f"in CI nothing may be skipped ({reason}); .ci/run installs what tests need"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    refuse_skip(report)
    if report.when == "call" and report.passed and STORIES in item.path.parents:
        item.config.stash.setdefault(PLAYED, set()).add(item.path)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    refuse_skip(report)
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI, a whole run that left a story out did not pass, whatever else did."""
    config = session.config
    chosen = config.option.markexpr or config.option.keyword or config.args != config.getini("testpaths")
    if not in_ci() or chosen or config.option.collectonly:
        return
    played = config.stash.get(PLAYED, set[Path]())
    missing = sorted({*STORIES.glob("test_*.py")} - played)
    if missing or not STORIES.is_dir():
        reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
        names = ", ".join(path.stem for path in missing) or "there are none"
        reporter.write_line(f"stories that were not played to their end: {names}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
