r"""Quotes those words of PowerShell's arguments that its grammar cannot read: `$dir\cache`, `C:\"Program Files"\x`."""

from __future__ import annotations

import re

# What a text must hold for any of its words to need it.
_AWKWARD = re.compile(r"[\w}\"')]\\|\\[\"']|\s-+\s*(?:[|;\n]|$)|\s-[A-Za-z]+\d")
_NUMBERED = re.compile(r"-[A-Za-z]+\d\w*")
_END = re.compile(r"[ \t]*(?:[|;\r\n]|$)")
_WORD = re.compile(
    r"(?:`.|'[^'\n]*'|\"(?:[^\"`\n]|`.)*\"|\$\{[^}\n]*\}|\$\([^()\n]*\)|\$[\w:]+|[^\s'\"`$;|&(){}<>,@])+", re.DOTALL
)
_PIECE = re.compile(
    r"(?P<tick>`.)|(?P<raw>'[^'\n]*')|(?P<string>\"(?:[^\"`\n]|`.)*\")|(?P<held>\$\{[^}\n]*\}|\$\([^()\n]*\)|\$[\w:]+(?:\.\w+)*)"
    r"|(?P<bare>[^'\"`$]+|.)",
    re.DOTALL,
)
_CLOSED = {"<#": "#>", "@'": "\n'@", '@"': '\n"@'}
_OPENING = re.compile(r"<#|@['\"]\r?\n|#")


def quoted(text: str) -> tuple[str, list[tuple[int, int]]]:
    """The text with such words in double quotes, and from where on offsets in it must be moved by how much."""
    if not _AWKWARD.search(text):
        return text, []
    made: list[str] = []
    moves: list[tuple[int, int]] = []
    at = length = moved = 0
    unclosed: set[str] = set()
    while at < len(text):
        end = _passed(text, at, unclosed)
        piece = text[at:end]
        if end == at:
            word = _WORD.match(text, at)
            end = word.end() if word else at + 1
            piece = text[at:end]
            instead = _in_quotes(piece) if word and "\\" in piece else None
            if (piece == "-" and _END.match(text, end)) or _NUMBERED.fullmatch(piece):
                instead = f'"{piece}"'
            if instead is not None:
                moves.append((length + 1, moved - 1))
                moved += len(piece) - len(instead)
                moves.append((length + len(instead), moved))
                piece = instead
        made.append(piece)
        length += len(piece)
        at = end
    return "".join(made), moves


def _passed(text: str, at: int, unclosed: set[str]) -> int:
    """The end of the comment or here-string that begins at `at`."""
    opening = _OPENING.match(text, at)
    if opening is None:
        return at
    if opening[0] == "#":
        end = text.find("\n", at)
        return len(text) if end < 0 else end
    close = _CLOSED[opening[0][:2]]
    end = -1 if close in unclosed else text.find(close, opening.end() - 1)
    if end < 0:
        unclosed.add(close)
        return at
    return end + len(close)


def _in_quotes(word: str) -> str | None:
    """A word of several pieces as one string; None where it can stay as it is."""
    if word.startswith("-"):
        return None
    pieces = list(_PIECE.finditer(word))
    bare = any("\\" in piece[0] for piece in pieces if piece.lastgroup == "bare")
    plain = pieces[0].lastgroup == "bare" and not any(piece.lastgroup in ("raw", "string") for piece in pieces)
    if not bare or len(pieces) < 2 or plain:
        return None
    return '"' + "".join(map(_inner, pieces)) + '"'


def _inner(piece: re.Match[str]) -> str:
    kind, text = piece.lastgroup, piece[0]
    if kind == "raw":
        return re.sub(r'([`$"])', r"`\1", text[1:-1])
    if kind == "string":
        return text[1:-1]
    if kind == "held" and "." in text and text[1] not in "({":
        return f"$({text})"
    return text
