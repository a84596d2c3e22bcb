"""The contract of a protocol, on a protocol of one criterion and one day with typical mistakes."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from ivfhir.errors import KnowledgeError
from ivfhir.expressions.elm import load_libraries
from ivfhir.knowledge.contract import contract_problems
from ivfhir.knowledge.load import load_protocol
from ivfhir.knowledge.package import knowledge_root

SYSTEM = "{urn:hl7-org:elm-types:r1}"
Elm = dict[str, Any]


def named(name: str) -> Elm:
    return {"type": "NamedTypeSpecifier", "name": SYSTEM + name}


def text(value: str) -> Elm:
    return {"type": "Literal", "valueType": SYSTEM + "String", "value": value}


def truth(*, value: bool = True) -> Elm:
    return {"type": "Literal", "valueType": SYSTEM + "Boolean", "value": str(value).lower()}


def ref(name: str, library: str | None = None) -> Elm:
    return {"type": "ExpressionRef", "name": name, **({"libraryName": library} if library else {})}


def texts(*values: str) -> Elm:
    return {"type": "List", "element": [text(value) for value in values]}


def row(criterion_id: str, shown: Elm, kind: str = "inclusion") -> Elm:
    about = [{"name": "id", "value": text(criterion_id)}, {"name": "kind", "value": text(kind)}]
    operands = [{"type": "Tuple", "element": about}, shown]
    return {"type": "FunctionRef", "name": "Criterion", "libraryName": "F", "operand": operands}


DAY: Elm = {
    "type": "DateTime",
    **{
        part: {"type": "Literal", "valueType": SYSTEM + "Integer", "value": "1"}
        for part in ("year", "month", "day")
    },
}
WINDOW: Elm = {
    "type": "Interval",
    "low": DAY,
    "high": DAY,
    "lowClosed": True,
    "highClosed": True,
}
DEFINES: Elm = {
    "K_A": truth(),
    "K_A_Criterion": row("K-A", ref("K_A")),
    "KIDNEY_Criteria": {
        "type": "List",
        "element": [ref("K_A_Criterion"), ref("X_B_Criterion", "F")],
    },
    "KIDNEY_Status": text("eligible"),
    "KIDNEY_Failed": texts("K-A"),
    "KIDNEY_Unknown": texts("K-A"),
    "KIDNEY_Cautions": texts("K-A"),
    "KIDNEY_NotAssessable": texts("K-A"),
    "Parameter_Problems": texts("Start is missing."),
    "Plan_Allowed": truth(),
    "KIDNEY_A01_Date": DAY,
    "KIDNEY_A01_Window": WINDOW,
}
PARAMETERS = {"AsOf": "DateTime", "Start": "Date", "OverrideReason": "String"}
PLAN: Elm = {
    "id": "KIDNEY",
    "action": [
        {
            "id": "KIDNEY-A01",
            "dynamicValue": [
                {"path": "occurrencePeriod", "expression": {"expression": "KIDNEY_A01_Window"}}
            ],
        }
    ],
}


def library(name: str, defines: Elm, parameters: dict[str, str], **more: Any) -> Elm:
    statements = [{"name": n, "context": "Patient", "expression": e} for n, e in defines.items()]
    statements += more.pop("functions", [])
    declared = [
        {"name": name, "parameterTypeSpecifier": named(type_)} for name, type_ in parameters.items()
    ]
    return {
        "library": {
            "identifier": {"id": name, "version": "1"},
            "parameters": {"def": declared},
            "statements": {"def": statements},
            **more,
        }
    }


def facts(name: str = "IOFacts") -> Elm:
    about = [{"name": part, "elementType": named("String")} for part in ("id", "kind")]
    criterion = {
        "type": "FunctionDef",
        "name": "Criterion",
        "operand": [
            {
                "name": "about",
                "operandTypeSpecifier": {"type": "TupleTypeSpecifier", "element": about},
            },
            {"name": "truth", "operandTypeSpecifier": named("Boolean")},
        ],
        "expression": {"type": "OperandRef", "name": "about"},
    }
    x_b = row("X-B", ref("X_B"), "caution")
    del x_b["libraryName"]
    return library(name, {"X_B": truth(), "X_B_Criterion": x_b}, {}, functions=[criterion])


def problems(
    changes: Elm | None = None,
    *,
    parameters: dict[str, str] = PARAMETERS,
    shared: str = "IOFacts",
    plan: Elm = PLAN,
) -> list[str]:
    """Return the findings on KIDNEY with changed defines; None takes one away."""
    defines = {n: e for n, e in {**DEFINES, **(changes or {})}.items() if e is not None}
    include = {"localIdentifier": "F", "path": shared, "version": "1"}
    own = library("KIDNEY", defines, parameters, includes={"def": [include]})
    documents = [own, facts(shared)]
    return contract_problems(plan, documents, load_libraries(documents))


def test_a_protocol_that_keeps_the_contract_has_no_finding() -> None:
    assert problems() == []


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        (
            {"KIDNEY_Status": None},
            "KIDNEY.cql does not define KIDNEY_Status; "
            "add `define KIDNEY_Status: …` of type String.",
        ),
        (
            {"KIDNEY_Status": truth()},
            "KIDNEY_Status of KIDNEY.cql is of type Boolean; it must be String.",
        ),
        (
            {"KIDNEY_Failed": text("K-A")},
            "KIDNEY_Failed of KIDNEY.cql is of type String; it must be List<String>.",
        ),
        (
            {"Plan_Allowed": None},
            "KIDNEY.cql does not define Plan_Allowed; "
            "add `define Plan_Allowed: …` of type Boolean.",
        ),
        (
            {"KIDNEY_Criteria": None},
            "Define KIDNEY_Criteria as the list of the protocol's criteria, { …_Criterion, … }.",
        ),
        (
            {"KIDNEY_Criteria": {"type": "List", "element": [ref("K_A")]}},
            "KIDNEY_Criteria must list rows by name, such as Common.X_BLEED_Criterion; "
            "K_A is none.",
        ),
        (
            {"K_A_Criterion": row("K-B", ref("K_A"))},
            "K_A_Criterion of KIDNEY.cql has the id K-B; write 'K-A'.",
        ),
        (
            {"K_A_Criterion": row("K-A", ref("K_A"), "exclusion")},
            "K_A_Criterion of KIDNEY.cql is of kind exclusion; "
            "it must be one of inclusion, contraindication-absolute, caution.",
        ),
        (
            {"K_A_Criterion": row("K-A", ref("X_B", "F"))},
            "K_A_Criterion of KIDNEY.cql shows the truth of X_B; write K_A after its texts.",
        ),
        (
            {"K_A_Criterion": ref("X_B_Criterion", "F")},
            "K_A_Criterion of KIDNEY.cql does not begin with its id and kind in text; write "
            "`Conventions.Criterion(Tuple { id: '…', kind: '…', … }, K_A, { facts })`.",
        ),
        (
            {"K_A": text("true")},
            "K_A of KIDNEY.cql is of type String; it must be Boolean.",
        ),
        (
            {
                "KIDNEY_Criteria": {
                    "type": "List",
                    "element": [ref("K_A_Criterion"), ref("K_A_Criterion")],
                }
            },
            "KIDNEY_Criteria lists K_A_Criterion twice, of KIDNEY and of KIDNEY; "
            "a criterion stands in the list once, under an id of its own.",
        ),
        (
            {"KIDNEY_A01_Date": None},
            "KIDNEY.cql does not define KIDNEY_A01_Date; "
            "add `define KIDNEY_A01_Date: …` of type DateTime.",
        ),
        (
            {"KIDNEY_A01_Window": DAY},
            "KIDNEY_A01_Window of KIDNEY.cql is of type DateTime; it must be Interval<DateTime>.",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place_and_what_to_do(changes: Elm, finding: str) -> None:
    assert problems(changes) == [finding]


def test_a_parameter_that_is_missing_or_of_another_type_is_told() -> None:
    assert problems(parameters={"AsOf": "Date", "Start": "Date"}) == [
        "KIDNEY.cql declares AsOf as Date; write `parameter AsOf DateTime`.",
        "KIDNEY.cql declares no OverrideReason; add `parameter OverrideReason String`.",
    ]


def test_the_library_that_tells_of_the_patient_must_be_included() -> None:
    assert problems(shared="MyFacts") == [
        "KIDNEY.cql does not include IOFacts, which tells of the patient's death; add "
        "`include IOFacts version '…' called Facts`."
    ]


def test_days_are_looked_for_in_the_library_that_the_expression_names() -> None:
    expression = {
        "expression": "B01_Date",
        "reference": "https://ivfhir.example/fhir/Library/IOFacts|1",
    }
    plan = {"id": "KIDNEY", "action": [{"id": "B", "dynamicValue": [{"expression": expression}]}]}
    assert problems(plan=plan) == [
        "IOFacts.cql does not define B01_Date; add `define B01_Date: …` of type DateTime.",
        "IOFacts.cql does not define B01_Window; "
        "add `define B01_Window: …` of type Interval<DateTime>.",
    ]


def test_a_protocol_that_breaks_its_contract_is_not_loaded(tmp_path: Path) -> None:
    shutil.copytree(knowledge_root() / "shared", tmp_path / "shared")
    folder = tmp_path / "lung"
    shutil.copytree(knowledge_root() / "lung", folder, ignore=shutil.ignore_patterns("cases"))
    path = folder / "cql" / "LUNG.json"
    elm = json.loads(path.read_text())
    statements = elm["library"]["statements"]["def"]
    elm["library"]["statements"]["def"] = [s for s in statements if s["name"] != "Plan_Allowed"]
    path.write_text(json.dumps(elm))
    with pytest.raises(KnowledgeError, match=r"LUNG breaks its contract.*not define Plan_Allowed"):
        load_protocol(folder)
