"""What a value of each parameter type looks like: one grammar a type, strict, with the first offence named.

A typed value takes the place of one argument, so nothing in it may chain, substitute, encode or control. Types with a
language of their own (`regex`, `selector`, `query`, `json`, `cron`, `url`) keep that language's characters and are
searched for evidence of a command besides (`guardrails.checks.evidence`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guardrails import structures
from guardrails.offence import SHELL, Offence, misfit, refuse
from guardrails.parameters import ParameterType

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST = 4096
"""Longest value, in characters, of a type other than `free_text`, `query` and `json`."""

OPERATORS: dict[ParameterType, frozenset[str]] = {
    ParameterType.REGEX: frozenset({"|"}),
    ParameterType.SELECTOR: frozenset({"|", "||"}),
    ParameterType.QUERY: frozenset({"|", "||", "\n", "\\n", "&"}),
    ParameterType.JSON: frozenset({"|", "&", ";", "\n", "\\n"}),
    ParameterType.URL: frozenset({"&", ";", "|"}),
}
"""Operators that a type's own language gives a meaning, so that they alone are no evidence of a command."""

STRICT = frozenset(ParameterType) - {
    ParameterType.REGEX,
    ParameterType.SELECTOR,
    ParameterType.QUERY,
    ParameterType.JSON,
    ParameterType.URL,
    ParameterType.FREE_TEXT,
}
"""Types whose grammar leaves no character that any shell acts on."""

_LINED = frozenset({ParameterType.QUERY, ParameterType.JSON, ParameterType.FREE_TEXT})
_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e01ef]"
)
_CONTROL_IN_LINES = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069]")


def offence(value: str, kind: ParameterType, values: tuple[str, ...] = ()) -> Offence | None:
    """The first thing that keeps `value` from being one of its type, or None where nothing does.

    Args:
        value: As it was sent.
        kind: What it has to be.
        values: What an `enum` may be; without them it is any short label.
    """
    if kind is ParameterType.ENUM and values:
        return None if value in values else misfit(value, kind, f"one of {', '.join(map(repr, values[:20]))}")
    if found := refuse(_CONTROL_IN_LINES if kind in _LINED else _CONTROL, value, "control"):
        return found
    if kind is ParameterType.FREE_TEXT:
        return None
    if not value.strip():
        return misfit(value, kind, "at least one character")
    if len(value) > LONGEST and kind not in _LINED:
        return misfit(value, kind, f"at most {LONGEST} characters")
    return _GRAMMARS[kind](value)


def _matcher(kind: ParameterType, expected: str, pattern: str) -> Callable[[str], Offence | None]:
    """A grammar that is one verbose regular expression; where it fails, a shell's characters are named first."""
    compiled = re.compile(pattern, re.VERBOSE)

    def grammar(value: str) -> Offence | None:
        if compiled.fullmatch(value):
            return None
        return refuse(SHELL, value, "character") or misfit(value, kind, expected)

    return grammar


_STAYS = r"(?!.*(?:^|[\\/])\.\.(?:[\\/]|$))"
_NUMBER = r"""
    [≥≤≈~±]?[ ]? [+\-\u2212\u2013]? [€£¥]?[ ]?
    (?: 0[xX][0-9A-Fa-f]+ | 0[bB][01]+ | 0[oO][0-7]+
      | (?: \d+(?:[., _'\u00a0\u202f]\d+)*+ (?:[.,]\d*)? | [.,]\d+ ) (?:[eE][+-]?\d+)? (?:[ ]?/[ ]?\d+)? [½⅓⅔¼¾⅛]?
      | [½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞] | ∞ | [Nn]a[Nn] | [Ii]nf(?:inity)? )
    (?: [ ]?(?:[€£¥%‰°]|°[CFK]|[A-Za-zµμΩ]{1,12}(?:/[A-Za-zµ]{1,8})?[²³]?) )?"""
_COMPARES = r"(?:[<>=!~]=|===|[<>=^~]|~>)"
_BOUND = rf"{_COMPARES}[ ]?[vV]?\d[\w.+*~-]*"
_VERSION = rf"""
    (?:[A-Za-z][\w.+-]*[ ]?)? (?:\[[\w,]+\])? {_BOUND} (?:[ ]?,[ ]?{_BOUND})*
    | (?!.*\.\.(?:/|$)) \w [\w.+:/@~^*-]{{0,254}} | \*"""
_ADDRESS = r"[\w.!\#'*+/=?^_{}~-]{1,64}@\w(?:[\w.-]{0,251}\w)?"
_EMAIL = rf"""
    {_ADDRESS} | <{_ADDRESS}>
    | "[^"\\;|`$<>]{{1,128}}" [ ]? <{_ADDRESS}> | [^"\\;|`$<>@,&]{{1,128}} [ ] <{_ADDRESS}>"""
_DAYS = r"(?:mon|tue(?:s)?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?"
_MONTHS = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t(?:ember)?)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)"
)
_MOMENT_WORDS = (
    r"(?:last|next|this|past|every|in|at|on|of|for|the|from|to|until|till|since|ago|before|after|between|and|or|a|an|noon"
    r"|midnight|morning|afternoon|evening|night|today|tonight|yesterday|tomorrow|daily|hourly|weekly|monthly|yearly|start"
    r"|end|first|half|quarter|one|two|three|few|other|week(?:day|end)s?|(?:second|sec|minute|min|hour|hr|day|week|month"
    r"|year)s?|[ap]\.?m\.?|o'clock)"
)
_MOMENT = rf"""(?>
    \d[\d:.,/+TZhmsdwyuUnNM-]*(?:st|nd|rd|th|[ap]\.?m\.?)? | [+-]\d[\d:]* | P[\dYMWDTHS.]+(?:/[\dPTZ:.YMWDHS-]+)?
    | now(?:[+-]\d+[a-zA-Z]{{1,2}})?(?:/[a-zA-Z])? | [A-Z]{{2,5}}(?:[+-]\d{{1,2}}(?::\d\d)?)?
    | [A-Z][a-z]+/[A-Z][A-Za-z_]+
    | (?i:{_DAYS}|{_MONTHS}|{_MOMENT_WORDS})[.,:]? | [-\u2013] )"""
_TIME = rf"(?:\[[ ]?)? {_MOMENT} (?: (?:,?[ ]|[ ]?\.\.[ ]?) {_MOMENT} ){{0,15}} (?:[ ]?\])?"
_POINT = r"(?:[\d*?LW]+|(?i:sun|mon|tue|wed|thu|fri|sat|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)L?)"
_FIELD = rf"{_POINT}(?:[-/,\#]{_POINT})*"
_CRON = rf"""
    (?:(?:CRON_)?TZ=[A-Za-z_]+(?:/[A-Za-z_]+)*[ ])?
    (?: {_FIELD}(?:[ ]+{_FIELD}){{4,6}} | @every[ ]\d+[smhd](?:\d+[smhd])*
      | @(?:yearly|annually|monthly|weekly|daily|midnight|hourly|reboot) )"""
_KEY = r"[A-Za-z_][\w./:@-]{0,252}"
_ITEM = r"""(?:"[^"`$;&<>\\]{0,256}"|'[^'`$;&<>\\]{0,256}'|[\w./:@*+-]{0,253})"""
_TERM = rf"""(?:
    {_KEY}[ ]?(?:==|!=|=~|!~|=)[ ]?{_ITEM} | !?{_KEY}
    | {_KEY}[ ]+(?:not[ ]?)?in[ ]*\([ ]*{_ITEM}(?:[ ]*,[ ]*{_ITEM})*[ ]*\) )"""
_SELECTOR = rf"{_TERM} (?:[ ]?,[ ]?{_TERM})* | (?:{_KEY})? \{{ [ ]? {_TERM} (?:[ ]?,[ ]?{_TERM})* [ ]? \}}"
# systemd.unit(5), Kubernetes names and image tags; Windows' named instances are the one use of a dollar sign.
_SERVICE = rf"""
    {_STAYS} \w (?:[\w.:@/+-]{{0,254}}\w)?
    | (?:MSSQL|SQLAgent|MSSQLFDLauncher|MSOLAP|ReportServer)\$[A-Z0-9_]{{1,16}}"""
_IDENTIFIER = rf"{_STAYS} [\w\#@] (?:[\w.:@/+\#=,~-]{{0,510}}[\w=])? (?:\[\d{{1,6}}\])?"
_ENUM = rf"{_STAYS} [\w+] (?:[\w .,:/+()%'-]{{0,126}}[\w.+)%])?"

_GRAMMARS: dict[ParameterType, Callable[[str], Offence | None]] = {
    kind: _matcher(kind, expected, pattern)
    for kind, expected, pattern in (
        (ParameterType.SERVICE, "a unit or service name of letters, digits and _ . : @ / + -", _SERVICE),
        (ParameterType.NUMBER, "a number, with a sign, an exponent, a currency or a unit at most", _NUMBER),
        (ParameterType.ENUM, "a short label", _ENUM),
        (ParameterType.IDENTIFIER, "a name without spaces, of letters, digits and _ . : @ / + # = , ~ -", _IDENTIFIER),
        (ParameterType.VERSION, "a version, tag, digest, revision or version constraint", _VERSION),
        (ParameterType.TIME, "a moment, a duration or a span of time", _TIME),
        (ParameterType.CRON, "five to seven cron fields, or @daily and its like", _CRON),
        (ParameterType.SELECTOR, "label or field requirements, separated by commas", _SELECTOR),
        (ParameterType.EMAIL, 'one address, alone or as "Name" <address>', _EMAIL),
    )
} | {
    ParameterType.HOST: structures.host,
    ParameterType.PATH: structures.path,
    ParameterType.REGEX: structures.regex,
    ParameterType.QUERY: structures.query,
    ParameterType.JSON: structures.document,
    ParameterType.URL: structures.url,
}
