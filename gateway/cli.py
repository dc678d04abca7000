"""The `wardgate` program, put together from the leaves that the installed packages name."""

from __future__ import annotations

from importlib.metadata import entry_points

from cyclopts import App


def build(leaves: dict[str, str]) -> App:
    """The command line made of `leaves`: dotted command path → `module:function`, imported only when called."""
    app = App(name="wardgate", help="A guarded gateway in front of vLLM.", version_flags=("--version",))
    groups: dict[str, App] = {"": app}
    for path in sorted(leaves):
        parent, _, name = path.rpartition(".")
        if parent not in groups:
            groups[parent] = App(name=parent)
            app.command(groups[parent])
        groups[parent].command(leaves[path], name=name)
    return app


def main() -> None:
    found = {entry.name: entry.value for entry in entry_points(group="wardgate.commands")}
    build(found)()
