"""Whether a reader is told to run a command, told not to, or told about it.

The words around a command decide, and only those that govern it: "do not forget to run X" tells to run it.
"""

from __future__ import annotations

import re

_QUOTE = r"[\"'`\u2018\u201c(\[*_]*"
_FOREIGN = (
    r"f[\u00fcu]hren[ \t]+sie|f[\u00fcu]hre|starten[ \t]+sie|geben[ \t]+sie|ex[\u00e9e]cutez|lancez|tapez|ejecut[ae]"
    r"|ejecutar|esegui|eseguire|executar|rode|digite|voer|uruchom|\u0432\u044b\u043f\u043e\u043b\u043d\u0438\u0442\u0435"
    r"|\u0437\u0430\u043f\u0443\u0441\u0442\u0438\u0442\u0435|\u8fd0\u884c|\u6267\u884c"
)
_RUN = (
    r"(?:re-?run|run|running|execute|executing|type|typing|enter|entering|issue|issuing|invoke|invoking|paste|use|using"
    r"|try|trying|call|calling|do|doing|launch|perform|submit|send|apply"
    rf"|{_FOREIGN})"
)
_OBJECT = (
    r"(?:[ \t]+(?:(?:the|this|that|a|following|commands?|as|root|it|now|just|simply|exactly|something|like|out|in|your"
    r"|terminal|shell)[ \t]*){0,6})?"
)
_TAIL = rf"[ \t:=,]*{_QUOTE}(?:sudo[ \t]+)?$"
_ORDERED = re.compile(rf"\b{_RUN}{_OBJECT}{_TAIL}", re.IGNORECASE)
_COMMANDED = re.compile(
    rf"\b(?:re-?run|run|execute|type|enter|issue|invoke|{_FOREIGN})(?:[ \t]+(?:just|now|simply|a|the|command))?"
    rf"[ \t:=]*{_QUOTE}(?:sudo[ \t]+)?$",
    re.IGNORECASE,
)
_TOLD = re.compile(rf"\b(?:{_RUN}|then|and|with|via|commands?|is|by){_OBJECT}{_TAIL}", re.IGNORECASE)


def ordered(before: str) -> bool:
    """Whether `before` ends in a verb whose object is the command that follows: run, type, use."""
    return _ORDERED.search(before[-160:]) is not None


def commanded(before: str) -> bool:
    """Whether `before` ends in a verb that has no other object than a command: run, execute, type."""
    return _COMMANDED.search(before[-80:]) is not None


def told(before: str) -> bool:
    """Whether `before` ends in words that usually introduce a command, verbs and others."""
    return _TOLD.search(before[-160:]) is not None


_NOT = (
    r"\b(?:never|not|do[ \t]+not|don['\u2019]?t|must[ \t]+not|mustn['\u2019]?t|should[ \t]+not|shouldn['\u2019]?t"
    r"|cannot|can['\u2019]?t|can[ \t]+not|won['\u2019]?t|will[ \t]+not|wouldn['\u2019]?t|may[ \t]+not"
    r"|no[ \t]+one[ \t]+should|nobody[ \t]+should)"
)
_BETWEEN = (
    r"(?:[ \t]+(?:ever|just|simply|blindly|try|attempt|to|be|have|you|recommend|suggest|advise|want|under|any"
    r"|circumstances?|on|in|production))*"
)
_INSTEAD = (
    r"\b(?:instead[ \t]+of|rather[ \t]+than|without|refuse[ds]?[ \t]+to|warn(?:ed|s)?[ \t]+against"
    r"|careful[ \t]+with|beware[ \t]+of|dangers?[ \t]+of"
    r"|(?:dangerous|destructive|harmful|forbidden|unsafe)[ \t]+commands?)"
)
_SUCH = (
    r"(?:[ \t]+(?:the|this|that|these|those|an?|any|all|of|one|such|following|commands?|something|anything|things?"
    r"|like|as|or|including|e\.g\.|below))*"
)
_PROHIBITED = re.compile(
    rf"(?:{_NOT}{_BETWEEN}[ \t,]+(?:{_RUN}|copy|recommend|suggest|advise|include)"
    r"|\bavoid(?:[ \t]+(?:running|using|executing|typing|commands?|anything))*|\brefrain[ \t]+from[ \t]+\w+ing"
    rf"|{_INSTEAD}(?:[ \t]+{_RUN})?)"
    rf"{_SUCH}[ \t]*:?[ \t\n]*{_QUOTE}(?:sudo[ \t]+)?$",
    re.IGNORECASE,
)
# One more item of a list that a prohibition began: never run `a` or `b`.
_LISTED = re.compile(r"`[^`\n]*`[ \t]*,?[ \t]*(?:or|and|nor)?[ \t]*$")


def prohibited(before: str) -> bool:
    """Whether the reader is told not to run what follows `before`."""
    text = before[-240:]
    while match := _LISTED.search(text):
        text = text[: match.start()]
    return _PROHIBITED.search(text) is not None


_HARM = (
    r"(?:delete|destroy|wipe|erase|remove|drop|break|kill|take|overwrite|format|irrever\w*|lose|cause|terminate|stop|shut"
    r"|damage|mean)"
)
_JUDGED = (
    r"(?:dangerous|destructive|unsafe|irreversible|forbidden|prohibited|blocked|risky|harmful|bad|wrong|never|allowed|safe"
    r"|recommended|run|ran|executed|mistake)"
)
_EXPLAINED = re.compile(
    r"[`\"'\u2019\u201d)\]*_]*[ \t]*(?:,[ \t]*(?:which|that|as[ \t]+it|because[ \t]+it)[ \t]+)?"
    r"(?:(?:commands?|statement|option|flag)[ \t]+)?"
    rf"(?:(?:would|could|might|can|will|may|does|did)[ \t]+(?:\w+ly[ \t]+)?{_HARM}"
    r"|(?:deletes|destroys|wipes|erases|removes|drops|breaks|kills|overwrites|formats|terminates|stops|means"
    r"|irreversibly|permanently)\b"
    rf"|(?:is|are|was|were)[ \t]+(?:(?:\w+ly|very|an?|too|not)[ \t]+)*{_JUDGED}"
    r"|(?:must|should)[ \t]+(?:never|not)\b|(?:had|has)[ \t]+(?:been|deleted|destroyed|wiped|removed)"
    r"|(?:do|mean|work)[ \t]*\?)",
    re.IGNORECASE,
)
_COMPARED = re.compile(
    r"\b(?:similar[ \t]+to|equivalent[ \t]+(?:of|to)|equals?|same[ \t]+as|alias[ \t]+(?:for|of)|shorthand[ \t]+for"
    r"|unlike|compared[ \t]+(?:to|with)|see[ \t]+also|known[ \t]+as|called|by|than|combined[ \t]+with)[ \t]*[`(]*$",
    re.IGNORECASE,
)
_ASKED = re.compile(
    r"\b(?:what[ \t]+(?:does|would|did|will)|why|how[ \t]+does|the[ \t]+meaning[ \t]+of|someone|somebody|he"
    r"|she|they|who)\b",
    re.IGNORECASE,
)


def explained(before: str, after: str) -> bool:
    """Whether a command is talked about: `rm -rf /` deletes everything, what `dd` does.

    Args:
        before: The sentence up to the command.
        after: The sentence from its end.
    """
    if ordered(before) and not _ASKED.search(before):
        return False
    return _EXPLAINED.match(after) is not None or _COMPARED.search(before) is not None
