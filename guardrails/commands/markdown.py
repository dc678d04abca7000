"""Reads a team's runbook in Markdown: its commands become safe steps, its prose says why.

What a step stands in for is told by the file's front matter (`wardgate: {effects: [delete], heads: [rm]}`), or by a
heading that begins with "Instead of" and names effects, places or `commands`; that holds for everything below the
heading. A step that nothing is told about is offered only where a rule names it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from guardrails import regions
from guardrails.commands.effects import Effect, Place
from guardrails.commands.mends import nearest
from guardrails.commands.packs import RuleError, read_text
from guardrails.commands.placeholders import slotted
from guardrails.commands.runbooks import Alternative, Offer, Step
from guardrails.interface import Shell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FRONT = re.compile(r"---[ \t]*\n(.*?)^---[ \t]*$\n?", re.DOTALL | re.MULTILINE)
_OURS = re.compile(r"^\s*[\"'{]*wardgate\b", re.MULTILINE)
_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})[ \t]*([\w.+-]*)")
_HEADING = re.compile(r"(#{1,6})[ \t]+(\S.*)")
_INSTEAD = re.compile(r"instead of\b", re.IGNORECASE)
_NAMED = re.compile(r"`([^`]+)`|([A-Za-z_]+)")
_JOINING = frozenset({"instead", "of", "or", "and", "in", "on", "from", "at", "the", "a", "an"})
_CODE = re.compile(r"`([^`]+)`")
_COMMAND = re.compile(r"[a-z][\w.+-]*[ \t]+\S")
_LIKELY = re.compile(r"(?!.*[ \t]{3})[a-z./][\w./-]*[ \t](?:.*[ \t])?(?:--?[A-Za-z]|<|\$|\{|\|)")
_ASSIGNED = re.compile(r"(?:export[ \t]+)?[A-Za-z_]\w*=(?:\"?\$\(.*\)\"?|[^ \t]*|<[^>]*>|\"[^\"]*\"|'[^']*')$")
_CONSTANT = re.compile(r"(?:export[ \t]+)?([A-Z][A-Z0-9_]*)=([\"']?)([\w./:@-]+)\2")
_MARKS = re.compile(r"^[ \t]*(?:[-*+>]|\d+[.)])[ \t]+|[*_`]+|\]\([^)]*\)|\[")
_LONGEST, _LONGEST_WHY, _SHORTEST_WHY = 300, 200, 8


class Front(BaseModel):
    """The front matter; what is not ours is left alone."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    wardgate: FrontOffer | None = None


class FrontOffer(Offer):
    """What the steps of the file stand in for, and names that exist here."""

    facts: dict[str, list[str]] = Field(default={})


Front.model_rebuild()


@dataclass
class _Section:
    """Where a reader stands: under which headings, what they offer, what was said last."""

    offers: list[tuple[int, Offer]]
    slug: str = "step"
    title: str = ""
    said: list[str] = field(default_factory=list)

    def heading(self, depth: int, title: str, offer: Offer | None) -> None:
        self.offers = [(d, o) for d, o in self.offers if d < depth]
        if offer is not None:
            self.offers.append((depth, offer))
        self.slug, self.title, self.said = _slug(title), title, []

    def say(self, line: str) -> None:
        """Take a line of prose; an empty one ends what was said, unless that announces something."""
        if line.strip():
            if self.said and not self.said[-1]:
                self.said = []
            self.said.append(line)
        elif self.said and not self.said[-1].rstrip().endswith(":"):
            self.said.append("")

    @property
    def offer(self) -> Offer | None:
        return self.offers[-1][1] if self.offers else None

    def why(self) -> str:
        text = " ".join(_MARKS.sub("", line).strip() for line in self.said).strip(" :.")
        if len(text) < _SHORTEST_WHY:
            text = f"is the runbook's step: {self.title or self.slug}"
        return text if len(text) <= _LONGEST_WHY else f"{text[: _LONGEST_WHY - 1]}…"


def read(file: Path) -> tuple[list[Step], list[str], bytes]:
    """A runbook's steps, the names it tells, and its bytes.

    Raises:
        RuleError: It cannot be read, or front matter or an "Instead of" heading says what is not known.
    """
    try:
        raw = file.read_bytes()
        text = raw.decode("utf-8").replace("\r\n", "\n")
    except OSError as wrong:
        raise RuleError(file, 1, "path", f"cannot be read ({wrong.strerror}); mend the path in the policy") from wrong
    except UnicodeDecodeError as wrong:
        raise RuleError(file, 1, "file", f"is not UTF-8 at byte {wrong.start}; save it as UTF-8") from wrong
    front = _FRONT.match(text)
    # Front matter that does not speak to us is another program's, and need not even be YAML.
    ours = front is not None and _OURS.search(front[1]) is not None
    told = read_text(file, front[1], Front, above=1)[0].wardgate if front and ours else None
    facts = [name for names in told.facts.values() for name in names] if told else []
    begins = front.end() if front else 0
    section = _Section([(0, told)] if told else [])
    lines = text[begins:].split("\n")
    above = text.count("\n", 0, begins)
    seen: dict[str, int] = {}
    steps = []
    for line, command, shell in _commands(file, lines, above, section):
        if not 2 <= len(command) <= _LONGEST:
            continue
        name = f"{_slug(file.stem)}.{section.slug}"
        seen[name] = seen.get(name, 0) + 1
        number = f"-{seen[name]}" if seen[name] > 1 else ""
        offer = section.offer or Offer()
        given = offer.model_dump(include=set(Offer.model_fields))
        steps.append(
            Step(Alternative(id=name + number, command=command, why=section.why(), shell=shell, **given), file, line)
        )
    return steps, facts, raw


def _commands(file: Path, lines: list[str], above: int, section: _Section) -> Iterator[tuple[int, str, Shell]]:
    """Commands with their line, in fences and in inline code; moves the section along."""
    at = 0
    constants: dict[str, str] = {}
    while at < len(lines):
        line = lines[at]
        at += 1
        if fence := _FENCE.match(line):
            end = next((n for n in range(at, len(lines)) if lines[n].strip().startswith(fence[1])), len(lines))
            language, shell = regions.language(fence[2])
            inside = [] if language is regions.Language.CODE else _fenced(lines[at:end], language, constants)
            for offset, command in inside:
                yield above + at + offset + 1, command, _written(shell)
            section.said, at = [], end + 1
        elif heading := _HEADING.match(line):
            section.heading(len(heading[1]), heading[2].strip(), _offer(file, above + at, heading[2]))
        else:
            section.say(line)
            for code in _CODE.findall(line) if section.offer is not None else ():
                if _COMMAND.match(code):
                    yield above + at, slotted(code, constants), Shell.BASH


def _written(shell: Shell) -> Shell:
    return Shell.BASH if shell is Shell.AUTO else shell


def _fenced(lines: list[str], language: regions.Language, constants: dict[str, str]) -> Iterator[tuple[int, str]]:
    """The commands of a fence: behind prompts where it has any, else whatever is no comment and no output."""
    transcript = language is regions.Language.TRANSCRIPT
    prompts = any(_prompt(line, root=transcript) for line in lines)
    if transcript and not prompts and len(lines) > 1:
        return
    heads: set[str] = set()
    paragraphs, held, began = 0, "", 0
    for at, line in enumerate(lines):
        start = 0 if held else _prompt(line, root=transcript)
        text, began = held + line[start:].strip(), began if held else at
        going_on, held = bool(held), ""
        if text.endswith("\\"):
            held = text[:-1].rstrip() + " "
        elif not text:
            paragraphs += bool(heads)
        elif text.startswith("#") or text == "exit" or (prompts and not start and not going_on):
            continue
        elif _ASSIGNED.match(text):
            if constant := _CONSTANT.fullmatch(text):
                constants[constant[1]] = constant[3]
        elif prompts or not paragraphs or text.split(None, 1)[0] in heads or _LIKELY.match(text):
            heads.add(text.split(None, 1)[0])
            yield began, slotted(text, constants)


def _prompt(line: str, *, root: bool) -> int:
    """Length of a prompt; `#` is one only where it can be root's and stands before what looks like a command."""
    if not line.lstrip().startswith("#"):
        return regions.prompt_end(line)
    bare = line.lstrip().lstrip("#").lstrip()
    return len(line) - len(bare) if root and _LIKELY.match(bare) else 0


def _offer(file: Path, line: int, heading: str) -> Offer | None:
    """What a heading "Instead of delete, `rm`: data" says.

    Raises:
        RuleError: It names what is neither effect nor place.
    """
    opening = _INSTEAD.match(heading)
    if opening is None:
        return None
    offer = Offer()
    for code, word in _NAMED.findall(heading, opening.end()):
        name = word.lower()
        if code:
            offer = _with(offer, "heads", code.split()[0].lower())
        elif name in set(Effect):
            offer = _with(offer, "effects", Effect(name))
        elif name in set(Place):
            offer = _with(offer, "places", Place(name))
        elif name not in _JOINING:
            message = f"{word!r} is neither an effect nor a place, and a command stands in backticks; "
            raise RuleError(file, line, "heading", message + nearest(name, [*Effect, *Place]))
    return offer if offer.effects else _with(offer, "effects", *Effect)


def _with(offer: Offer, name: str, *values: object) -> Offer:
    return offer.model_copy(update={name: [*getattr(offer, name), *values]})


def _slug(text: str) -> str:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", _MARKS.sub("", text)).lower()
    return re.sub(r"[^a-z0-9]+", "-", words).strip("-")[:60] or "step"
