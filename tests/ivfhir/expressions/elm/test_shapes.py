"""What is certain of values makes text shorter, and answers stay the same where nothing is."""

from typing import Any

import pytest

from ivfhir.errors import KnowledgeError
from ivfhir.expressions.elm import load_libraries, shapes
from ivfhir.expressions.elm import types as t
from ivfhir.expressions.elm.shapes import ABSENT, KNOWN, NULL, OBJECT, OPEN, Shape, listed, tuple_of
from ivfhir.expressions.index import ResourceIndex

SYSTEM = "{urn:hl7-org:elm-types:r1}"
FACT = t.tuple_of({"low": t.DECIMAL, "notes": t.ListOf(t.STRING)})


def named(name: str) -> dict[str, Any]:
    return {"type": "NamedTypeSpecifier", "name": SYSTEM + name}


def text(value: str) -> dict[str, Any]:
    return {"type": "Literal", "valueType": SYSTEM + "String", "value": value}


def null(specifier: dict[str, Any]) -> dict[str, Any]:
    return {"type": "As", "operand": {"type": "Null"}, "asTypeSpecifier": specifier}


def list_of(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "List", "element": list(elements)}


STRINGS = {"type": "ListTypeSpecifier", "elementType": named("String")}
LISTS = {"type": "ListTypeSpecifier", "elementType": STRINGS}


def named_define(name: str) -> dict[str, Any]:
    return {"type": "ExpressionRef", "name": name}


def session(
    preset: dict[str, Any] | None = None, functions: Any = (), **defines: dict[str, Any]
) -> Any:
    every = [*functions, *({"name": name, "expression": each} for name, each in defines.items())]
    library = {"identifier": {"id": "Own"}, "statements": {"def": every}}
    key = ("Own", None)
    given = {(key, name): value for name, value in (preset or {}).items()}
    return load_libraries([library])[key].session(ResourceIndex(None, []), preset=given)


def query(source: dict[str, Any], returned: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "type": "Query",
        "source": [{"alias": "X", "expression": source}],
        "return": {"distinct": False, "expression": returned},
        **more,
    }


ALIAS = {"type": "AliasRef", "name": "X"}


def test_of_two_shapes_what_both_promise_is_certain():
    full = tuple_of({"low": KNOWN, "notes": listed(KNOWN)})
    partial = tuple_of({"low": OPEN})
    assert shapes.either(full, partial) == tuple_of({"low": OPEN})
    assert shapes.either(full, NULL) == Shape(parts=full.parts)
    assert shapes.either(full, OPEN) == OPEN
    assert shapes.either(listed(ABSENT), listed(OBJECT)) == listed(OBJECT)
    assert shapes.any_of([listed(KNOWN), listed(OPEN)]) == listed(OPEN)
    assert shapes.of_constant([{"a": 1}, {"a": None}]) == listed(tuple_of({"a": OPEN}))


def test_from_one_function_into_another_goes_what_has_parts():
    full = tuple_of({"low": KNOWN, "notes": listed(KNOWN)})
    assert shapes.passed(full, FACT) == tuple_of({"low": OPEN, "notes": listed(OPEN)})
    assert shapes.passed(listed(full), t.ListOf(FACT)).element == shapes.passed(full, FACT)
    assert shapes.passed(listed(ABSENT), t.ListOf(FACT)) == shapes.passed(
        listed(full), t.ListOf(FACT)
    )
    assert shapes.passed(OPEN, FACT) == OPEN
    assert shapes.remembered(KNOWN, t.BOOLEAN) == OPEN


def test_a_preset_gets_the_elements_that_it_lacks():
    fact = {
        "type": "Tuple",
        "element": [
            {"name": "low", "value": {"type": "Lower", "operand": text("A")}},
            {"name": "notes", "value": list_of(text("b"))},
        ],
    }
    low, notes = (
        {"type": "Property", "path": path, "source": {"type": "ExpressionRef", "name": "Fact"}}
        for path in ("low", "notes")
    )
    every = {"type": "Flatten", "operand": list_of(notes, list_of(text("c")))}
    asked = {"Fact": fact, "Low": low, "Every": every}
    plain, own = session(**asked), session({"Fact": {"low": None}}, **asked)
    assert (plain.value("Low"), plain.value("Every")) == ("a", ["b", "c"])
    assert (own.value("Low"), own.value("Every")) == (None, ["c"])
    with pytest.raises(KnowledgeError, match="Fact of Own is never null"):
        session({"Fact": None}, **asked)


def test_a_list_or_tuple_that_is_always_the_same_takes_no_preset():
    letters, first = list_of(text("a")), {"type": "First", "source": named_define("Letters")}
    assert session(Letters=letters, It=first).value("It") == "a"
    with pytest.raises(KnowledgeError, match="Letters of Own is always the same"):
        session({"Letters": []}, Letters=letters, It=first)


def test_a_small_function_gives_the_same_in_the_place_of_its_call():
    operand = {"name": "it", "operandTypeSpecifier": named("String")}
    asked = {"type": "OperandRef", "name": "it"}
    function = {
        "type": "FunctionDef",
        "name": "Either",
        "operand": [operand],
        "expression": {"type": "Coalesce", "operand": [asked, text("none")]},
    }
    given = {"type": "Lower", "operand": text("A")}
    calls = {
        "Given": {"type": "FunctionRef", "name": "Either", "operand": [given]},
        "Nothing": {"type": "FunctionRef", "name": "Either", "operand": [null(named("String"))]},
    }
    own = session(functions=[function], **calls)
    assert (own.value("Given"), own.value("Nothing")) == ("a", "none")


def test_lists_that_may_be_null_are_asked_for_it():
    inner = {"type": "Flatten", "operand": list_of(null(STRINGS), list_of(text("a")))}
    assert session(It=inner).value("It") == ["a"]
    assert session(It={"type": "Flatten", "operand": null(LISTS)}).value("It") is None
    nothing = query(null(STRINGS), ALIAS)
    assert session(It=nothing).value("It") is None
    assert session(It={"type": "Exists", "operand": nothing}).value("It") is False
    flat = {"type": "Flatten", "operand": query(null(LISTS), ALIAS)}
    assert session(It=flat).value("It") is None


@pytest.mark.parametrize(("returned", "found"), [(ALIAS, True), (null(named("String")), False)])
def test_a_query_exists_where_it_gives_something_but_null(returned, found):
    asked = {
        "type": "Exists",
        "operand": query(list_of(null(named("String")), text("a")), returned),
    }
    assert session(It=asked).value("It") is found


@pytest.mark.parametrize(
    ("point", "container", "found"),
    [
        (text("a"), list_of(text("b"), text("a")), True),
        (text("a"), null(STRINGS), False),
        (null(named("String")), list_of(text("b"), null(named("String"))), True),
        (null(named("String")), list_of(text("b")), False),
    ],
)
def test_a_string_is_in_a_list_of_strings_whatever_is_null(point, container, found):
    computed = query(container, ALIAS)
    assert session(It={"type": "In", "operand": [point, computed]}).value("It") is found


def test_names_of_one_text_do_not_meet_those_of_another():
    lower = {"type": "Coalesce", "operand": [null(named("String")), text("x")]}
    joined = {"type": "Concatenate", "operand": [lower, {"type": "ExpressionRef", "name": "Other"}]}
    turned = {"type": "Concatenate", "operand": [{"type": "ExpressionRef", "name": "Other"}, lower]}
    own = session(Other=text("y"), It=joined, Turned=turned)
    assert (own.value("It"), own.value("Turned")) == ("xy", "yx")
