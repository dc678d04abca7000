"""The README's code blocks: read with what their info strings ask for, and played.

The convention is described in CONTRIBUTING.md, section "The README is executed".
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import secrets
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from gateway.settings import load_settings
from guardrails.policy import load_policy

ROOT = Path(__file__).resolve().parent.parent
README_URL = "http://127.0.0.1:8000"
PLAYED = {"console", "sh", "python", "json", "yaml"}
SHOWN = {"", "text", "mermaid"}
OPTIONS = {"story", "scene", "exit", "by", "as", "to"}
COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class BlockError(AssertionError):
    """A block says something that is not so, or its info string cannot be understood."""


@dataclass(frozen=True)
class Block:
    """One fenced block.

    Attributes:
        line: Line of its opening fence.
        language: First word of the info string.
        options: Its `name=value` words.
        text: What stands between the fences.
        output: The `text output` block right behind it: what a Python block prints.
    """

    line: int
    language: str
    options: dict[str, str]
    text: str
    output: str | None = None

    @property
    def place(self) -> str:
        return f"README.md:{self.line} ({self.language})"


@dataclass(frozen=True)
class Scene:
    """Blocks that are played in order in one folder: a story's, or a single block."""

    name: str
    blocks: tuple[Block, ...]
    served: bool


def read_blocks(markdown: str) -> list[Block]:
    """Every fenced block in order.

    Raises:
        BlockError: An unknown language or option, or `output` behind something that is not Python.
    """
    blocks: list[Block] = []
    for match in re.finditer(r"^```([^\n`]*)\n(.*?)^```[ ]*$", markdown, re.MULTILINE | re.DOTALL):
        line = markdown.count("\n", 0, match.start()) + 1
        language, *words = match[1].split() or [""]
        if (language, words) == ("text", ["output"]):
            before = blocks.pop() if blocks else None
            if before is None or before.language != "python":
                raise BlockError(f"README.md:{line}: `text output` belongs behind a python block")
            blocks.append(Block(before.line, before.language, before.options, before.text, match[2]))
            continue
        options = dict(word.partition("=")[::2] for word in words)
        if language not in PLAYED | SHOWN or not options.keys() <= OPTIONS:
            raise BlockError(f"README.md:{line}: nobody knows how to play {match[1]!r}")
        blocks.append(Block(line, language, options, match[2]))
    return blocks


def scenes(blocks: list[Block]) -> list[Scene]:
    """What is to be played: a story's or scene's blocks together, others alone; `by=` blocks are left to others."""
    told: dict[str, list[Block]] = {}
    for block in blocks:
        if block.language in PLAYED and "by" not in block.options:
            name = block.options.get("story") or block.options.get("scene") or f"line {block.line} {block.language}"
            told.setdefault(name, []).append(block)
    return [Scene(name, tuple(part), "story" in part[0].options) for name, part in told.items()]


def matches(shown: str, real: str) -> bool:
    """True where `real` is what is `shown`; `...` stands for anything within a line, alone for any number of lines."""
    pattern = ""
    for line in shown.rstrip().splitlines():
        if line.strip() == "...":
            pattern += r"(?:[^\n]*\n)*?"
        else:
            pattern += r"[^\n]*?".join(map(re.escape, line.rstrip().split("..."))) + r"\n"
    lines = [line.rstrip() for line in COLOURS.sub("", real).rstrip().splitlines()]
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in lines)) is not None


def commands(text: str) -> list[tuple[str, str]]:
    """A transcript's commands, each with the output shown for it; `> ` and a trailing backslash continue a command."""
    told: list[tuple[str, str]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            told.append((line[2:], ""))
        elif not told:
            raise BlockError(f"a transcript begins with a command, `$ …`, not with {line!r}")
        elif not told[-1][1] and (line.startswith("> ") or told[-1][0].endswith("\\")):
            told[-1] = (f"{told[-1][0]}\n{line.removeprefix('> ')}", "")
        else:
            told[-1] = (told[-1][0], f"{told[-1][1]}{line}\n")
    return told


@dataclass
class Stage:
    """A folder that looks like a fresh clone, in which blocks are played.

    Attributes:
        folder: Where; everything of the project stands there, but for `var`.
        environment: For commands; what a block exports is there for the next.
        url: What `http://127.0.0.1:8000` in a block really is.
    """

    folder: Path
    environment: dict[str, str]
    url: str = README_URL
    names: dict[str, object] = field(default_factory=dict)

    def lay(self, home: Path | None = None) -> None:
        """Put the project there, and `home` as its `var`."""
        for path in ROOT.iterdir():
            if path.name not in ("var", ".git"):
                (self.folder / path.name).symlink_to(path)
        if home is not None:
            (self.folder / "var").symlink_to(home)
        self.environment["PATH"] = f"{ROOT / '.venv' / 'bin'}:{self.environment['PATH']}"
        self.environment.pop("WARDGATE_HOME", None)

    def play(self, block: Block) -> None:
        """Do what the block says.

        Raises:
            BlockError: It does not do what the README shows.
        """
        text = block.text.replace(README_URL, self.url)
        if block.language == "console":
            self._transcript(block, commands(text))
        elif block.language == "sh":
            self._transcript(block, [(f"set -e\n{text}\nset +e", "...")])
        elif block.language == "python":
            self._python(block, text)
        elif block.language == "json":
            json.loads(text)
        else:
            self._yaml(block, text)

    def _transcript(self, block: Block, told: list[tuple[str, str]]) -> None:
        """Run the commands in one shell, so that `cd`, variables and `$?` are what a reader would have."""
        mark = secrets.token_hex(8)
        kept = self.folder / ".exported"
        parts = [f". {kept}" if kept.exists() else ":", "status=0"]
        for command, _ in told:
            parts.append(f"(exit $status)\n{command}\nstatus=$?\nprintf '\\n{mark} %s\\n' $status")
        parts.append(f"export -p >{kept}")
        everything = self._bash(block, "\n".join(parts))
        steps = re.findall(rf"(.*?)\n{mark} (\d+)\n", everything, re.DOTALL)
        if len(steps) != len(told):
            raise BlockError(f"{block.place}: the shell ended early\n{everything}")
        allowed = int(block.options.get("exit", "0"))
        for (command, shown), (printed, status) in zip(told, steps, strict=True):
            real = printed.replace(self.url, README_URL)
            if int(status) not in (0, allowed):
                raise BlockError(f"{block.place}: `{command}` ended with {status}\n{real}")
            if not matches(shown.replace(self.url, README_URL), real):
                raise BlockError(f"{block.place}: `{command}` printed\n{real}\nand not\n{shown}")
        if allowed and allowed not in {int(status) for _, status in steps}:
            raise BlockError(f"{block.place}: no command ended with {allowed}")

    def _bash(self, block: Block, script: str) -> str:
        with (self.folder / ".printed").open("w+b") as output:
            try:
                subprocess.run(
                    ["bash", "-c", script],
                    cwd=self.folder,
                    env=self.environment,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    timeout=300,
                    check=False,
                )
            except subprocess.TimeoutExpired as error:
                raise BlockError(f"{block.place}: did not end within {error.timeout} s") from error
            output.seek(0)
            return output.read().decode(errors="replace")

    def _python(self, block: Block, text: str) -> None:
        """Execute it here, in the names that the story's earlier blocks left behind."""
        printed = io.StringIO()
        with contextlib.chdir(self.folder), contextlib.redirect_stdout(printed):
            exec(compile("\n" * block.line + text, "README.md", "exec"), self.names)
        real = printed.getvalue().replace(self.url, README_URL)
        if block.output is not None and not matches(block.output, real):
            raise BlockError(f"{block.place}: printed\n{real}\nand not\n{block.output}")

    def _yaml(self, block: Block, text: str) -> None:
        """Parse it; `as=policy` and `as=settings` also load it as what it is, `to=FILE` leaves it there."""
        file = self.folder / block.options.get("to", f"line{block.line}.yaml")
        file.write_text(text)
        match block.options.get("as"):
            case "policy":
                load_policy(file)
            case "settings":
                load_settings({}, file)
            case None:
                yaml.safe_load(text)
            case other:
                raise BlockError(f"{block.place}: nobody knows how to load it as {other!r}")
