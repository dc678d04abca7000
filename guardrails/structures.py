"""Grammars of the parameter types that one regular expression does not describe: paths, hosts, URLs, languages."""

from __future__ import annotations

import ipaddress
import json
import re

from guardrails.offence import SHELL, Offence, misfit, refuse

_UNPATHLY = re.compile(r"[*?\"{}!]|(?<=\s)--?[A-Za-z]")
_SYSTEM = frozenset({"etc", "proc", "root", "dev", "sys", "boot", "windows", "winnt"})
_MOST_CLIMBS = 2


def path(value: str) -> Offence | None:
    """A path without globs, expansions or options that stays where it points to.

    Leading `..` may climb two levels (`../shared/data`), not into a system directory; behind a name it may not stand.
    """
    if found := refuse(SHELL, value, "character") or refuse(_UNPATHLY, value, "character"):
        return found
    if value.startswith("-"):
        return misfit(value, "path", "a path")
    if ".." not in value:
        return None
    parts = re.split(r"[\\/]", value)
    lead = next((index for index, part in enumerate(parts) if part not in ("..", ".", "")), len(parts))
    climbs = parts[:lead].count("..")
    rooted = value[0] in "/\\~" or value[1:2] == ":"
    into_system = lead < len(parts) and parts[lead].lower() in _SYSTEM
    if ".." in parts[lead:] or climbs > _MOST_CLIMBS or (climbs and (rooted or into_system)):
        return misfit(value, "path", "a path that stays below its directory")
    return None


_UNC = re.compile(r"\\\\[\w.-]+")
_ADDRESS = re.compile(
    r"(?P<four>\d[\d.]*\.[\d.]*(?:/\d{1,2})?)(?::\d{1,5})?"
    r"|\[(?P<boxed>[0-9A-Fa-f:.]+)(?:%[\w.-]{1,32})?\](?::\d{1,5})?"
    r"|(?P<six>[0-9A-Fa-f]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)(?:%[\w.-]{1,32})?(?P<net>/\d{1,3})?"
)
# RFC 1123 names, with the underscores and template signs that clusters have, and IDNs as people write them.
_HOST = re.compile(
    r"(?=.{1,260}$)\w(?:[\w@-]{0,61}\w)?(?:\.\w(?:[\w@-]{0,61}\w)?)*\.?(?::\d{1,5})?(?:/\d{1,2})?",
)
_HOST_EXPECTED = "a host name, an IPv4 or IPv6 address or a network, with a port at most"


def host(value: str) -> Offence | None:
    """A host name, an address or a network, with a port at most."""
    address = _ADDRESS.fullmatch(value)
    if address:
        try:
            written = address["four"] or address["boxed"] or address["six"] + (address["net"] or "")
            ipaddress.ip_interface(written)
        except ValueError:
            return misfit(value, "host", "a valid IPv4 or IPv6 address")
        return None
    if _UNC.fullmatch(value) or _HOST.fullmatch(value):
        return None
    return refuse(SHELL, value, "character") or misfit(value, "host", _HOST_EXPECTED)


_UNURLY = re.compile(r"[\s\"`<>\\^{}|]|\$[({]|%(?:[01][0-9A-Fa-f]|7[Ff])")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{1,31})://(?=[^/?#])")
_LOCAL = frozenset({"javascript", "data", "vbscript", "file", "jar", "gopher", "dict", "php"})


def url(value: str) -> Offence | None:
    """An absolute URL of a network protocol, in the characters of RFC 3986 and 3987."""
    if found := refuse(_UNURLY, value, "character"):
        return found
    scheme = _SCHEME.match(value)
    if scheme is None or scheme[1].lower() in _LOCAL:
        return misfit(value, "url", "scheme://host/… of a network protocol")
    return None


_CLOSES = {")": "(", "]": "[", "}": "{"}
_QUOTE = re.compile(r"[\"`]|(?<!\w)'")
_QUOTED = {
    '"': re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL),
    "`": re.compile(r"`[^`]*`"),
    "'": re.compile(r"'(?:[^'\\]|\\.)*'", re.DOTALL),
}
_ESCAPED = re.compile(r"\\.", re.DOTALL)
_CLASS = re.compile(r"\[\^?\]?[^\]]*\]")


def _unquoted(value: str) -> str:
    """The value with `_` for what stands in quotes; where one is not closed, no later one of its kind is."""
    pieces, past, open_ = [], 0, set()
    for quote in _QUOTE.finditer(value):
        sign = quote[0]
        if quote.start() < past or sign in open_:
            continue
        found = _QUOTED[sign].match(value, quote.start())
        if found is None:
            open_.add(sign)
            continue
        pieces += [value[past : found.start()], "_" * len(found[0])]
        past = found.end()
    return "".join([*pieces, value[past:]])


def _blank(found: re.Match[str]) -> str:
    return "_" * len(found.group())


def _balanced(value: str, kind: str, brackets: str) -> Offence | None:
    """Whether each of `brackets` closes in the order they open."""
    opened: list[tuple[str, int]] = []
    for found in re.finditer(f"[{re.escape(brackets)}]", value):
        sign, at = found.group(), found.start()
        if sign not in _CLOSES:
            opened.append((sign, at))
        elif not opened or opened.pop()[0] != _CLOSES[sign]:
            return Offence(at, at + 1, f"parameter.{kind}", f"{sign!r} at offset {at} closes nothing")
    if opened:
        sign, at = opened[-1]
        return Offence(at, len(value), f"parameter.{kind}", f"{sign!r} at offset {at} is not closed")
    return None


_UNREGULAR = re.compile(r"[\n\r`]|\$\(|^\s*(?:\||&&)")


def regex(value: str) -> Offence | None:
    """A regular expression of any dialect: groups and classes close, and nothing in it substitutes."""
    plain = _ESCAPED.sub(_blank, value)
    closed = plain.rfind("]") + 1  # no class ends behind it
    plain = _CLASS.sub(_blank, plain[:closed]) + plain[closed:]
    return refuse(_UNREGULAR, value, "character") or _balanced(plain, "regex", "()[")


_SUBSTITUTES = re.compile(r"\$\(")


def query(value: str) -> Offence | None:
    """A query of any language: brackets close outside quotes, and nothing in it substitutes."""
    return refuse(_SUBSTITUTES, value, "character") or _balanced(_unquoted(value), "query", "()[]{}")


_PLAIN = r"(?:\"[^\"\n]*\"|'[^'\n]*'|[^,;|`$<>&\n]*+)"
_FLOW = re.compile(rf"[\w.-]+: {_PLAIN}(?:,?\s+[\w.-]+: {_PLAIN})*")


def document(value: str) -> Offence | None:
    """JSON, or the flow form of YAML without its braces (`name: web, replicas: 5`)."""
    try:
        json.loads(value)
    except (ValueError, RecursionError) as error:
        if len(value) < 512 and _FLOW.fullmatch(value):
            return None
        at = error.pos if isinstance(error, json.JSONDecodeError) else 0
        return Offence(min(at, len(value)), len(value), "parameter.json", f"is no JSON from offset {at} on")
    return None
