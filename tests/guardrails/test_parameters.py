"""Reading bound parameters and filling placeholders."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrails.parameters import Parameter, ParameterError, ParameterType, UnboundParameter, bind, parse


def test_a_bare_value_is_free_text_and_a_typed_one_is_its_type() -> None:
    raw = {"a": "x", "b": 3, "c": True, "d": {"value": 2.5, "type": "number"}}
    assert parse(raw) == {
        "a": Parameter("x"),
        "b": Parameter("3"),
        "c": Parameter("true"),
        "d": Parameter("2.5", ParameterType.NUMBER),
    }


def test_an_enum_brings_its_values() -> None:
    assert parse({"e": {"value": "a", "type": "enum", "values": ["a", 1]}})["e"].values == ("a", "1")


@pytest.mark.parametrize(
    ("raw", "field", "words"),
    [
        ([], "parameters", "an empty list"),
        (None, "parameters", "null"),
        ("x", "parameters", "a string"),
        ({str(index): "" for index in range(300)}, "parameters", "at most 256"),
        ({"1a": "x"}, "parameters", "is no name"),
        ({"a b": "x"}, "parameters", "is no name"),
        ({"a": None}, "parameters.a", "null"),
        ({"a": ["x"]}, "parameters.a", "a list"),
        ({"a": {"type": "host"}}, "parameters.a", 'has no "value"'),
        ({"a": {"value": "x", "kind": "host"}}, "parameters.a", "'kind'"),
        ({"a": {"value": {}, "type": "host"}}, "parameters.a.value", "an object"),
        ({"a": {"value": "x", "type": "hostname"}}, "parameters.a.type", "'hostname' is no parameter type"),
        ({"a": {"value": "x", "type": 1}}, "parameters.a.type", "a number"),
        ({"a": {"value": "x", "type": "host", "values": ["x"]}}, "parameters.a.values", "belong to type enum"),
        ({"a": {"value": "x", "type": "enum", "values": []}}, "parameters.a.values", "an empty list"),
        ({"a": {"value": "x", "type": "enum", "values": "x"}}, "parameters.a.values", "a string"),
        ({"a": {"value": "x", "type": "enum", "values": [None]}}, "parameters.a.values[0]", "null"),
    ],
)
def test_what_cannot_be_read_is_named(raw: object, field: str, words: str) -> None:
    with pytest.raises(ParameterError) as caught:
        parse(raw)
    assert caught.value.field == field
    assert words in caught.value.message
    assert str(caught.value).startswith(field)


def test_placeholders_are_filled_wherever_they_stand() -> None:
    parameters = parse({"s": "nginx", "h": "db01"})
    assert bind(["{{s}} on {{ h }}", "none", "{{s}}{{s}}"], parameters) == ["nginx on db01", "none", "nginxnginx"]


def test_a_filled_value_is_never_read_for_placeholders() -> None:
    parameters = parse({"a": "{{b}}", "b": "x\\1"})
    assert bind(["{{a}} {{b}}"], parameters) == ["{{b}} x\\1"]


def test_a_placeholder_without_a_value_is_unbound() -> None:
    with pytest.raises(UnboundParameter, match="has no value") as caught:
        bind(["{{s}} {{other}}"], parse({"s": "x"}))
    assert caught.value.name == "other"


def test_a_value_without_a_placeholder_is_unbound() -> None:
    with pytest.raises(UnboundParameter, match="stands in no text") as caught:
        bind(["{{s}}"], parse({"s": "x", "other": "y"}))
    assert caught.value.name == "other"


def test_braces_that_hold_no_name_are_text() -> None:
    assert bind(["{{ 4+8 }} {{}} {{a b}}"], {}) == ["{{ 4+8 }} {{}} {{a b}}"]


@given(st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), st.text(), min_size=1, max_size=5))
def test_a_bound_text_is_the_values_and_what_stood_between(values: dict[str, str]) -> None:
    text = "|".join(f"{{{{{name}}}}}" for name in values)
    assert bind([text], parse(values)) == ["|".join(values.values())]
