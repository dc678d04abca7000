"""Where SQL that arrives line by line may be judged: behind a semicolon, and not inside of a transaction."""

from __future__ import annotations

import re

from guardrails.commands.sql.dialects import ANY
from guardrails.commands.sql.segments import TRANSACTION
from guardrails.commands.sql.statements import statements
from guardrails.commands.sql.tokens import tokens

COST = 8
"""How much more it takes to look at a character here than at one of a shell's line."""

_MAY_END = re.compile(r";|'|\*/|\$|^\s*(?:go\b|\\|/\s*$|\.|delimiter\b)|^\s*$", re.IGNORECASE)


def waits_in_sql(text: str) -> re.Pattern[str] | None:
    """What a database's client waits for after `text`, whole lines.

    Returns:
        A pattern without which no further line can complete it; None where it is complete.
    """
    return None if _complete(text) else _MAY_END


def _complete(text: str) -> bool:
    found = tokens(text, ANY.lexis)
    if text.rfind("/*") > text.rfind("*/"):
        return False
    if not found:
        return True
    last = found[-1]
    open_quote = last.kind == "string" and (last.end - last.start < 2 or text[last.end - 1] != "'")
    if open_quote or any(t.kind == "word" and t.text[0] == t.text[-1] == "$" for t in found):
        return False  # what a dollar quote has opened is no word where it is closed
    done = statements(text, found)
    if not done:
        return True
    ended = last.text == ";" and done[-1].tokens[-1] is not last
    if not (ended or done[-1].client or last.lower == "go"):
        return False
    begun = False
    for one in done:
        words = [t.lower for t in one.tokens[:2]]
        if words[0] in ("begin", "start") and (len(words) == 1 or words[1] in TRANSACTION):
            begun = True
        elif words[0] in ("commit", "rollback", "end", "abort") and "to" not in [t.lower for t in one.tokens[1:3]]:
            begun = False
    return not begun
