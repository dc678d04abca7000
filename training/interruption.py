"""Being told to stop: the run ends at its next safe place, with a checkpoint, instead of in the middle."""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Interrupted(Exception):
    """The run was told to stop, and saved where it was.

    Attributes:
        number: The signal, so that a program can end with 128 + number.
    """

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.number = number


class Stop:
    """Whether a stop was asked for.

    Attributes:
        number: The signal that asked; 0 before.
    """

    number = 0

    def ask(self, number: int, _: object = None) -> None:
        self.number = number


@contextlib.contextmanager
def listening() -> Iterator[Stop]:
    """Hear SIGTERM and SIGINT while in it; outside the main thread, where none can be heard, nothing changes."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.signal(number, stop.ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
