"""Bash's arithmetic, `$((…))` and `((…))`, over constants (manual, "Shell Arithmetic")."""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardrails.commands.scope import Scope

_TOKEN = re.compile(
    r"\s*(?:(?P<number>0[xX][0-9a-fA-F]+|\d+#\w+|\d+)|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<sign><<=|>>=|\*\*|<<|>>|<=|>=|==|!=|&&|\|\||\+\+|--|[-+*/%&|^]=|[-+*/%&|^~!<>=?:(),]))"
)
_VARIABLE = re.compile(r"\$\{?(\w+)\}?")
_CHANGED = re.compile(
    r"([A-Za-z_]\w*)\s*(?:[-+*/%&|^]|<<|>>)?=(?!=)|([A-Za-z_]\w*)\s*(?:\+\+|--)|(?:\+\+|--)\s*([A-Za-z_]\w*)"
)
_LONGEST = 200
_MOST_BITS = 63


class _Unknown(Exception):
    """Not a constant, or not arithmetic."""


def _wrapped(value: int) -> int:
    """As 64 bits with a sign hold it."""
    return (value + (1 << 63)) % (1 << 64) - (1 << 63)


def _quotient(a: int, b: int) -> int:
    if b == 0:
        raise _Unknown
    whole = abs(a) // abs(b)
    return whole if (a < 0) == (b < 0) else -whole


def _power(a: int, b: int) -> int:
    if not 0 <= b <= _MOST_BITS:
        raise _Unknown
    return int(a**b)


def _shifted(a: int, b: int) -> int:
    if not 0 <= b <= _MOST_BITS:
        raise _Unknown
    return a << b


_BINARY: dict[str, tuple[int, Callable[[int, int], int]]] = {
    "||": (1, lambda a, b: int(bool(a or b))),
    "&&": (2, lambda a, b: int(bool(a and b))),
    "|": (3, operator.or_),
    "^": (4, operator.xor),
    "&": (5, operator.and_),
    "==": (6, operator.eq),
    "!=": (6, operator.ne),
    "<": (7, operator.lt),
    ">": (7, operator.gt),
    "<=": (7, operator.le),
    ">=": (7, operator.ge),
    "<<": (8, _shifted),
    ">>": (8, lambda a, b: a >> min(max(b, 0), _MOST_BITS)),
    "+": (9, operator.add),
    "-": (9, operator.sub),
    "*": (10, operator.mul),
    "/": (10, _quotient),
    "%": (10, lambda a, b: a - b * _quotient(a, b)),
    "**": (11, _power),
}


def evaluate(text: str, scope: Scope) -> int | None:
    """The value of an expression, its assignments made; None where only the running shell knows it."""
    plain = _VARIABLE.sub(lambda m: _text(m[1], scope), text) if "$" in text else text
    try:
        return _Expression(plain, scope).value() if len(plain) <= _LONGEST and plain.strip() else _nothing(plain, scope)
    except _Unknown:
        return _nothing(text, scope)


def _nothing(text: str, scope: Scope) -> int | None:
    if not text.strip():
        return 0
    for found in _CHANGED.finditer(text):
        scope.variables[found[1] or found[2] or found[3]] = None
    return None


def _text(name: str, scope: Scope) -> str:
    value = scope.variables.get(name) if not name.isdigit() else None
    return "?" if value is None else value


class _Expression:
    """One expression, read from the left."""

    def __init__(self, text: str, scope: Scope) -> None:
        self._scope = scope
        self._tokens: list[str] = []
        at = 0
        while at < len(text.rstrip()):
            found = _TOKEN.match(text, at)
            if found is None:
                raise _Unknown
            self._tokens.append(found.group().strip())
            at = found.end()
        self._at = 0

    def value(self) -> int:
        value = self._choice()
        while self._take(","):
            value = self._choice()
        if self._at < len(self._tokens):
            raise _Unknown
        return value

    def _peek(self, ahead: int = 0) -> str:
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else ""

    def _take(self, *signs: str) -> str:
        sign = self._peek()
        if sign not in signs:
            return ""
        self._at += 1
        return sign

    def _choice(self) -> int:
        name, sign = self._peek(), self._peek(1)
        if name[:1].isidentifier() and sign.endswith("=") and sign not in ("==", "!=", "<=", ">="):
            self._at += 2
            value = self._choice()
            if sign != "=":
                value = _BINARY[sign[:-1]][1](self._variable(name), value)
            return self._assign(name, _wrapped(value))
        value = self._binary(0)
        if not self._take("?"):
            return value
        yes = self._choice()
        if not self._take(":"):
            raise _Unknown
        no = self._choice()
        return yes if value else no

    def _binary(self, least: int) -> int:
        left = self._unary()
        while True:
            strength, act = _BINARY.get(self._peek(), (-1, None))
            if act is None or strength < least or strength < 1:
                return left
            sign = self._peek()
            self._at += 1
            right = self._binary(strength if sign == "**" else strength + 1)
            left = _wrapped(int(act(left, right)))

    def _unary(self) -> int:
        sign = self._take("-", "+", "!", "~", "++", "--")
        if sign in ("++", "--"):
            name = self._peek()
            self._at += 1
            return self._assign(name, self._variable(name) + (1 if sign == "++" else -1))
        if sign:
            value = self._unary()
            return {"-": -value, "+": value, "!": int(not value), "~": ~value}[sign]
        if self._take("("):
            value = self._choice()
            if not self._take(")"):
                raise _Unknown
            return value
        return self._operand()

    def _operand(self) -> int:
        token = self._peek()
        self._at += 1
        if token[:1].isdigit():
            return _number(token)
        value = self._variable(token)
        sign = self._take("++", "--")
        if sign:
            self._assign(token, value + (1 if sign == "++" else -1))
        return value

    def _variable(self, name: str) -> int:
        if not name[:1].isidentifier():
            raise _Unknown
        value = self._scope.variables.get(name, "0" if self._scope.environment is not None else None)
        if value is None:
            raise _Unknown
        if not re.fullmatch(r"\s*-?\w*\s*", value) or (value.strip() and not value.strip().lstrip("-")[:1].isdigit()):
            raise _Unknown
        stripped = value.strip()
        return 0 if not stripped else -_number(stripped[1:]) if stripped[0] == "-" else _number(stripped)

    def _assign(self, name: str, value: int) -> int:
        if not name[:1].isidentifier():
            raise _Unknown
        self._scope.assign(name, str(value))
        return value


def _number(token: str) -> int:
    try:
        if "#" in token:
            base, _, digits = token.partition("#")
            return int(digits, int(base))
        if token.lower().startswith("0x"):
            return int(token, 16)
        return int(token, 8) if token.startswith("0") and len(token) > 1 else int(token)
    except ValueError as wrong:
        raise _Unknown from wrong
