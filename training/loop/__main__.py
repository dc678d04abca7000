"""`make loop`: the product once around, on the embedded default; prints the table and where its report lies."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path  # noqa: TC003  # the command line is read from the annotations
from typing import Annotated

from cyclopts import App, Parameter

from gateway.adapters.aligned import BUILT_IN
from gateway.engine.embedded import ModelUnavailable
from gateway.settings import load_settings
from training.loop import shipping
from training.loop.bars import bars
from training.loop.gateway import LoopFailed
from training.loop.play import SMALL, Size, Stage, play
from training.loop.results import picture
from training.text import told

app = App(name="make loop", help=__doc__)


@app.default
def main(
    *,
    seed: int = 0,
    small: Annotated[bool, Parameter(negative=())] = False,
    home: Path | None = None,
    ship: int | None = None,
) -> int:
    """Play the loop in a home of its own; exit status 1 if a step failed or a bar was missed.

    Args:
        seed: Of everything that is drawn.
        small: A few steps of each part, as a test of the way; no bar is looked at.
        ship: Make the adapter of the loop that was played last the one that comes with the program, as this version.
        home: Where it keeps everything; emptied first. By default `loop` in WARDGATE_HOME.
    """
    place = home or load_settings(os.environ).home / "loop"
    if ship is not None:
        shipping.ship(place, BUILT_IN, ship)
        return 0
    began = time.monotonic()

    def tell(text: str) -> None:
        sys.stdout.write(f"[{time.monotonic() - began:6.0f} s] {text}\n")
        sys.stdout.flush()

    try:
        stage = Stage(place, SMALL if small else Size(), seed, tell)
        table = asyncio.run(play(stage))
    except (LoopFailed, ModelUnavailable) as error:
        sys.stderr.write(f"make loop: {error}\n")
        return 1
    tell(f"the report is {picture(stage.report)}, its raw files lie in {stage.report}")
    found = bars(table)
    lines = [f"{'reached' if bar.reached else 'MISSED '}  {bar.wanted}: {bar.measured}" for bar in found]
    sys.stdout.write("\n".join(["", told(table), "", *lines, ""]))
    return 0 if small or all(bar.reached for bar in found) else 1


if __name__ == "__main__":
    sys.exit(app())
