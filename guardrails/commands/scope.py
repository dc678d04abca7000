"""What earlier lines of one script have settled: variables, functions, aliases and small files it wrote."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from guardrails.commands.constants import Value
    from guardrails.commands.tree import Command


_LONGEST = 1 << 16  # characters of a value or a file that are remembered; what grows beyond is unknown
_MOST_MAKERS = 256


class Content(NamedTuple):
    """What a file holds that the script wrote, and the commands that made it; None where only the run will tell."""

    text: str | None
    commands: tuple[Command, ...] = ()


@dataclass(slots=True)
class Scope:
    """Constants carried from line to line of one script; a value of None is known only at run time.

    Attributes:
        variables: Values by name.
        arrays: Elements of each array, by index or key.
        maybe: The values of variables that are None because branches have set them differently.
        exported: Names that programs started from here on can see.
        local: Names that the function being read has of its own.
        functions: Source of each function's body.
        aliases: Source each alias stands for.
        files: Content of files that the script itself wrote.
        values: PowerShell's variables, by lower-case name; those of the environment begin with `env:`.
        makers: The commands whose output such a variable holds, where nobody knows it.
        calls: PowerShell's calls that were read, with all that they could see, so that none is read twice.
        environment: Variables the shell is started with, where that is known; all others are unset then.
        constants: Values that programs in the script's other languages gave their own variables.
        positional: Arguments of the function being read; None outside of one.
        branches: How many conditional or repeated blocks enclose the place being read.
    """

    variables: dict[str, str | None] = field(default_factory=dict)
    arrays: dict[str, dict[str, str | None]] = field(default_factory=dict)
    maybe: dict[str, tuple[str | None, ...]] = field(default_factory=dict)
    exported: set[str] = field(default_factory=set)
    local: set[str] = field(default_factory=set)
    functions: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    files: dict[str, Content] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)
    makers: dict[str, tuple[Command, ...]] = field(default_factory=dict)
    calls: set[int] = field(default_factory=set)
    environment: dict[str, str] | None = None
    constants: dict[str, str | tuple[str, ...] | None] = field(default_factory=dict)
    positional: tuple[str | None, ...] | None = None
    branches: int = 0

    def assign(self, name: str, value: str | None) -> None:
        """Settles a variable."""
        self.variables[name] = None if value is not None and len(value) > _LONGEST else value
        if self.maybe:
            self.maybe.pop(name, None)

    def write(self, path: str, text: str | None, commands: tuple[Command, ...], *, appends: bool = False) -> None:
        """Notes what a file holds from here on."""
        before = self.files.get(path)
        if before is not None and (appends or self.branches):
            known = appends and text is not None and before.text is not None and not self.branches
            text = f"{before.text}{text}" if known else None
            commands = (before.commands + commands)[-_MOST_MAKERS:]
        if text is not None and len(text) > _LONGEST:
            text = None
        self.files[path] = Content(text, commands)
        if "/" not in path:
            self.files[f"./{path}"] = self.files[path]
