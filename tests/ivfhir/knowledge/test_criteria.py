"""The list of a protocol's criteria, followed to the defines in whatever library they stand."""

from typing import Any

import pytest

from ivfhir.errors import KnowledgeError
from ivfhir.expressions.elm import load_libraries
from ivfhir.knowledge.criteria import criteria_of, criterion_names, listed_defines

SHARED, OWN = ("Shared", "2"), ("KIDNEY", "1")


def ref(name: str, library: str | None = None) -> dict[str, Any]:
    return {"type": "ExpressionRef", "name": name, **({"libraryName": library} if library else {})}


def retrieve(kind: str) -> dict[str, Any]:
    return {
        "type": "Exists",
        "operand": {"type": "Retrieve", "dataType": "{http://hl7.org/fhir}" + kind},
    }


def library(key: tuple[str, str], defines: dict[str, Any], **more: Any) -> dict[str, Any]:
    statements = [{"name": n, "context": "Patient", "expression": e} for n, e in defines.items()]
    return {
        "identifier": {"id": key[0], "version": key[1]},
        "usings": {"def": [{"localIdentifier": "FHIR", "uri": "http://hl7.org/fhir"}]},
        "statements": {"def": statements},
        **more,
    }


def kidney(*elements: dict[str, Any], **defines: Any) -> dict[str, Any]:
    includes = [{"localIdentifier": "Common", "path": "Shared", "version": "2"}]
    listed = {"KIDNEY_Criteria": {"type": "List", "element": list(elements)}}
    return library(OWN, {**defines, **listed}, includes={"def": includes})


def test_a_criterion_is_found_in_the_library_that_its_reference_names() -> None:
    elm = kidney(ref("K_A_Criterion"), ref("X_B_Criterion", "Common"))
    assert list(listed_defines(elm)) == [(OWN, "K_A"), (SHARED, "X_B")]


def test_a_criterion_with_a_row_a_mode_has_one_name() -> None:
    def row(*operands: dict[str, Any]) -> dict[str, Any]:
        return {"type": "FunctionRef", "operand": [*operands, {"type": "Tuple", "element": []}]}

    tace, haic = ({"type": "Literal", "value": mode} for mode in ("TACE", "HAIC"))
    own = kidney(
        ref("X_B_Criterion", "Common"),
        ref("I_A_TACE_Criterion"),
        ref("I_A_HAIC_Criterion"),
        ref("X_OF_TACE_Criterion"),
        I_A_TACE_Criterion=row(tace),
        I_A_HAIC_Criterion=row(haic),
        X_OF_TACE_Criterion=row(),
    )
    shared = library(SHARED, {"X_B_Criterion": row()})
    assert criterion_names([own, shared]) == ["X_B", "I_A", "X_OF_TACE"]


def test_criteria_of_one_name_in_two_libraries_are_two() -> None:
    shared = library(SHARED, {"X_B": retrieve("Condition"), "X_B_Criterion": ref("X_B")})
    own = kidney(
        ref("X_B_Criterion", "Common"),
        ref("X_B_Criterion"),
        X_B={"type": "And", "operand": [retrieve("Procedure"), ref("X_B", "Common")]},
        X_B_Criterion=ref("X_B"),
    )
    documents = [{"library": own}, {"library": shared}]
    assert criteria_of(documents, load_libraries([own, shared])) == (
        {(SHARED, "X_B"): {"Condition"}, (OWN, "X_B"): {"Procedure"}},
        {},
    )


BASE = ("LIVER", "1")


def test_what_a_base_protocol_reads_is_told_by_its_own_criteria() -> None:
    base = {
        "identifier": {"id": "LIVER", "version": "1"},
        "statements": {
            "def": [
                {"name": "L_A", "expression": retrieve("Condition")},
                {"name": "L_A_Criterion", "expression": retrieve("Observation")},
                {
                    "name": "LIVER_Criteria",
                    "expression": {"type": "List", "element": [ref("L_A_Criterion")]},
                },
            ]
        },
    }
    own = kidney(
        ref("K_A_Criterion"),
        K_A=ref("LIVER_Criteria", "Base"),
        K_A_Criterion=ref("K_A"),
    )
    own["includes"]["def"].append(
        {"localIdentifier": "Base", "path": "LIVER", "version": "1"},
    )
    documents = [{"library": own}, {"library": base}]
    assert criteria_of(documents, load_libraries([own, base])) == (
        {(OWN, "K_A"): frozenset()},
        {(BASE, "L_A"): {"Condition"}},
    )


@pytest.mark.parametrize(
    ("elm", "message"),
    [
        (library(OWN, {}), "Define KIDNEY_Criteria as the list"),
        (library(OWN, {"KIDNEY_Criteria": ref("Rows")}), "Define KIDNEY_Criteria as the list"),
        (kidney(ref("K_A")), "K_A is none"),
        (kidney({"type": "FunctionRef", "name": "Criterion"}), "Criterion is none"),
        (kidney({"type": "Tuple"}), "Tuple is none"),
    ],
)
def test_anything_but_a_list_of_rows_by_name_is_refused(elm: dict[str, Any], message: str) -> None:
    with pytest.raises(KnowledgeError, match=message):
        list(listed_defines(elm))
