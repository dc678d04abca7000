"""Dockerfiles, as far as the tests read them: instructions in order, stage by stage."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Instruction:
    """One instruction with its lines joined, `word` in capitals."""

    word: str
    text: str

    @property
    def array(self) -> list[str]:
        """The JSON array of an exec form, with what stands before it (`CMD` of a HEALTHCHECK) left out."""
        items: list[str] = json.loads(self.text[self.text.index("[") :])
        return items


@dataclass(frozen=True)
class Stage:
    """One `FROM` and what follows it."""

    base: str
    instructions: tuple[Instruction, ...]

    def all(self, word: str) -> list[Instruction]:
        return [instruction for instruction in self.instructions if instruction.word == word]

    def last(self, word: str) -> Instruction:
        return self.all(word)[-1]

    @property
    def environment(self) -> dict[str, str]:
        """What `ENV NAME=VALUE …` sets."""
        return dict(pair.split("=", 1) for line in self.all("ENV") for pair in line.text.split())


def stages(path: Path) -> list[Stage]:
    """The stages of a Dockerfile, the image that is shipped last."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ").splitlines()
    read = [Instruction(word.upper(), text.strip()) for word, _, text in (line.partition(" ") for line in joined)]
    starts = [number for number, instruction in enumerate(read) if instruction.word == "FROM"] + [len(read)]
    return [Stage(read[start].text.split()[0], tuple(read[start + 1 : end])) for start, end in pairwise(starts)]
