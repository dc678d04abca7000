"""The words that were given with a request: its own, its parameters', its facts'."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Given:
    """What somebody named before the answer was written; its texts are asked for when a first name is looked up."""

    def __init__(self, texts: Callable[[], Iterable[str]]) -> None:
        """Look names up in `texts`, which is called once at most."""
        self._texts = texts
        self._joined: str | None = None
        self._known: dict[str, bool] = {}

    def names(self, word: str) -> bool:
        """Whether `word` stands there, whatever its case, as a word or as the beginning or end of a dotted one."""
        word = word.casefold()
        known = self._known.get(word)
        if known is None:
            if self._joined is None:
                self._joined = "\n".join(self._texts()).casefold()
            known = self._known[word] = _stands(word, self._joined)
        return known


def _stands(word: str, text: str) -> bool:
    if word not in text:
        return False
    left = r"(?<![\w-])" if re.match(r"\w", word) else ""
    right = r"(?![\w-])" if re.search(r"\w\Z", word) else ""
    return re.search(f"{left}{re.escape(word)}{right}", text) is not None
