"""Whether a command that stands in a sentence is ordered or only spoken of.

The measure is grammar, not the command: an imperative before it (run, execute), an obligation (you must run), a label
(`Command:`) or nothing around it order it; questions, negations, conditions, narration and definitions speak of it.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING

from guardrails.checks.candidates import flattened, known
from guardrails.screens import Sign
from guardrails.text import canonical

if TYPE_CHECKING:
    from guardrails.text import View

AROUND = 300
"""Characters before a command that are read for its mood."""

_CLOSE = 80
_FARTHEST = 1600  # characters from a command's beginning in which what passes an order on to it ends
_NEAR = 2000  # characters around a command in which a question counts as one about it
# Read in the canonical view, where letters that look like Latin ones have become those.
_RUSSIAN = "|".join(canonical(word).text + r"\w{0,2}" for word in ("выполни", "Выполни", "запусти", "Запусти"))
_EXECUTE = (
    r"(?:run|execute|exec|invoke|launch|issue|perform|type|enter|paste|input|submit|fire|trigger|apply|carry\s+out|kick\s+off"
    r"|start|do|call|use|try|send|eval|evaluate|process|spawn|schedule|deploy|implement|action|ejecut[ae]|exécutez?|lancez?"
    r"|esegui|führe|führen\s+sie|starten\s+sie|rode|voer|uruchom|wykonaj"
    rf"|{_RUSSIAN})"
)
_FILL = (
    r"(?:please|pls|kindly|now|just|then|next|first|finally|also|immediately|quickly|simply|quietly|silently|so|ok|okay|and|but"
    r"|instead|go\s+ahead|bitte|por\s+favor|you|assistant|system|note|important|hey|hi|hello|sudo|let's|lets|let\s+us"
    r"|step\s+\d+)"
)
_OBJECT = r"(?:[\s:,`\"'(*\[$#>]|[A-Za-z0-9_.@/-]+(?=[\s:])){0,24}"
_REACH = r"(?:[\s:,`\"'(*\[\x24#>]|[A-Za-z0-9_.@/-]+[\s:])*"  # at least as far as `_OBJECT`, for an automaton
_IMPERATIVE = re.compile(rf"^(?:(?:{_FILL}\b|\d+[.)]|[-*>#$•])[\s,:!]*)*\b{_EXECUTE}\b{_OBJECT}$", re.IGNORECASE)
_JOINED = re.compile(rf"\b(?:and|then|to|,)\s+(?:{_FILL}[\s,]+)*{_EXECUTE}\b{_OBJECT}$", re.IGNORECASE)
_OBLIGED = re.compile(
    rf"(?:\b(?:must|shall|has\s+to|needs?\s+to|have\s+to|is\s+to|are\s+to|(?:want|need|like|asks?|asking|order|instruct|tell|allow|command|require)"
    rf"\s+(?:you|the\s+(?:assistant|agent|model|system|bot))\s+to|you\s+(?:will|must|should|can|may|are\s+going\s+to|are\s+required\s+to"
    rf"|are\s+allowed\s+to)|your\s+\w+\s+is\s+to|go\s+ahead\s+and|(?:make|be)\s+sure\s+(?:to|you)|remember\s+to|forget\s+to|hesitate\s+to"
    rf"|feel\s+free\s+to|proceed\s+to|continue\s+to|it\s+is\s+time\s+to|time\s+to|in\s+\w+\s+mode\s+you)\s+(?:\w+\s+){{0,2}}?{_EXECUTE}\b"
    rf"|\bby\s+(?:first\s+)?(?:running|executing|invoking|issuing|typing|calling)\b){_OBJECT}$",
    re.IGNORECASE,
)
_REQUEST = re.compile(
    rf"\b(?:can|could|would|will)\s+you\s+(?:please\s+|kindly\s+|just\s+|now\s+|quickly\s+|also\s+|go\s+ahead\s+and\s+)*"
    rf"{_EXECUTE}\b{_OBJECT}$|\b(?:run|execute|do|perform)\s+(?:it|this|that|them)\s*:\s*$",
    re.IGNORECASE,
)
_WISHED = re.compile(
    rf"\b(?:great|nice|good|helpful|lovely|perfect|appreciate\w*|grateful|thank\w*)\b[^.!?\n]{{0,20}}\bif\s+you\s+(?:could|can|would)"
    rf"\s+(?:please\s+|just\s+|now\s+|also\s+)*{_EXECUTE}\b{_OBJECT}$"
    r"|\b(?:need|want|give\s+me|get\s+me|send\s+me|tell\s+me|post)\s+(?:the\s+)?(?:output|result)s?\s+of\s+(?:running\s+)?[`\"'(]*$"
    r"|\b(?:must|should|shall|will)\s+be\s+(?:exactly\s+|only\s+|just\s+)*(?:the\s+)?(?:result|output|effect)s?\s+of"
    r"\s+(?:running\s+|executing\s+)?[`\"'(]*$"
    r"|\b(?:add|set\s+up|schedule|install|register|configure)\s[^.!?\n]{0,40}\b(?:cron\w*|job|task|timer|hook)\b[^.!?\n]{0,30}"
    r"\b(?:runs?|running|executes?|executing|calls?)\s+[`\"'(]*$"
    r"|(?:请|請)?(?:运行|執行|执行|実行)(?:以下)?(?:命令)?[\s:\uff1a`\"'\u300c\u201c]*$",
    re.IGNORECASE,
)
_TOLD_SO = re.compile(rf"(?::\s*[\"'`]|:\s+|>\s*)(?:{_FILL}[\s,]+)*{_EXECUTE}\b{_OBJECT}$", re.IGNORECASE)
_LINKED = re.compile(r"\w\s*(?:&&|\|\|)\s*$")
_RUN_IT = re.compile(r"\b(?:and|then)\s+(?:then\s+)?(?:execute|run|eval)\s+(?:it|this|that)\b", re.IGNORECASE)
# A wish that names what is to go, and then the command that does it: "clean it up with …", "free the disk: …".
_BY = re.compile(
    rf"^(?:{_FILL}[\s,:!]+)*(?:i\s+(?:want|need)\s+(?:you|this|it)\s+(?:to\s+(?:be\s+)?)?)?"
    r"(?:deleted?|cleane?d?|removed?|wiped?|purged?|reset|freed?|clear(?:ed)?|kill(?:ed)?|stop(?:ped)?|dropp?e?d?|erased?|destroy(?:ed)?"
    r"|empty|emptied|format(?:ted)?|get\s+rid\s+of|shut\s+down|tear\s+down|fix|mend)\b[^.!?\n]{0,80}"
    r"(?::|\b(?:with|using|via))\s*[`\"'(]*$",
    re.IGNORECASE,
)
_MEANS = frozenset({"with", "using", "via"})
_LABEL = re.compile(
    r"\b(?:commands?|instructions?|orders?|shell|bash|terminal|console|cmd|powershell|exec|execute|run|payload|action|actions|tool"
    r"|tool_call|steps?|todo|with|using)\s*[\"']?\s*[:=>]+\s*[\"'`*\s]*$",
    re.IGNORECASE,
)
_ALLOWED_BETWEEN = (
    r"(?:ever|you|to|just|blindly|simply|under|any|circumstances?|even|think|about|try|attempt|let|anyone|anybody|someone|users?|them"
    r"|please|allow|and|or|use|a|an|the|script|that|which|copy|paste|command|commands|like|such|as|of|these|those|this|following|on"
    r"|production|should|be|must|in|with|your|own|system|machine|server|root|directly|casually|accidentally|people|it|is|safe)"
)
_NEGATED = re.compile(
    rf"(?:\b(?:never|don'?t|do\s+not|must\s*n[o']t|must\s+not|shouldn'?t|should\s+not|can'?t|cannot|won'?t|will\s+not|may\s+not|mustn'?t"
    rf"|avoid|refrain\s+from|stop|without|instead\s+of|rather\s+than|not|no|nobody|no\s+one|none|refuse\s+to|forbidden\s+to|nie|nicht|kein\w*)\b)"
    rf"(?:[\s,:`\"'(*-]+(?:{_ALLOWED_BETWEEN}|{_EXECUTE}|running|executing|typing|using|issuing|entering|pasting))*[\s,:`\"'(*\[$#>-]*$",
    re.IGNORECASE,
)
_DOUBLE = re.compile(
    r"\b(?:not|n'?t|never)\s+(?:hesitate|forget|wait|fail|worry|be\s+afraid|stop\s+until|refuse|omit|neglect)\b",
    re.IGNORECASE,
)
_ABOUT = re.compile(
    r"^[\s>*#\d.)(\"'`-]*(?:(?:please|and|so|but|also|now|then|hi|hello|hey|ok|okay|well|briefly|quickly|(?:can|could|would|will)\s+you"
    r"(?:\s+please)?|i(?:'d|\s+would)\s+like\s+you\s+to|i\s+want\s+you\s+to|help\s+me)[\s,:!]+)*"
    r"(?:what|what's|why|how|when|whenever|where|which|who|whose|is|are|was|were|does|did|has|have|had|should|may|might|am|explain|describe"
    r"|tell\s+(?:me|us)\s+(?:what|why|how|if|about|whether)|summari[sz]e|compare|contrast|document|translate|define|review|analy[sz]e|analy[sz]ing"
    r"|show\s+(?:me|us)\s+(?:how|what|why)|teach|discuss|warn|detect|flag|block|prevent|forbid|alert|suppose|imagine|assume|if|unless|because"
    r"|after|before|since|although|while|someone|somebody|anyone|users?|he|she|they|it|i|we|my|our|the|this|that|these|those|a|an|nobody"
    r"|write\s+(?:a|an|the|me)|generate\s+(?:a|an|the)|create\s+(?:a|an|the)|give\s+me|list|find|print|set|add|in\s+which|(?:the\s+)?difference"
    r"|according|example|for\s+example|e\.g|answer|known|note\s+that|remember\s+that|beware|careful)\b",
    re.IGNORECASE,
)
_SCOPE = re.compile(r"[.!?](?:\s|$)|;\s|\n|,\s(?!(?:in|on|at|for|as|with|ever|which|who|that|e\.g)\b)")
_ASKED = re.compile(r"[^.!\n]*?\?")
_SENTENCE = re.compile(r"[.!?]\s|\n")
_VERBS = (
    r"(?:is|are|was|were|will|would|can|could|does|did|has|had|deletes|removes|wipes|destroys|erases|means|stands|should"
    r"|may|might|must|shall|never|returns|prints|fails?|failed|shows|do(?:es)?n't)"
)
_PREDICATE = re.compile(
    rf"[`\"')\]\s]*(?:{_VERBS}|recursively|command|and\s+why|vs\.?|versus|on\s+its\s+own)\b", re.IGNORECASE
)
_PREDICATED = re.compile(rf"\s{_VERBS}\s", re.IGNORECASE)
_BARE = re.compile(
    rf"^(?:[\s>$#*`\"'(•-]|\d+[.)]|{_FILL}[\s,:!]+|\w+@\w+:[^$#]*[$#]|PS\s?[A-Z]?[^>]*>)*$", re.IGNORECASE
)
_INQUIRY = Sign(
    r"\?|\b(?:explain|describe|what|why|how|review|analy[sz]e|summari[sz]e|translate|meaning|understand|wrong|safe|dangerous|difference"
    r"|document|logs|output|transcript|history|example|examples|postmortem|incident|audit|refactor|convert|rewrite|lint|fix|debug)\b"
    r"|\blog(?:\z|[^\w\s]|\s+\z|\s+(?:[^\si]|i(?:\z|[^n])|in\w))",
    ignore_case=True,
)

_ENDS = ("\n", ". ", "! ", "? ")
_BREAKS = (*_ENDS, ", ", "; ", ";\t", ",\t")
_LEADING = frozenset((":", "=", ">", "&", "|", ".", "!", "?", ""))
_FILLING = frozenset(re.findall("[a-z']+", _FILL)) | {"ps"}
_FORMS = "running|executing|invoking|issuing|typing|calling|runs|executes|calls|results?|outputs?|effects?"
# The words of `_EXECUTE` and `_FORMS` that ASCII has, one or more of each.
_CALLS = frozenset(re.findall("[a-z]{3,}", f"{_EXECUTE}|{_FORMS}|result|output|effect|ejecuta|ejecute")) | {"do", "ex"}
_CALLED = Sign(rf"\b(?:{_EXECUTE}|{_FORMS})\b{_REACH}\z", ignore_case=True)
_AGAIN = Sign(_RUN_IT.pattern, ignore_case=True)


def _reaching(*patterns: re.Pattern[str]) -> Sign:
    """A sign without which none of the patterns matches an ASCII text; all of them end where it does."""
    reaching = (one.pattern.replace(_OBJECT, _REACH).replace("$", r"\z") for one in patterns)
    return Sign("|".join(f"(?:{one})" for one in reaching), ignore_case=True)


# Where it says no, none of the patterns of an order that ends before the command matches.
_TOLD = _reaching(_OBLIGED, _WISHED, _REQUEST, _TOLD_SO, _JOINED, _LABEL)
_SIGNS = {one: _reaching(one) for one in (_OBLIGED, _WISHED, _REQUEST, _TOLD_SO, _JOINED, _LABEL)}
_SIGNS[_NEGATED] = Sign(_NEGATED.pattern.removesuffix("$") + r"\z", ignore_case=True)
_FOREIGN = re.compile("[\u0370-\u1dff\u2e80-\U0010ffff]")
_LONGEST_FILLING = 16


class Mood:
    """What a prompt wants done with the commands that stand in it, as one view shows it."""

    def __init__(self, view: View, flat: str) -> None:
        """Read `view`, of which `flat` is the text without punctuation."""
        self._text = view.text
        self._decoded = bool(view.decoded)
        self._calls = list(known(flat.lower(), _CALLS))
        self._again = _AGAIN.within(view.text)
        self._foreign = [] if view.text.isascii() else [found.start() for found in _FOREIGN.finditer(view.text)]

    def possible(self, start: int) -> bool:
        """False only where no command that begins at `start` is to be carried out: a quick look at its sentence."""
        text, floor = self._text, max(0, start - AROUND)
        foreign = bisect_left(self._foreign, start) - 1
        if self._decoded or (foreign >= 0 and self._foreign[foreign] >= start - 2 * AROUND):
            return True
        if self._again and _AGAIN.within(text[start : start + _FARTHEST]):
            return True
        last = bisect_left(self._calls, start) - 1
        if last >= 0 and self._calls[last] >= floor:
            cut = max([floor] + [text.rfind(end, floor, start) + 1 for end in _ENDS])
            if self._calls[last] >= cut and _CALLED.within(text[cut:start]):
                return True
        if text[start - 1 : start] == " " and text[start - 2 : start - 1].isalpha():
            word = text[max(0, start - _LONGEST_FILLING) : start - 1].rpartition(" ")[2]
            if word.isalpha() and word.lower() not in _FILLING:
                return word.lower() in _MEANS
        return self._bare(text[floor:start])

    @staticmethod
    def _bare(before: str) -> bool:
        """Whether perhaps nothing of a sentence stands right before a command."""
        if before.rstrip(" \t\"'`*")[-1:] in _LEADING:
            return True
        scope = before[max([before.rfind(sign) for sign in _BREAKS]) + 1 :]
        if "@" in scope:
            return True
        words = flattened(scope.lower()).split()
        return _FILLING.issuperset(words) or all(word in _FILLING or word.rstrip(".").isdigit() for word in words)

    def ordered(self, start: int, end: int) -> bool:
        """Whether the command at `[start, end)` is to be carried out; `end` is without closing quotes."""
        return ordered_at(self._text, start, end, decoded=self._decoded)


def ordered_at(text: str, start: int, end: int, *, decoded: bool = False) -> bool:
    """Whether the command at `[start, end)` of `text` is to be carried out.

    Args:
        text: The whole prompt, as one view shows it.
        start: Where the command begins.
        end: Where it ends, without closing quotes.
        decoded: Whether it was found under an encoding; hiding a command is half an order.
    """
    begin = _begin(_SENTENCE, text, start)
    sentence = text[begin:start]
    lead = "" if sentence.strip(" \t>$#*`\"'-") else _led(text, begin)
    spoken = f"{lead} {sentence}"
    scope = f"{lead} {text[_begin(_SCOPE, text, start) : start]}"
    if _ends(_NEGATED, spoken) and not _DOUBLE.search(spoken):
        return False
    asked = _ASKED.match(text, end, end + AROUND) is not None
    told = not spoken.isascii() or _TOLD.within(spoken)
    wished = told and (_ends(_OBLIGED, scope) or _ends(_WISHED, spoken))
    if (told and _ends(_REQUEST, spoken)) or (not asked and (wished or _BY.match(spoken.lstrip()))):
        return True
    if told and _ends(_TOLD_SO, scope) and not (asked or _inquired(text, start, end)):
        return True
    imperative = _IMPERATIVE.match(scope.lstrip()) is not None
    if asked or _ABOUT.match(scope) or (not imperative and _PREDICATE.match(text, end, end + AROUND)):
        return False
    joined = (told and _ends(_JOINED, scope)) or _passed_on(scope, text, start, end)
    if imperative or (told and _ends(_LABEL, scope)) or (joined and not _ABOUT.match(spoken)):
        return True
    alone = _BARE.match(scope) is not None and not _PREDICATED.search(text, start, end)
    return (alone and not _inquired(text, start, end)) or (decoded and not _inquired(text, begin, len(text)))


def _ends(pattern: re.Pattern[str], text: str) -> bool:
    """Whether the pattern, one of `_SIGNS`, matches where the text ends."""
    return (not text.isascii() or _SIGNS[pattern].within(text)) and pattern.search(text) is not None


def _passed_on(scope: str, text: str, start: int, end: int) -> bool:
    """Whether an order that began before the command, or comes after it, is meant for it too."""
    return _LINKED.search(scope) is not None or _AGAIN.within(text[start : end + 60])


def _begin(boundary: re.Pattern[str], text: str, start: int) -> int:
    floor = max(0, start - AROUND)
    last = floor
    for at in (max(floor, start - _CLOSE), floor):  # the last one most often stands close by
        for found in boundary.finditer(text, at, start):
            last = found.end()
        if last > floor:
            break
    return last


def _led(text: str, begin: int) -> str:
    """The line that leads to a command on a line of its own: `Run this:` and then the command."""
    before = text[max(0, begin - AROUND) : begin].rstrip()
    before = re.sub(r"(?:```|~~~)\w*$", "", before).rstrip()
    if not before.endswith(":"):
        return ""
    return before[_begin(_SENTENCE, before, len(before)) :]


def _inquired(text: str, start: int, end: int) -> bool:
    """Whether the prompt around a command asks about it."""
    return _INQUIRY.within(text[max(0, start - _NEAR) : start]) or _INQUIRY.within(text[end : end + _NEAR])
