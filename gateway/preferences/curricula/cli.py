"""`wardgate pairs curriculum`: pairs that our own code makes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from cyclopts import Parameter

from gateway.preferences.cli import DONE, Json, Out, keep, refuse, refusing, tell
from gateway.preferences.curricula.curriculum import NAME, held_out_pairs, training_pairs
from gateway.preferences.curricula.interface import shuffled
from gateway.preferences.curricula.material import digest
from gateway.preferences.datasets import Making, Source


def curriculum(
    name: Literal["incident-response"],
    /,
    *,
    held_out: Annotated[bool, Parameter(negative=())] = False,
    limit: int | None = None,
    dataset: str | None = None,
    out: Out | None = None,
    json_: Json = False,
) -> int:
    """Make the pairs of a curriculum: the same ones on every machine.

    Example: wardgate pairs curriculum incident-response --dataset incidents

    Parameters
    ----------
    name
        Which one. incident-response: shortcuts against runbooks on Linux, Kubernetes, databases and Windows, names that
        carry commands, unknown errors, role-play, and ordinary questions.
    held_out
        The templates and names that are never trained on, for evaluation.
    limit
        At most so many, drawn from all of it.
    dataset
        NAME, for the next version, or NAME@VERSION; kept in WARDGATE_HOME.
    out
        A file instead of a dataset; - for standard output.
    json_
        Print the result as one line of JSON.
    """
    with refusing("curriculum"):
        if (dataset is None) is (out is None):
            refuse("curriculum", "say where the pairs go: --dataset NAME or --out FILE")
        pairs = held_out_pairs() if held_out else training_pairs()
        made = shuffled(pairs, NAME, "limit")[:limit] if limit is not None else pairs
        options = {"held_out": held_out, "limit": limit}
        making = Making(datetime.now(UTC), (Source(f"curriculum {name}", digest()),), options)
        result = keep(made, dataset, out, making) | {"rows": len(pairs), "pairs": len(made), "odd": {}}
        tell(result, json_=json_, quiet=str(out) == "-")
    return DONE
