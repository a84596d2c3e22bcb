"""FHIR JSON keeps its digits, and what is not JSON is refused in one sentence."""

from decimal import Decimal

import pytest

from ivfhir.errors import InputError
from ivfhir.fhir.json import MAX_DEPTH, Written, dumps, loads


@pytest.mark.parametrize(
    "text",
    [
        '{"value": 1.0}',
        '{"value": 1.00}',
        '{"value": 0.10000000000000000001}',
        '{"a": [1, true, false, null, "é \\" \\\\"], "b": {}, "c": []}',
        '{"a": "\\u00002.5", "b": 2.5, "c": 2.50}',
        '{"a": "x\\"\\u00002.5", "b": [2.5, {}]}',
        '{"\\u00001": 1.5, "b": [[], 1E+5, -0.0]}',
    ],
)
def test_what_was_read_is_written_digit_by_digit(text: str) -> None:
    assert dumps(loads(text, place="x")) == text


def test_indented_text_has_a_member_a_line() -> None:
    value = {"a": [1, {"b": Decimal("2.50")}], "c": {}}
    assert dumps(value, indent=2) == (
        '{\n  "a": [\n    1,\n    {\n      "b": 2.50\n    }\n  ],\n  "c": {}\n}'
    )


def test_what_is_no_json_is_refused() -> None:
    for value in (b"x", {"a": {1}}, [float("nan")], [1, 0.5], {"a": [{"b": 1.0}]}, [object()]):
        for indent in (None, 2):
            with pytest.raises(TypeError):
                dumps([Decimal("1.5"), value], indent=indent)


def test_a_byte_order_mark_is_passed_over() -> None:
    assert loads("\ufeff{}", place="x") == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("<Patient xmlns='http://hl7.org/fhir'/>", "XML"),
        ('{"resourceType": "Patient"', "line 1, column 27"),
        ('{"value": NaN}', "NaN"),
        ('{"value": -Infinity}', "-Infinity"),
        ('{"id": "a", "id": "b"}', "'id' twice"),
        ('{"id" : "a", "id": "b"}', "'id' twice"),
        ('{"id"\n: "a", "id"\t:"b"}', "'id' twice"),
        ('{"a": {"text": "say \\": ", "id": 1, "id": 2}, "b" : 3}', "'id' twice"),
        ('{"id": "\\ud83d"}', "surrogate"),
        ("[" * 5000 + "]" * 5000, "nested"),
        ('{"a":' * (MAX_DEPTH + 1) + "1" + "}" * (MAX_DEPTH + 1), "nested"),
        ('{"value": ' + "9" * 5000 + "}", "too long"),
        ('{"value": ' + "9" * 101 + "}", "too long"),
        ('{"value": 0.' + "0" * 101 + "}", "too long"),
        ('{"value": 1e1000000}', "too large"),
        ('{"value": 0e1000000}', "too large"),
        ('{"value": -1e-999999999999}', "too large"),
    ],
)
def test_bad_text_is_one_sentence_that_names_the_place(text: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        loads(text, place="patient.json")
    assert words in caught.value.message
    assert "patient.json" in caught.value.message
    assert "\n" not in caught.value.message


def test_nesting_up_to_the_limit_is_read() -> None:
    text = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert dumps(loads(text, place="x")) == text


def test_a_whole_surrogate_pair_is_a_character() -> None:
    assert loads('"\\ud83d\\ude00"', place="x") == "😀"


def test_text_that_looks_like_a_name_is_no_second_name() -> None:
    text = '{"id" : "a", "text": "\\"id\\": b", "more": [{"id": "c"}]}'
    assert loads(text, place="x") == {"id": "a", "text": '"id": b', "more": [{"id": "c"}]}


def test_what_is_written_in_advance_is_written_alike_and_only_once():
    value = {"resourceType": "Basic", "id": "é", "x": [Decimal("1.00"), None]}
    written = Written(value)
    written["id"] = "later"
    assert dumps(written) == dumps(value)
    assert '"later"' in dumps(written, indent=2)
    assert dumps({"entry": [{"resource": written}]}) == dumps({"entry": [{"resource": value}]})
