# ruff: noqa: RUF001 - look-alike characters are this file's data
"""Characters that look like, or stand in for, another: the tables behind the canonical view.

Only what NFKC leaves alone stands here. Drawn up by hand from the Unicode charts with two questions: does a reader
take it for an ASCII letter, or does a person use it where a shell has a separator, a quote or a dash?
"""

from __future__ import annotations

# Pairs: the look-alike, then the ASCII character it is read as.
_LETTERS = (
    # Cyrillic
    "аaеeоoрpсcуyхxіiјjѕsһhԁdԛqԝwґrгrвbкkмmнhтtпnь6ӏlѵvԍg"
    "АAВBЕEКKМMНHОOРPСCТTУYХXІIЈJЅSԌGԜWҮYҺh"
    # Greek
    "αaβbεeιiκkνvοoρpτtυuχxγyηnωwσoς5ϲcϳj"
    "ΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧXϹC"
    # Armenian, Latin extensions and small capitals
    "օoսuցgհhոnքpզqԁdɑaɡgıiɩiɪiʟlᴀaʙbᴄcᴅdᴇeɢgʜhᴊjᴋkᴍmɴnᴏoᴘpʀrꜱsᴛtᴜuᴠvᴡwʏyᴢzꞮI"
    "ⅼlǀ|łlŁLøoØOđdĐD"
    # Cherokee
    "ᎪAᏴBᏟCᎠDᎬEᏀGᎻHᏆIᎫJᏦKᏞLᎷMᏢPᎡRᏚSᎢTᏙVᎳWᏃZ"
)
_PUNCTUATION = (
    "∣|❘|│|┃|￨|⏐|꘡|⁏;؛;⸵;꛶;⁄/∕/⧸/╱/⟋/⧵\\∖\\⟍\\╲\\"
    "‘'’'‚'‛'′'ʹ'ʼ'ˈ'“\"”\"„\"‟\"″\"ʺ\"‵`ˋ`‐-‑-‒-–-—-―-−-﹘-➖-˗-"
    "∗*⁎*＊*‹<›>˂<˃>❮<❯>˜~∼~⁓~≀~∶:ː:꞉:ꓽ:᛬:﹒.․.‸^ˆ^＄$🙰&🙱&＆&⅋&❗!ǃ!"
)


def _pairs() -> dict[str, str]:
    both = _LETTERS + _PUNCTUATION
    table = dict(zip(both[::2], both[1::2], strict=True))
    # Negative circled and squared capitals, the "emoji letters"; NFKC knows only their white sisters.
    for first in (0x1F150, 0x1F170):
        table.update({chr(first + index): chr(ord("A") + index) for index in range(26)})
    return table


CONFUSABLES = _pairs()
"""Look-alike character to the ASCII character it is read as."""


def _spread(*ranges: tuple[int, int]) -> frozenset[str]:
    return frozenset(chr(point) for first, last in ranges for point in range(first, last + 1))


TAGS = _spread((0xE0020, 0xE007E))
"""Tag characters: an invisible copy of printable ASCII, offset by 0xE0000."""

SELECTORS = _spread((0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
"""Variation selectors: invisible, and 256 of them, so that a run of them can carry bytes."""

INVISIBLE = (
    _spread(
        (0x00, 0x08),  # controls but TAB and what ends a line
        (0x0E, 0x1F),
        (0x7F, 0x84),
        (0x86, 0x9F),
        (0x200B, 0x200F),  # zero-width, directional marks
        (0x202A, 0x202E),  # bidi embeddings and overrides
        (0x2060, 0x206F),  # joiners, invisible operators, bidi isolates
        (0x1D173, 0x1D17A),  # musical format controls
        (0xFFF9, 0xFFFB),  # interlinear annotation
        (0xE0000, 0xE007F),
        (0x180B, 0x180F),
        (0x1BCA0, 0x1BCA3),
    )
    | SELECTORS
    | frozenset("\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u3164\ufeff\uffa0\u2800")
)
"""Characters a reader does not see; the canonical view leaves them out."""


def selector_byte(character: str) -> int:
    """The byte that a variation selector carries in emoji smuggling (VS1 is 0, VS256 is 255)."""
    point = ord(character)
    return point - 0xFE00 if point < 0xE0100 else point - 0xE0100 + 16
