"""Loading, and what a library tells about itself."""

import pytest

from ivfhir.errors import KnowledgeError, UnsupportedError
from ivfhir.expressions.elm import ParameterInfo, load_libraries
from ivfhir.expressions.elm.library import ElmLibrary
from ivfhir.expressions.elm.program import Program
from ivfhir.expressions.index import ResourceIndex
from tests.ivfhir.expressions.loaded import LESION, elm, libraries


def with_expression(expression: dict, **library: object) -> dict:
    """Return a library with one define."""
    define = {"name": "It", "context": "Unfiltered", "expression": expression}
    return {
        "library": {
            "identifier": {"id": "Own", "version": "1"},
            "statements": {"def": [define]},
            **library,
        }
    }


def test_defines_come_in_order_without_functions_and_context() -> None:
    assert libraries()["Inner"].defines == ("LimitHere", "Conditions", "Lesions", "Doubtful")


def test_parameters_are_those_of_the_included_libraries_too() -> None:
    parameters = libraries()["Outer"].parameters
    assert parameters["Limit"] == ParameterInfo("Limit", "Integer", True)
    assert parameters["Factor"] == ParameterInfo("Factor", "Decimal", False)
    assert set(parameters) == {"AsOf", "Limit", "Factor", "Day", "Word"}


def test_value_sets_are_those_that_defines_use() -> None:
    assert libraries()["Inner"].value_sets == {LESION}
    assert libraries()["Outer"].value_sets == frozenset()


def test_retrieved_types_go_through_functions_and_libraries() -> None:
    outer = libraries()["Outer"]
    assert outer.retrieved_types("Both") == {"Condition", "Procedure"}
    assert outer.retrieved_types("ThroughFunction") == {"Observation"}
    assert outer.retrieved_types("OnlyPatient") == {"Patient"}
    assert outer.retrieved_types("OwnLimit") == frozenset()


def test_retrieved_types_do_not_go_through_defines_that_stop() -> None:
    outer = libraries()["Outer"]
    inner = libraries()["Inner"].key
    every = {"Condition", "Procedure", "Observation"}
    assert outer.retrieved_types("UsesBoth") == every
    assert outer.retrieved_types("UsesBoth", stop=[(outer.key, "Both")]) == {"Observation"}
    assert outer.retrieved_types("UsesBoth", stop=[(inner, "Conditions")]) == {
        "Procedure",
        "Observation",
    }
    assert outer.retrieved_types("UsesBoth", stop=[(outer.key, "Conditions")]) == every
    assert outer.retrieved_types(
        "Both", stop=[(outer.key, name) for name in ("Both", "UsesBoth")]
    ) == {"Condition", "Procedure"}


def test_retrieved_types_of_a_define_that_is_not_there() -> None:
    with pytest.raises(KnowledgeError, match=r"Outer has no define Nowhere"):
        libraries()["Outer"].retrieved_types("Nowhere")


def test_an_operator_that_is_not_known_is_refused_by_name_and_place() -> None:
    inside = {"type": "Children", "source": {"type": "Null"}, "locator": "12:3-12:20"}
    with pytest.raises(UnsupportedError) as caught:
        load_libraries([with_expression({"type": "IsNull", "operand": inside})])
    assert caught.value.message == "Own.cql: It (12:3): operator Children is not supported"


def test_an_operator_in_a_function_that_nobody_calls_is_refused_too() -> None:
    function = {
        "name": "F",
        "type": "FunctionDef",
        "operand": [],
        "expression": {"type": "Descendents"},
    }
    library = {"identifier": {"id": "Own"}, "statements": {"def": [function]}}
    with pytest.raises(
        UnsupportedError, match=r"Own.cql: F: operator Descendents is not supported"
    ):
        load_libraries([library])


def test_an_element_that_fhir_has_not_is_refused() -> None:
    library = elm("Fhir")
    text = {
        "type": "Property",
        "path": "colour",
        "source": {"type": "Property", "path": "code", "scope": "O"},
    }
    retrieve = {"type": "Retrieve", "dataType": "{http://hl7.org/fhir}Observation"}
    query = {
        "type": "Query",
        "source": [{"alias": "O", "expression": retrieve}],
        "return": {"expression": text},
    }
    library["library"]["statements"]["def"] = [{"name": "It", "expression": query}]
    library["library"]["includes"] = {}
    with pytest.raises(UnsupportedError, match=r"FHIR type CodeableConcept has no element colour"):
        load_libraries([library])


def test_an_include_that_is_missing_is_told() -> None:
    with pytest.raises(KnowledgeError, match=r"Outer.cql: .*library Inner 1.0.0 is missing"):
        load_libraries([elm("Outer")])


def test_a_define_that_needs_itself_is_told() -> None:
    with pytest.raises(KnowledgeError, match=r"Own.cql: It: the define needs itself"):
        load_libraries([with_expression({"type": "ExpressionRef", "name": "It"})])


def test_a_name_that_is_not_defined_is_told() -> None:
    with pytest.raises(KnowledgeError, match=r"Own.cql: It: Nowhere is not defined in Own"):
        load_libraries([with_expression({"type": "ExpressionRef", "name": "Nowhere"})])


def test_an_external_function_is_refused_where_it_is_called() -> None:
    function = {"name": "F", "type": "FunctionDef", "operand": [], "external": True}
    library = with_expression({"type": "FunctionRef", "name": "F", "operand": []})
    library["library"]["statements"]["def"].append(function)
    with pytest.raises(
        UnsupportedError, match=r"Own.cql: It: external function F is not supported"
    ):
        load_libraries([library])


def literal(number: str, name: str = "Own", version: str = "1", **library: object) -> dict:
    """Return a library whose define `It` is a number."""
    value = {"type": "Literal", "valueType": "{urn:hl7-org:elm-types:r1}Integer", "value": number}
    document = with_expression(value, **library)
    document["library"]["identifier"] = {"id": name, "version": version}
    return document


def value(program: Program, name: str, version: str = "1") -> object:
    """Return what `It` of a library gives."""
    return ElmLibrary(program, (name, version)).session(ResourceIndex(None, [])).value("It")


def test_libraries_are_linked_one_after_another() -> None:
    program = Program()
    program.link([literal("4")])
    program.link([literal("4"), literal("5", "Other")])
    assert (value(program, "Own"), value(program, "Other")) == (4, 5)
    assert len(program.libraries) == 2


def test_two_libraries_of_one_name_and_version_that_differ_are_refused() -> None:
    program = Program()
    program.link([literal("4")])
    with pytest.raises(KnowledgeError, match="two libraries Own 1, and they differ"):
        program.link([literal("5", "Other"), literal("6")])
    assert (list(program.libraries), value(program, "Own")) == ([("Own", "1")], 4)


def test_a_library_that_cannot_be_compiled_leaves_nothing_behind() -> None:
    program = Program()
    program.link([literal("4")])
    broken = with_expression({"type": "ExpressionRef", "name": "Nowhere"})
    broken["library"]["identifier"] = {"id": "Other", "version": "1"}
    with pytest.raises(KnowledgeError, match="Nowhere is not defined in Other"):
        program.link([broken])
    program.link([literal("5", "Other")])
    assert (value(program, "Own"), value(program, "Other")) == (4, 5)


def test_an_include_without_version_is_refused_where_several_are_here() -> None:
    include = {"localIdentifier": "O", "path": "Own"}
    asks = literal("0", "Asks", includes={"def": [include]})
    asks["library"]["statements"]["def"][0]["expression"] = {
        "type": "ExpressionRef",
        "name": "It",
        "libraryName": "O",
    }
    program = Program()
    program.link([literal("4"), asks])
    assert value(program, "Asks") == 4
    program.link([literal("5", version="2")])
    again = {"library": {**asks["library"], "identifier": {"id": "Again", "version": "1"}}}
    with pytest.raises(KnowledgeError, match="library Own is here in several versions; name one"):
        program.link([again])
    assert value(program, "Asks") == 4
