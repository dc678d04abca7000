"""One form of log line, and what never stands in it."""

from __future__ import annotations

import io
import json
import logging
from typing import TYPE_CHECKING

import pytest
import structlog

from gateway.logs import configure

if TYPE_CHECKING:
    from collections.abc import Generator

KEY = "wg-abcdefghijklmnopqrstuvwxyz"


@pytest.fixture(autouse=True)
def _restored() -> Generator[None]:
    """Logging is process-wide: put it back."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, str]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_ours_and_the_libraries_lines_have_one_form() -> None:
    """Off a terminal every line is one JSON object, whoever logged it."""
    stream = io.StringIO()
    configure("info", "auto", stream)
    structlog.get_logger("wardgate.test").info("vLLM is up", replica="http://127.0.0.1:1")
    logging.getLogger("library").warning("slow %s", "disk")
    ours, theirs = lines(stream)
    assert (ours["event"], ours["level"], ours["logger"]) == ("vLLM is up", "info", "wardgate.test")
    assert (theirs["event"], theirs["level"], theirs["logger"]) == ("slow disk", "warning", "library")


def test_the_level_holds() -> None:
    """What is below the level is not written."""
    stream = io.StringIO()
    configure("warning", "json", stream)
    structlog.get_logger("wardgate.test").info("nothing to see")
    assert stream.getvalue() == ""


def test_text_for_a_person() -> None:
    """A text log reads as text."""
    stream = io.StringIO()
    configure("info", "text", stream)
    structlog.get_logger("wardgate.test").info("ready", port=8000)
    assert "ready" in stream.getvalue()
    assert "port" in stream.getvalue()


@pytest.mark.parametrize("form", ["json", "text"])
def test_bodies_and_keys_are_hidden(form: str) -> None:
    """By name, by look, inside messages, and in tracebacks, which come without local variables."""
    stream = io.StringIO()
    configure("info", form, stream)  # type: ignore[arg-type]  # both are of the literal
    log = structlog.get_logger("wardgate.test")
    log.info("asked", body=b"the body", authorization=f"Bearer {KEY}", store="postgresql://u:pass@host/name")
    log.info("asked", url=f"http://x?Bearer {KEY}")
    logging.getLogger("library").info("header %s", KEY)
    local = f"a local with {KEY} and the body"
    try:
        int(local[:7])
    except ValueError:
        log.exception("crashed")
    for secret in ("the body", KEY, "pass"):
        assert secret not in stream.getvalue()
    assert "ValueError: invalid literal" in stream.getvalue()
