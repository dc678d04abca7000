"""The `wardgate` program, put together from the leaves that the installed packages name."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points
from importlib.util import find_spec

from cyclopts import App

GROUPS = {
    "adapters": "Register, load, promote, roll back and merge adapters.",
    "guard": "Ask the guard without a gateway.",
    "pairs": "Turn what people did into preference pairs, and pairs into datasets.",
}


def build(leaves: dict[str, str], *, resolve: bool = False) -> App:
    """The command line made of `leaves`: dotted command path → `module:function`.

    A leaf is imported when it is called, or with `resolve` at once: a help page shows every leaf's first sentence.
    """
    app = App(name="wardgate", help="A guarded gateway in front of vLLM.", version_flags=("--version",))
    groups: dict[str, App] = {"": app}
    for path in sorted(leaves):
        parent, _, name = path.rpartition(".")
        if parent not in groups:
            groups[parent] = App(name=parent, help=GROUPS.get(parent))
            app.command(groups[parent])
        groups[parent].command(leaves[path], name=name)
        if resolve:
            groups[parent][name]  # looking it up imports it
    return app


def offered(leaves: dict[str, str]) -> dict[str, str]:
    """The leaves that can work here: the gateway's image has no torch, and so no `train`."""
    can_train = find_spec("torch") is not None
    return {path: leaf for path, leaf in leaves.items() if can_train or not leaf.startswith("training.")}


def main() -> None:
    found = offered({entry.name: entry.value for entry in entry_points(group="wardgate.commands")})
    words = sys.argv[1:]
    build(found, resolve=not words or words[-1] in ("--help", "-h", *GROUPS))()
