"""Text tools over constants (`tr`, `cut`, `sed`, `awk`, `head` …), as far as one-liners hide code with them.

Each takes its arguments and what it reads, and returns what it prints; None where that is more than it knows.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

from guardrails.commands.ansi import ansi

if TYPE_CHECKING:
    from collections.abc import Callable

    Filter = Callable[[list[str], str], str | None]

_CLASSES = {
    "[:upper:]": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "[:lower:]": "abcdefghijklmnopqrstuvwxyz",
    "[:digit:]": "0123456789",
    "[:space:]": "\t\n\v\f\r ",
    "[:blank:]": " \t",
}
_RANGE = re.compile(r"(.)-(.)", re.DOTALL)
_SED = re.compile(
    r"s(?P<mark>[^\s\w\\])(?P<old>(?:(?!(?P=mark)).)*)(?P=mark)(?P<new>(?:(?!(?P=mark)).)*)(?P=mark)(?P<flags>g?)"
)
_PLAIN = re.compile(r"[\w\s,:;=@%/-]*", re.ASCII)
_FIELD = re.compile(r"\{\s*print\s+(\$\w+(?:\s*,\s*\$\w+)*)\s*;?\s*\}")
_COUNT = re.compile(r"-(?:[nc]\s*)?\d+")
_LONGEST = 4096


def translated(arguments: list[str], text: str) -> str | None:
    """`tr`: one set into another, `-d` and `-s` included."""
    flags = "".join(a[1:] for a in arguments if a.startswith("-") and len(a) > 1)
    sets = [_members(a) for a in arguments if not a.startswith("-") or a == "-"]
    if set(flags) - set("ds") or not sets or None in sets:
        return None
    first, *others = [one or "" for one in sets]
    if "d" in flags:
        return "".join(c for c in text if c not in first)
    if "s" in flags or not others or not others[0]:
        return None
    second = others[0].ljust(len(first), others[0][-1])
    return text.translate({ord(a): b for a, b in reversed(list(zip(first, second, strict=False)))})


def _members(text: str) -> str | None:
    for name, members in _CLASSES.items():
        text = text.replace(name, members)
    if "[:" in text:
        return None
    return _RANGE.sub(lambda m: "".join(map(chr, range(ord(m[1]), ord(m[2]) + 1))), ansi(text))


def _options(arguments: list[str], letters: str) -> dict[str, str] | None:
    """Short options with a value, glued or not; None where there is anything else."""
    found: dict[str, str] = {}
    rest = iter(arguments)
    for one in rest:
        if not one.startswith("-") or len(one) < 2 or one[1] not in letters:
            return None
        found[one[1]] = one[2:] or next(rest, "")
    return found


def _chosen(what: str, parts: list[str]) -> list[str] | None:
    chosen: list[str] = []
    for one in what.split(","):
        first, dash, last = one.partition("-")
        if not (first or "1").isdigit() or not (last or "1").isdigit():
            return None
        start = int(first or 1)
        chosen += parts[start - 1 : (int(last) if last else len(parts)) if dash else start]
    return chosen


def cut(arguments: list[str], text: str) -> str | None:
    """`cut -c` and `cut -d -f`."""
    options = _options(arguments, "cbdf")
    if options is None or not {"c", "b", "f"} & options.keys():
        return None
    lines = []
    for line in text.splitlines():
        if "f" in options:
            mark = options.get("d", "\t")
            chosen = _chosen(options["f"], line.split(mark)) if mark in line else [line]
            lines.append(None if chosen is None else mark.join(chosen))
        else:
            chosen = _chosen(options.get("c") or options["b"], list(line))
            lines.append(None if chosen is None else "".join(chosen))
    return None if None in lines else "".join(f"{line}\n" for line in lines)


def edited(arguments: list[str], text: str) -> str | None:
    """`sed s/plain/text/`."""
    scripts = [a for a in arguments if a not in ("-e", "-E", "-r")]
    if len(scripts) != 1 or scripts[0].startswith("-"):
        return None
    steps = [_SED.fullmatch(step.strip()) for step in scripts[0].split(";")]
    lines = text.splitlines()
    for step in steps:
        if step is None or not _PLAIN.fullmatch(step["old"]) or not step["old"] or set(step["new"]) & set("\\&"):
            return None
        lines = [line.replace(step["old"], step["new"], -1 if step["flags"] else 1) for line in lines]
    return "".join(f"{line}\n" for line in lines)


def fields(arguments: list[str], text: str) -> str | None:
    """`awk '{print $2, $1}'`, with `-F`."""
    mark = None
    if arguments[:1] and arguments[0].startswith("-F"):
        mark = arguments[0][2:] or (arguments[1] if len(arguments) > 1 else "")
        arguments = arguments[1 if arguments[0][2:] else 2 :]
    found = _FIELD.fullmatch(arguments[0].strip()) if len(arguments) == 1 else None
    if found is None or (mark is not None and len(mark) != 1):
        return None
    lines = []
    for line in text.splitlines():
        parts = line.split(mark)
        values = {"$0": line, "$NF": parts[-1] if parts else ""}
        values |= {f"${at}": part for at, part in enumerate(parts, 1)}
        lines.append(" ".join(values.get(name.strip(), "") for name in found.group(1).split(",")))
    return "".join(f"{line}\n" for line in lines)


def _ends(*, first: bool) -> Filter:
    def act(arguments: list[str], text: str) -> str | None:
        joined = "".join(arguments)
        if joined and not _COUNT.fullmatch(joined):
            return None
        count = int(re.sub(r"\D", "", joined) or 10)
        if joined.startswith("-c"):
            return text[:count] if first else text[-count:]
        lines = text.splitlines(keepends=True)
        return "".join(lines[:count] if first else lines[-count:])

    return act


def _base32(arguments: list[str], text: str) -> str | None:
    if not any(re.fullmatch(r"-d|--decode", a) for a in arguments):
        return None
    try:
        return base64.b32decode(re.sub(r"\s", "", text)).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return None


def _sorted(arguments: list[str], text: str) -> str | None:
    lines = sorted(text.splitlines())
    return None if arguments else "".join(f"{line}\n" for line in lines)


def _backwards(arguments: list[str], text: str) -> str | None:
    return None if arguments else "".join(f"{line}\n" for line in reversed(text.splitlines()))


def _base(arguments: list[str]) -> str | None:
    if not 1 <= len(arguments) <= 2 or arguments[0].startswith("-"):
        return None
    name = arguments[0].rstrip("/").rpartition("/")[2]
    return (name.removesuffix(arguments[1]) if len(arguments) > 1 and name != arguments[1] else name) + "\n"


def _folder(arguments: list[str]) -> str | None:
    if len(arguments) != 1 or arguments[0].startswith("-"):
        return None
    folder, slash, _ = arguments[0].rstrip("/").rpartition("/")
    return (folder or (slash or ".")) + "\n"


def _sequence(arguments: list[str]) -> str | None:
    if not 1 <= len(arguments) <= 3 or not all(re.fullmatch(r"-?\d{1,4}", a) for a in arguments):
        return None
    numbers = [int(a) for a in arguments]
    first, step, last = {1: (1, 1, numbers[-1]), 2: (numbers[0], 1, numbers[-1])}.get(len(numbers)) or tuple(numbers)
    values = range(first, last + (1 if step > 0 else -1), step) if step else range(0)
    return None if len(values) > _LONGEST else "".join(f"{value}\n" for value in values)


FILTERS: dict[str, Filter] = {
    "tr": translated,
    "cut": cut,
    "sed": edited,
    "awk": fields,
    "gawk": fields,
    "head": _ends(first=True),
    "tail": _ends(first=False),
    "base32": _base32,
    "sort": _sorted,
    "tac": _backwards,
}
PRINTERS: dict[str, Callable[[list[str]], str | None]] = {"basename": _base, "dirname": _folder, "seq": _sequence}
"""Tools that read nothing."""
