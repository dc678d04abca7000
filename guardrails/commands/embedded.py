"""Commands that stand inside something else: string literals of a program, values of a JSON document, YAML keys.

Each is returned as a `Piece`: the text a shell would be given, with a map back to where it was written.
"""

from __future__ import annotations

import re
from itertools import islice, pairwise
from typing import NamedTuple

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0", "\n": ""}
_ESCAPE = re.compile(
    r"\\u([Dd][89ABab][0-9A-Fa-f]{2})\\u([Dd][C-Fc-f][0-9A-Fa-f]{2})"  # one character beyond 16 bits
    r"|\\(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|(.))",
    re.DOTALL,
)
_SAFE_WORD = re.compile(r"[\w@%+=:,./-]+")
_MOST_PIECES = 400


class Piece(NamedTuple):
    """A text and, for each of its characters, where it was written.

    Attributes:
        text: As a shell would be given it.
        starts: Offset of each character's source.
        ends: Offset behind each character's source.
        joined: Whether it was put together of several values, as an argument vector is.
    """

    text: str
    starts: list[int]
    ends: list[int]
    joined: bool = False

    def source_span(self, start: int, end: int) -> tuple[int, int]:
        """Map half-open offsets in `text` to half-open offsets in what it was found in."""
        if not self.starts:
            return 0, 0
        start = min(start, len(self.starts) - 1)
        end = max(end, start + 1)
        return min(self.starts[start:end]), max(self.ends[start:end])


def decode(source: str, start: int, end: int, *, raw: bool = False) -> Piece:
    """The string literal whose inside is `source[start:end]`, its escapes resolved unless `raw`."""
    text: list[str] = []
    starts: list[int] = []
    ends: list[int] = []

    def keep(characters: str, begin: int, stop: int) -> None:
        text.append(characters)
        starts.extend([begin] * len(characters))
        ends.extend([stop] * len(characters))

    position = start
    if not raw and "\\" in source[start:end]:
        for match in _ESCAPE.finditer(source, start, end):
            text.append(source[position : match.start()])
            starts.extend(range(position, match.start()))
            ends.extend(range(position + 1, match.start() + 1))
            keep(_character(match), match.start(), match.end())
            position = match.end()
    text.append(source[position:end])
    starts.extend(range(position, end))
    ends.extend(range(position + 1, end + 1))
    return Piece("".join(text), starts, ends)


def _character(match: re.Match[str]) -> str:
    if match[1]:
        return (bytes.fromhex(match[1]) + bytes.fromhex(match[2])).decode("utf-16-be")
    code = match[3] or match[4]
    return chr(int(code, 16)) if code else _ESCAPES.get(match[5], match[5])


def join(pieces: list[Piece]) -> Piece:
    """An argument vector as one command line, each value quoted where a shell would split it."""
    text: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for index, piece in enumerate(pieces):
        if not piece.starts:
            continue
        quote = "" if index == 0 or _SAFE_WORD.fullmatch(piece.text) else "'"
        body = piece.text.replace("'", "_") if quote else piece.text
        text.append(f"{quote}{body}{quote} ")
        first, last = piece.starts[0], piece.ends[-1]
        starts += [first] * len(quote) + piece.starts + [last - 1] * len(quote) + [last - 1]
        ends += [first + 1] * len(quote) + piece.ends + [last] * len(quote) + [last]
    return Piece("".join(text), starts, ends, joined=True)


_LITERAL = re.compile(
    r"(?P<prefix>(?:\b[rRbBuUfF]{1,2})?)(?P<quote>\"\"\"|'''|\"|'|`)"
    r"(?P<body>(?:(?!(?P=quote))(?:\\.|[^\\]))*)(?P=quote)",
    re.DOTALL,
)
_BETWEEN = re.compile(r"[\s,+]*,[\s,+]*|(?:\s*\n\s*-\s*)")
_VALUE = re.compile(
    r"^[ \t]*(?:-[ \t]+)*(?:[\w.-]+[ \t]*[:=][ \t]*)?(?:[|>][+-]?[ \t]*$)?"
    r"(?:(?:RUN|CMD|ENTRYPOINT|SHELL|exec\b|system\b|@|!|%%?)[ \t]*)?(?P<value>[^\n]+)",
    re.MULTILINE,
)
_CONTENT = re.compile(r">(?P<value>[^<>\n]{2,})<")
_ITEM = re.compile(r"^[ \t]*-[ \t]+(?P<value>[^\n]*?)[ \t]*$", re.MULTILINE)


def in_code(source: str) -> list[Piece]:
    """What a stretch of a program or of a configuration might hand to a shell, most telling first."""
    literals: list[tuple[int, int, Piece]] = []
    for match in _LITERAL.finditer(source):
        raw = "r" in match["prefix"].lower() or (match["quote"] == "'" and ":" in source[: match.start()][-3:])
        literals.append((match.start(), match.end(), decode(source, *match.span("body"), raw=raw)))
        if len(literals) >= _MOST_PIECES:
            break
    pieces = [piece for _, _, piece in literals]
    run: list[Piece] = pieces[:1]
    for (_, end, _), (start, _, piece) in pairwise(literals):
        if _BETWEEN.fullmatch(source, end, start):
            run.append(piece)
            continue
        if len(run) > 1:
            pieces.append(join(run))
        run = [piece]
    if len(run) > 1:
        pieces.append(join(run))
    for match in _VALUE.finditer(source):
        start, end = match.span("value")
        if source[start] not in "\"'`[{":
            pieces.append(decode(source, start, end, raw=True))
    pieces += [
        decode(source, *match.span("value"), raw=True) for match in islice(_CONTENT.finditer(source), _MOST_PIECES)
    ]
    items = [decode(source, *match.span("value"), raw=True) for match in _ITEM.finditer(source)]
    if len(items) > 1:
        pieces.append(join([_unquoted(item) for item in items]))
    return pieces


def _unquoted(piece: Piece) -> Piece:
    text = piece.text
    if len(text) > 1 and text[0] in "\"'" and text[-1] == text[0]:
        return Piece(text[1:-1], piece.starts[1:-1], piece.ends[1:-1])
    return piece


_TOKEN = re.compile(
    r'\s*(?:(?P<string>"(?P<body>(?:[^"\\]|\\.)*)")|(?P<mark>[{}\[\],:])|(?P<other>[^\s{}\[\],:"]+))', re.DOTALL
)


def in_json(source: str, start: int, end: int) -> list[Piece]:
    """What the values of the JSON in `source[start:end]`, complete or not, might hand to a shell.

    Each string, and each object's and array's strings in order as one argument vector (`{"cmd": "rm", "args":
    ["-rf", "/"]}`).
    """
    pieces: list[Piece] = []
    levels: list[list[Piece]] = [[]]
    pending: Piece | None = None
    position = start
    while position < end and len(pieces) < _MOST_PIECES:
        match = _TOKEN.match(source, position, end)
        if match is None:
            break
        position = match.end()
        mark = match["mark"]
        if match["string"] is not None:
            pending = decode(source, *match.span("body"))
            continue
        if mark == ":":
            pending = None  # what stood before it was a name
            continue
        if pending is not None:
            pieces.append(pending)
            levels[-1].append(pending)
            pending = None
        if mark in ("{", "["):
            levels.append([])
        elif mark in ("}", "]") and len(levels) > 1:
            values = levels.pop()
            levels[-1].extend(values)
            if len(values) > 1:
                pieces.append(join(values))
    if pending is not None:
        pieces.append(pending)
    return pieces


_BEGINS = re.compile(r'\s*(?:\{\s*["}]|\[\s*["{\[\]\dtfn-])')
_BEGINNING = re.compile(r"\s*(?:[{\[]\s*)?")


def json_begins(text: str) -> bool | None:
    """Whether `text` begins like a JSON object or array; None where too little of it has arrived."""
    if _BEGINS.match(text):
        return True
    return None if _BEGINNING.fullmatch(text) else False
