"""Bash's patterns (`*`, `?`, `[…]`) over constants: what `${x#…}`, `${x%…}` and `${x/…/…}` leave."""

from __future__ import annotations

import re

_LONGEST = 512
_MOST_STARS = 4  # more could make a match go through all ways to divide a value


def compiled(pattern: str) -> re.Pattern[str] | None:
    """The pattern as a regular expression; None where it is not one that is worth reading."""
    if len(pattern) > _LONGEST or pattern.count("*") > _MOST_STARS:
        return None
    pieces, at = [], 0
    while at < len(pattern):
        one = pattern[at]
        close = pattern.find("]", at + 2) if one == "[" else -1
        if close > 0:
            inside = pattern[at + 1 : close].replace("\\", "\\\\")
            inside = f"^{inside[1:]}" if inside[0] in "!^" else inside
            pieces.append(f"[{inside}]" if "[" not in inside else re.escape(pattern[at : close + 1]))
            at = close + 1
            continue
        pieces.append({"*": ".*", "?": "."}.get(one, re.escape(one)))
        at += 1
    try:
        return re.compile("".join(pieces), re.DOTALL)
    except re.error:
        return None


def trimmed(value: str, pattern: str, *, end: bool, longest: bool) -> str | None:
    """The value without what matches at its beginning or end."""
    found = compiled(pattern)
    if found is None or len(value) > _LONGEST:
        return None
    sizes = range(len(value) + 1)
    for size in reversed(sizes) if longest else sizes:
        part = value[len(value) - size :] if end else value[:size]
        if found.fullmatch(part):
            return value[: len(value) - size] if end else value[size:]
    return value


def replaced(value: str, pattern: str, new: str, *, every: bool) -> str | None:
    """The value with what matches replaced; `#` and `%` bind the pattern to its beginning or end."""
    anchor = pattern[:1] if pattern[:1] in ("#", "%") and not every else ""
    found = compiled(pattern[len(anchor) :])
    if found is None or len(value) > _LONGEST or not pattern:
        return None
    if len(new) > _LONGEST:
        return None
    form = {"#": rf"\A(?:{found.pattern})", "%": rf"(?:{found.pattern})\Z"}.get(anchor, found.pattern)
    return re.sub(form, lambda _: new, value, count=0 if every else 1, flags=re.DOTALL)
