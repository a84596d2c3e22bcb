"""Bodies made into one Python function: no word of a library becomes Python, depth is no limit."""

from typing import Any

import pytest

from ivfhir.expressions.elm import load_libraries
from ivfhir.expressions.index import ResourceIndex

SYSTEM = "{urn:hl7-org:elm-types:r1}"


def literal(value: object) -> dict[str, Any]:
    kind = "Integer" if isinstance(value, int) else "String"
    return {"type": "Literal", "valueType": SYSTEM + kind, "value": str(value)}


def value_of(expression: dict[str, Any]) -> Any:
    define = {"name": "It", "expression": expression}
    library = {"identifier": {"id": "Own"}, "statements": {"def": [define]}}
    return load_libraries([library])["Own", None].session(ResourceIndex(None, [])).value("It")


@pytest.mark.parametrize(
    "text", ["'", '"', "\\", "a\nb", "{x}", "'); raise SystemExit #", "\u2028", "\\'", "f[0]", ""]
)
def test_text_of_a_library_stays_text(text: str) -> None:
    assert value_of({"type": "Concatenate", "operand": [literal(text), literal(text)]}) == text * 2
    patients = {"type": "Retrieve", "dataType": "{http://hl7.org/fhir}Patient"}
    made = {"name": text, "value": {"type": "Exists", "operand": patients}}
    whole = {"type": "Tuple", "element": [made]}
    assert value_of(whole) == {text: False}
    assert value_of({"type": "Property", "path": text, "source": whole}) is False


def test_an_expression_may_be_deep() -> None:
    deep = literal(0)
    for _ in range(150):
        deep = {"type": "Add", "operand": [deep, {"type": "Length", "operand": literal("x")}]}
    assert value_of(deep) == 150


def test_a_deep_expression_inside_queries_sees_their_elements_and_lets() -> None:
    deep: dict[str, Any] = {"type": "QueryLetRef", "name": "twice"}
    for _ in range(60):
        deep = {"type": "Add", "operand": [deep, {"type": "AliasRef", "name": "X"}]}
    let = {"type": "Add", "operand": [{"type": "AliasRef", "name": "X"}] * 2}
    query = {
        "type": "Query",
        "source": [{"alias": "X", "expression": numbers(1, 2)}],
        "let": [{"identifier": "twice", "expression": let}],
        "where": {
            "type": "Greater",
            "operand": [{"type": "QueryLetRef", "name": "twice"}, literal(2)],
        },
        "return": {"expression": deep},
    }
    outer = {
        "type": "Query",
        "source": [{"alias": "Y", "expression": numbers(5, 7)}],
        "return": {
            "expression": {
                "type": "Add",
                "operand": [first(query), {"type": "AliasRef", "name": "Y"}],
            }
        },
    }
    assert value_of(outer) == [124 + 5, 124 + 7]


def numbers(*values: int) -> dict[str, Any]:
    return {"type": "List", "element": [literal(value) for value in values]}


def first(source: dict[str, Any]) -> dict[str, Any]:
    return {"type": "First", "source": source}
