"""What a user's message is after, as far as a hand-over to a person depends on it.

Words are compared with room for one slip of the keyboard; who writes in anger does not proof-read.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice

from guardrails.screens import Screen

_SHORTEST_SLIP = 5  # letters
_LONGEST = 1500  # characters looked at, at the beginning and at the end each
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*|\d+|[.,;:!?]")

_PEOPLE = frozenset(
    {"human", "humans", "person", "people", "agent", "agents", "operator", "someone", "somebody", "anyone", "anybody"}
    | {"representative", "rep", "supervisor", "manager", "boss", "colleague", "engineer", "staff", "advisor", "adviser"}
    | {"employee", "assistant", "technician", "specialist", "expert", "consultant", "dispatcher", "admin", "on-call"}
    | {"administrator", "sysadmin", "sre", "dba", "oncall", "responder", "teammate", "superior"}
)
# Said of a person they ask for one, whatever the verb; the others are names of programs and jobs too.
_SURELY = frozenset(
    {"human", "humans", "person", "people", "someone", "somebody", "anyone", "anybody", "representative"}
)
_MEET = frozenset(
    {
        "speak",
        "speaking",
        "talk",
        "talking",
        "chat",
        "chatting",
        "contact",
        "contacting",
        "reach",
        "reaching",
        "connect",
    }
    | {"connecting", "transfer", "transferring", "forward", "escalate", "phone", "page", "call", "calling", "consult"}
)
_FETCH = frozenset({"get", "give", "put", "pass", "hand", "bring", "fetch", "find", "send", "involve", "ask", "summon"})
_WANT = frozenset(
    {"want", "wanna", "need", "prefer", "demand", "require", "rather", "have", "let", "like", "love", "insist", "gimme"}
)
_VERBS = _MEET | _FETCH | _WANT
# Behind such a noun it is no person: a user agent string, human resources, the agent's log.
_COMPOUND = frozenset(
    {"string", "strings", "resource", "resources", "error", "errors", "version", "versions", "log", "logs", "config"}
    | {"configuration", "process", "service", "pod", "node", "container", "rights", "readable", "eye", "being", "body"}
    | {
        "nature",
        "id",
        "ids",
        "name",
        "names",
        "number",
        "numbers",
        "role",
        "roles",
        "account",
        "accounts",
        "that",
        "which",
    }
    | {
        "object",
        "record",
        "table",
        "class",
        "field",
        "type",
        "count",
        "data",
        "review",
        "interface",
        "traffic",
        "token",
    }
    | {"tokens", "key", "keys", "policy", "software", "program", "daemon", "binary", "image", "framework", "sdk", "api"}
)
_REFUSED = re.compile(
    r"\b(?:(?:do|does|did)(?:\s+not|n['\u2019]?t)\s+(?:really\s+|even\s+)?(?:want|need|wish|like|have|mean|try|ask)"
    r"|dont\s+(?:want|need|wish|like)|no\s+need|not\s+(?:want|need|necessary|asking)|without|rather\s+not|instead\s+of"
    r"|(?:would|['\u2019]d)\s+(?:rather\s+not|prefer\s+not)|never|avoid|stop\s+(?:asking|telling))\b[^.!?;,]*$",
    re.IGNORECASE,
)
_OTHERS = re.compile(
    r"\b(?:(?:my|our|their|his|her|the)\s+\w+(?:\s+\w+)?\s+(?:wants?|needs?|asked|asks|has|have|had|wanted|needed|told|says?)"
    r"|(?:he|she|they|it)\s+(?:wants?|needs?|asked|asks|has|have|had|wanted|needed|told|can|could)"
    r"|(?:script|program|function|code|email|letter|story|test|app|bot|policy|document)\s+(?:to|that|which|for|about|where)"
    r"|(?:when|whether|if)\s+(?:i|we|you|one|they)\s+(?:should|have\s+to|must|need\s+to))\b[^.!?;]*$",
    re.IGNORECASE,
)
_MACHINES = r"(?:bots?|robots?|machines?|computers?|ai|a\.i\.|chatbots?|automated\s+\w+|scripts?|program)"
_PHRASES = re.compile(
    r"\b(?:human|person|agent|operator|representative|supervisor|manager)\s*(?:,?\s*(?:please|pls|plz|now|asap|immediately)|!)"
    r"|\b(?:is|are)\s+there\s+(?:\w+\s+){0,3}?(?:anybody|anyone|somebody|someone|persons?|people|humans?)\b"
    r"|\bis\s+(?:anybody|anyone|somebody|someone)\s+(?:there|here|available|real|human)\b"
    r"|\b(?:can|could|may|might)\s+(?:i|we)\s+(?:please\s+)?(?:call|phone|ring)\s+(?:you|somebody|someone|anybody|anyone)\b"
    r"|\b(?:please|i\s+want\s+(?:you\s+)?to|can\s+you|could\s+you|just|must|i['\u2019]d\s+like\s+to|need\s+to)\s+escalate\b"
    r"|(?:^|[.!?;,]\s*)(?:please\s+)?escalate\s+(?:this|it|me|that|my|the|now|to|please|immediately)\b"
    r"|\bhand\s+(?:this|me|it)\s+(?:over|off)\b"
    rf"|\b(?:enough|no\s+more|not\s+(?:a|an|another)|stop\s+being\s+an?)\s+{_MACHINES}\b"
    rf"|\b(?:tired|sick|fed\s+up)\s+(?:of|with)\s+(?:this\s+|talking\s+to\s+)?(?:an?\s+|this\s+)?{_MACHINES}\b"
    rf"|(?:not|n['\u2019]?t|dont)\s+(?:want|wish|like)\s+to\s+(?:talk|speak|chat)\s+(?:to|with)\s+(?:an?\s+|this\s+)?{_MACHINES}\b"
    r"|\b(?:put|get|connect|transfer|patch)\s+(?:me|us)\s+(?:through\s+)?(?:to|with)\s+(?:\w+\s+){0,3}?"
    r"(?:support|service|team|department|desk|helpdesk|staff|sales|billing|humans?|level\s+\d)\b"
    # German, French, Spanish, Italian, Portuguese, Dutch
    r"|\b(?:mensch(?:en)?|mitarbeiter(?:in)?|person|berater(?:in)?|kolleg(?:e|en|in)|vorgesetzten?|jemand(?:em|en)?|support)\s+"
    r"(?:\w+\s+){0,3}?(?:sprechen|reden|verbinden|verbunden|weiterleiten|telefonieren|schreiben|chatten)\b"
    r"|\bverbinden\s+sie\s+mich|\b(?:parler|discuter|échanger)\s+(?:à|a|avec)\s+(?:une?|quelqu|des?|votre|un\(e\))"
    r"|\b(?:hablar|comunicarme|contactar)\s+con\s+(?:una?|alguien|un\s+humano|su)\b"
    r"|\bparlare\s+con\s+(?:una?|qualcuno|un\S*)|\bfalar\s+com\s+(?:uma?|alg\w+)|\b(?:mens|medewerker|iemand)\s+(?:\w+\s+)?(?:spreken|praten)\b",
    re.IGNORECASE,
)


_MAY_BE_PHRASES = Screen(_PHRASES)


def _excerpt(text: str) -> str:
    return text if len(text) <= 2 * _LONGEST else f"{text[:_LONGEST]}\n{text[-_LONGEST:]}"


@lru_cache(maxsize=8192)
def _near(word: str, known: frozenset[str]) -> str | None:
    """The known word that `word` is, or is one slip away from: a letter missing, doubled, wrong or swapped."""
    if word in known:
        return word
    if len(word) < _SHORTEST_SLIP:
        return None
    return next((other for other in known if len(other) >= _SHORTEST_SLIP - 1 and _slip(word, other)), None)


def _slip(one: str, other: str) -> bool:
    if abs(len(one) - len(other)) > 1 or (one[0] != other[0] and sorted(one) != sorted(other)):
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    tail, right = one[start:], other[start:]
    if tail[1:] == right:
        return True
    swapped = tail[:2] == right[1::-1] and tail[2:] == right[2:]
    # Short words have too many true neighbours a letter away.
    return len(other) >= _SHORTEST_SLIP and (tail == right[1:] or tail[1:] == right[1:] or swapped)


def _spellings(words: frozenset[str]) -> frozenset[str]:
    """The words and whatever is one slip away from one of them, so that a text's words need one look-up each."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    found: set[str] = set()
    for word in words:
        cuts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
        found |= {head + tail[1:] for head, tail in cuts}
        found |= {head + letter + tail for head, tail in cuts for letter in letters}
        found |= {head + letter + tail[1:] for head, tail in cuts for letter in letters}
        found |= {head + tail[1::-1] + tail[2:] for head, tail in cuts}
    return words | {spelling for spelling in found if len(spelling) >= _SHORTEST_SLIP}


# Of "on-call" a look at single words sees the parts.
_LIKE_PEOPLE = _spellings(_PEOPLE | {"call"})
_LIKE_VERBS = _spellings(_VERBS)
_SINGLE = str.maketrans({chr(code): " " for code in range(128) if not chr(code).isalpha()})


def _may_ask(text: str) -> bool:
    """Whether a text names both a person and a wish, misspelled or not."""
    if not text.isascii():
        return True
    words = text.lower().translate(_SINGLE).split()
    return not (_LIKE_PEOPLE.isdisjoint(words) or _LIKE_VERBS.isdisjoint(words))


def asks_for_person(text: str) -> bool:
    """Whether a message asks for a person to take over; speaking of people, or not wanting one, is no such request."""
    text = _excerpt(text)
    if _MAY_BE_PHRASES.possible(text):
        for match in _PHRASES.finditer(text):
            if not _OTHERS.search(text[: match.start()]):
                return True
    if not _may_ask(text):
        return False
    lower = _WORD.findall(text.lower()) if text.isascii() else [word.lower() for word in _WORD.findall(text)]
    people = [(index, person) for index, word in enumerate(lower) if (person := _near(word, _PEOPLE))]
    return any(_wanted(text, lower, index, person) for index, person in people)


def _wanted(text: str, lower: list[str], index: int, person: str) -> bool:
    """Whether the person at `index` is the object of a wish: talk to a person, get me an agent, I need somebody."""
    if index + 1 < len(lower) and lower[index + 1] in _COMPOUND:
        return False
    if lower[index - 1 : index] and lower[index - 1] in ("user", "my", "build", "monitoring", "node", "ssh", "mail"):
        return False
    for back in range(index - 1, max(-1, index - 7), -1):
        if lower[back] in ".;!?":
            return False
        verb = _near(lower[back], _VERBS)
        if verb is None:
            continue
        between = lower[back + 1 : index]
        if verb in _WANT and person not in _SURELY and not _modest(between):
            continue
        if verb in _FETCH and not ({"me", "us", "a", "an", "your", "some", "another"} & set(between)):
            continue
        before = text[: next(islice(_WORD.finditer(text), back, None)).start()]
        return not (_REFUSED.search(before) or _OTHERS.search(before))
    return False


def _modest(between: list[str]) -> bool:
    """Whether what stands between wish and noun leaves it a person: a, an, your, a real, a live."""
    return bool(between) and set(between) <= {
        "a",
        "an",
        "your",
        "real",
        "live",
        "another",
        "to",
        "some",
        "the",
        "actual",
    }


_FRUSTRATED = re.compile(
    r"\bstill\s+(?:do(?:es)?\s*(?:not|n['\u2019]?t)|did\s*(?:not|n['\u2019]?t)|is\s*n['\u2019]?t|not|no|isn|hasn|haven|broken|failing"
    r"|waiting|the\s+same|nothing|happening|getting|down|fails?|won['\u2019]?t|can['\u2019]?t)"
    r"|\b(?:that|this|it|which|none\s+of\s+(?:that|this|it)|nothing)\s+(?:\w+\s+)?(?:did|does|do|has|is|was)\s*(?:not|n['\u2019]?t)\s+"
    r"(?:\w+\s+)?(?:help|work|fix|solve|change|make\s+sense|good\s+enough|acceptable|what\s+i\s+asked)"
    r"|\bdid\s*(?:not|n['\u2019]?t)\s+(?:help|work|fix|solve|change)|\bno\s+(?:it|that)\s+(?:doesn|didn|isn)"
    r"|\bdoes(?:n['\u2019]?t|\s+not)\s+help\b|\bnot\s+(?:work(?:ing)?|help(?:ing|ful)?|fixed|solved|what\s+i\s+asked|listening)\b"
    r"|\balready\s+(?:told|said|explained|tried|did|done|sent|gave|answered|given|mentioned|asked|checked|restarted)"
    r"|\b(?:as|like)\s+i\s+(?:already\s+)?said\b|\bi\s+(?:just|have)\s+(?:told|said)\b|\bi['\u2019]ve\s+(?:told|said|explained|tried)"
    r"|\b(?:second|third|fourth|fifth|sixth|tenth|hundredth|\d+(?:nd|rd|th))\s+time\b|\bhow\s+(?:many\s+times|often\s+do\s+i|much\s+longer)"
    r"|\b(?:again\s+and\s+again|over\s+and\s+over|time\s+and\s+again|yet\s+again|once\s+again|every\s+single\s+time|not\s+again)\b"
    r"|\bkeep(?:s)?\s+(?:sending|saying|repeating|giving|asking|telling|getting|suggesting|failing|going|on)\b"
    r"|\b(?:the\s+)?same\s+(?:answer|thing|reply|response|question|error|advice|nonsense|suggestion|problem)s?\b"
    r"|\b(?:useless|ridiculous|unbelievable|unacceptable|pathetic|absurd|outrageous|hopeless|worthless|incompetent|idiotic|stupid"
    r"|nonsense|rubbish|garbage|crap|appalling|disgraceful|insane|infuriating|frustrat\w+|annoy(?:ed|ing)|furious|angry|pissed"
    r"|disappoint\w+|unhelpful|a\s+joke|wtf|ffs|fed\s+up|had\s+enough|losing\s+(?:my\s+)?patience|lost\s+patience|out\s+of\s+patience|enough\s+is\s+enough)\b"
    r"|\b(?:sick|tired)\s+(?:and\s+tired\s+)?of\b|\bwast(?:e|ed|ing|es)\b[^.!?]{0,30}\b(?:time|hours?|minutes?|day|days|evening|morning|money)\b"
    r"|\b(?:nobody|no\s+one|none\s+of\s+you)\s+(?:\w+\s+)?(?:helps?|helping|cares?|listens?|answers?|reads?|understands?|replies|responds)"
    r"|\bnothing\s+(?:\w+\s+){0,3}?(?:works?|working|helps?|helped|changes?|changed|happens?|happened)\b"
    r"|\b(?:going|running|talking|we\s+go)\s+(?:round\s+)?in\s+circles\b|\byou\s*(?:['\u2019]re|\s+are)\s+not\s+(?:helping|listening|reading|understanding)"
    r"|\byou\s+(?:do\s*n['\u2019]?t|do\s+not|clearly\s+do\s*n['\u2019]?t|never|did\s*n['\u2019]?t)\s+(?:even\s+)?(?:understand|listen|read|get\s+it|help|answer|seem)"
    r"|\bare\s+you\s+(?:even\s+)?(?:listening|reading|kidding|serious|joking)|\bgive\s+up\b|\bworst\b|\bterrible\s+(?:service|support|experience|help|bot)\b"
    r"|\bwaiting\s+(?:for\s+)?(?:hours|days|weeks|ages|forever|since)|\bfor\s+(?:hours|days|weeks)\s+now\b|\bhow\s+hard\s+can\b|\bcome\s+on\b"
    r"|\bread\s+(?:what|my)\b|\bgetting\s+(?:nowhere|worse)\b|\bno\s+use\b|\bwhat\s+a\s+(?:mess|waste|joke|disaster)\b|[!?]{2,}",
    re.IGNORECASE,
)
_RESOLVED = re.compile(
    r"\b(?:works?|working|fixed|solved|resolved|fine|okay|ok|good|running|sorted)\s+(?:now|again|out|for\s+me|like\s+a\s+charm|perfectly|great)\b"
    r"|\b(?:that|this|it|which)\s+(?:\w+\s+)?(?:fixed|solved|worked|helped|did\s+(?:it|the\s+trick)|resolved|sorted)\b"
    r"|\b(?:all|everything)\s+(?:that\s+)?(?:i\s+needed|is\s+(?:good|fine|well|working|back)|good|set|clear|works)\b"
    r"|^(?:perfect|great|excellent|wonderful|awesome|brilliant|lovely|super)\b(?!\W+(?:another|job|more|just|so|now\s+it))|\bthank(?:s|\s+you)\s+(?:a\s+lot|so\s+much|very\s+much)\b"
    r"|\bproblem\s+(?:is\s+)?(?:gone|solved|fixed)\b|\bnever\s*mind\b|\b(?:found|got)\s+it\b",
    re.IGNORECASE,
)


_MAY_BE_FRUSTRATED = Screen(_FRUSTRATED)


def resolved(text: str) -> bool:
    """Whether the user says that the matter is settled."""
    return _RESOLVED.search(_excerpt(text)) is not None and not re.search(
        r"\b(?:not|n['\u2019]t)\s+(?:\w+\s+)?(?:work|fixed|solved|resolved|fine)", text, re.IGNORECASE
    )


def frustrated(text: str) -> bool:
    """Whether the user is out of patience, or says that nothing has helped."""
    text = _excerpt(text)
    return _MAY_BE_FRUSTRATED.possible(text) and _FRUSTRATED.search(text) is not None and not resolved(text)
