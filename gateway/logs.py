"""One form for every line that is logged: JSON, or text on a terminal; never a body or a key."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any, Literal, TextIO

import structlog

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from structlog.typing import Processor

HIDDEN = frozenset({"authorization", "api_key", "key", "keys", "body", "request", "messages", "text", "headers"})
_KEY = re.compile(r"(?i:bearer\s+)\S+|\bwg-[A-Za-z0-9_-]{16,}|(?<=://)[^/\s:@]*:[^/\s@]*(?=@)")


def configure(level: str, form: Literal["auto", "json", "text"], stream: TextIO) -> None:
    """Send our own and the libraries' log lines to `stream`.

    Tracebacks come without local variables: those hold bodies and keys.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    text = form == "text" or (form == "auto" and stream.isatty())
    last: list[Processor] = [structlog.processors.format_exc_info, without_secrets]
    if text:
        last.append(
            structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback)
        )
    else:
        last.append(structlog.processors.JSONRenderer(ensure_ascii=False))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())


def without_secrets(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide what is named like a secret or a body, and what looks like a key wherever it stands."""
    for name, value in event.items():
        if name in HIDDEN:
            event[name] = "(not logged)"
        elif isinstance(value, str):
            event[name] = _KEY.sub("(not logged)", value)
    return event
