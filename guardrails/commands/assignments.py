"""Assignments and declarations of a script: what its variables and arrays hold from there on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guardrails.commands.arithmetic import evaluate
from guardrails.commands.expansion import key_of

if TYPE_CHECKING:
    from tree_sitter import Node

    from guardrails.commands.fold import Folder
    from guardrails.commands.scope import Scope

_KEYED = re.compile(r"\[([^\]]*)\]=")


class Assignments:
    """Settles the variables of one scope."""

    __slots__ = ("_fold", "_scope")

    def __init__(self, fold: Folder, scope: Scope) -> None:
        self._fold = fold
        self._scope = scope

    def make(self, node: Node) -> None:
        """Carries out one assignment, or several."""
        if node.type == "variable_assignments":
            for child in node.named_children:
                self.make(child)
            return
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if name is None:
            return
        grows = any(c.type == "+=" for c in node.children)
        if value is not None and value.type == "array":
            self._array(self._fold.raw(name), value, grows=grows)
            return
        text = "" if value is None else self._fold.value(value).text
        if name.type == "subscript":
            self._element(name, text)
        elif name.type == "variable_name":
            self._variable(self._fold.raw(name), text, grows=grows)

    def _variable(self, key: str, text: str | None, *, grows: bool) -> None:
        if grows:
            before = self._scope.variables.get(key, "")
            text = None if before is None or text is None else before + text
        self._scope.assign(key, text)
        self._scope.arrays.pop(key, None)

    def _array(self, key: str, value: Node, *, grows: bool) -> None:
        array = dict(self._scope.arrays.get(key, {})) if grows else {}
        for child in value.named_children:
            raw = self._fold.raw(child)
            keyed = _KEYED.match(raw)
            words = self._fold.words(child)
            if keyed is not None and len(words) == 1:
                text = words[0].text
                array[keyed[1].strip("'\"")] = None if text is None else text.partition("]=")[2]
                continue
            for word in words:
                array[str(max((int(k) for k in array if k.isdecimal()), default=-1) + 1)] = word.text
        if self._scope.branches:
            array = dict.fromkeys(array)
        self._scope.arrays[key] = array
        self._scope.assign(key, array.get("0", ""))

    def _element(self, name: Node, text: str | None) -> None:
        key, _, index = self._fold.raw(name).rstrip("]").partition("[")
        array = self._scope.arrays.setdefault(key, {})
        at = key_of(array, index.strip("'\""), self._scope)
        if at is not None:
            array[at] = None if self._scope.branches else text
        if at == "0":
            self._scope.assign(key, text)

    def declare(self, name: str, flags: list[str], *, exports: bool, here: bool) -> None:
        """What a declaration makes of a variable, beside its value."""
        scope, letters = self._scope, "".join(flags)
        if exports:
            scope.exported.add(name)
        if here:
            scope.local.add(name)
        value = scope.variables.get(name)
        if "u" in letters or "l" in letters:
            scope.assign(name, value and (value.upper() if "u" in letters else value.lower()))
        elif "i" in letters and value:
            number = evaluate(value, scope)
            scope.assign(name, None if number is None else str(number))
        elif "n" in letters:
            scope.assign(name, None)  # it stands for another variable
