"""Expressions as Python functions: no word of a library becomes Python, depth is no limit."""

from typing import Any

import pytest

from ivfhir.errors import UnsupportedError
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


def test_a_function_may_call_itself() -> None:
    n = {"type": "OperandRef", "name": "n"}
    less = {"type": "Subtract", "operand": [n, literal(1)]}
    again = {"type": "FunctionRef", "name": "Factorial", "operand": [less]}
    body = {
        "type": "If",
        "condition": {"type": "LessOrEqual", "operand": [n, literal(1)]},
        "then": literal(1),
        "else": {"type": "Multiply", "operand": [n, again]},
    }
    function = {
        "name": "Factorial",
        "type": "FunctionDef",
        "operand": [{"name": "n", "operandTypeSpecifier": named("Integer")}],
        "resultTypeName": SYSTEM + "Integer",
        "expression": body,
    }
    call = {"type": "FunctionRef", "name": "Factorial", "operand": [literal(5)]}
    statements = {"def": [function, {"name": "It", "expression": call}]}
    library = {"identifier": {"id": "Own"}, "statements": statements}
    session = load_libraries([library])["Own", None].session(ResourceIndex(None, []))
    assert session.value("It") == 120


def named(name: str) -> dict[str, Any]:
    return {"type": "NamedTypeSpecifier", "name": SYSTEM + name}


def test_a_fold_over_two_lists_asks_for_a_let_in_its_condition_and_in_each_step() -> None:
    """1+5, 1+7, 2+5, 2+7: those above 6 are 8, 7 and 9; a repeated source counts once."""
    total = {"type": "QueryLetRef", "name": "total"}
    step = {"type": "Add", "operand": [{"type": "QueryLetRef", "name": "sum"}, total]}
    both = [{"type": "AliasRef", "name": "X"}, {"type": "AliasRef", "name": "Y"}]
    query = {
        "type": "Query",
        "source": [
            {"alias": "X", "expression": numbers(1, 2, 2)},
            {"alias": "Y", "expression": numbers(5, 7)},
        ],
        "let": [{"identifier": "sum", "expression": {"type": "Add", "operand": both}}],
        "where": {
            "type": "Greater",
            "operand": [{"type": "QueryLetRef", "name": "sum"}, literal(6)],
        },
        "aggregate": {
            "identifier": "total",
            "distinct": True,
            "starting": literal(0),
            "expression": step,
        },
    }
    assert value_of(query) == 8 + 7 + 9
    assert value_of(query | {"source": [query["source"][0], {"alias": "Y", **null()}]}) is None


def null() -> dict[str, Any]:
    return {"expression": {"type": "Null"}}


def test_an_operator_that_does_not_fit_is_refused_at_its_place() -> None:
    wrong = {"type": "Property", "path": "nose", "source": literal("x"), "locator": "3:7-3:9"}
    with pytest.raises(UnsupportedError, match=r"^Own\.cql: It \(3:7\): System\.String has no"):
        value_of({"type": "Exists", "operand": wrong, "locator": "2:1-3:9"})
