"""What earlier lines of one script have settled: variables, functions, aliases and small files it wrote."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Scope:
    """Constants carried from line to line of one script; a value of None is known only at run time.

    Attributes:
        variables: Values by name.
        functions: Source of each function's body.
        aliases: Source each alias stands for.
        files: Content of files that the script itself wrote.
        positional: Arguments of the function being read; None outside of one.
        branches: How many conditional or repeated blocks enclose the place being read.
    """

    variables: dict[str, str | None] = field(default_factory=dict)
    functions: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    files: dict[str, str | None] = field(default_factory=dict)
    positional: tuple[str | None, ...] | None = None
    branches: int = 0

    def assign(self, name: str, value: str | None) -> None:
        """Settles a variable; where a branch may or may not have been taken, a second value makes it unknown."""
        if self.branches and name in self.variables and self.variables[name] != value:
            value = None
        self.variables[name] = value

    def write(self, path: str, content: str | None) -> None:
        """Notes what a file holds from here on."""
        if self.branches and path in self.files:
            content = None
        self.files[path] = content
