"""What a person sees while a run goes on: on standard error, and only where that is a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from training.journal import Row


class Display:
    """A bar for the reference pass, one for training, each with the time it will take."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[words]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._progress.start()

    def begin(self, name: str, total: int, done: int = 0) -> None:
        for task in self._progress.task_ids:
            self._progress.stop_task(task)
        self._task = self._progress.add_task(name, total=total, completed=done, words="")

    def advance(self, by: int = 1) -> None:
        self._progress.advance(self._task, by)

    def show(self, row: Row, tokens_per_second: float) -> None:
        """One more step, and how it stands."""
        margins = " ".join(f"{name} {standing.margin:+.2f}" for name, standing in sorted(row.standing.items()))
        words = f"loss {row.loss:.4f}  {tokens_per_second:.0f} tokens/s  {margins and 'margin ' + margins}"
        self._progress.update(self._task, advance=1, words=words)

    def say(self, message: str) -> None:
        """A line on standard error, above the bars; not only on a terminal."""
        self._progress.console.print(message, highlight=False, markup=False, soft_wrap=True)

    def close(self) -> None:
        self._progress.stop()
