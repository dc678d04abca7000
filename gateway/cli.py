"""The `wardgate` program, put together from the leaves that the installed packages name."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import Any

from cyclopts import App

_JUDGING = (["guard", "check"], ["guard", "verify"])
_HELP = frozenset({"--help", "-h", "--version"})

GROUPS = {
    "adapters": "Register, load, promote, roll back and merge adapters.",
    "guard": "Ask the guard without a gateway.",
    "pairs": "Turn what people did into preference pairs, and pairs into datasets.",
}


def build(leaves: dict[str, str], *, resolve: bool = False, helps: bool = True) -> App:
    """The command line made of `leaves`: dotted command path → `module:function`.

    A leaf is imported when it is called, or with `resolve` at once: a help page shows every leaf's first sentence.
    Without `helps` no word asks for help or the version.
    """
    flags: dict[str, Any] = {} if helps else {"help_flags": (), "version_flags": ()}
    app = App(name="wardgate", help="A guarded gateway in front of vLLM.", **flags)
    groups: dict[str, App] = {"": app}
    for path in sorted(leaves):
        parent, _, name = path.rpartition(".")
        if parent not in groups:
            groups[parent] = App(name=parent, help=GROUPS.get(parent), **flags)
            app.command(groups[parent])
        groups[parent].command(leaves[path], name=name, **flags)
        if resolve:
            groups[parent][name]  # looking it up imports it
    return app


def offered(leaves: dict[str, str]) -> dict[str, str]:
    """The leaves that can work here: the gateway's image has no torch, and so no `train`."""
    can_train = find_spec("torch") is not None
    return {path: leaf for path, leaf in leaves.items() if can_train or not leaf.startswith("training.")}


def helps(words: list[str]) -> bool:
    """Whether a `--help` among `words` asks for help.

    What judges is given anybody's text, a permit or a command, and its exit status is what somebody acts on: there it
    asks for help only right behind the command's name, or `guard verify --permit --help 'rm -rf /'` would end with 0.
    """
    return words[:2] not in _JUDGING or _HELP.isdisjoint(words) or len(words) == 3


def main() -> None:
    found = offered({entry.name: entry.value for entry in entry_points(group="wardgate.commands")})
    words = sys.argv[1:]
    resolve = not words or words[-1] in ("--help", "-h", *GROUPS)
    build(found, resolve=resolve, helps=helps(words))()
