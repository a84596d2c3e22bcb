"""Stage evaluate: the protocol's CQL answers; what could not be read is unknown."""

import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ivfhir.decision import Answer, Criterion, Truth
from ivfhir.errors import EvaluationError, KnowledgeError, UsageError
from ivfhir.evaluate import evaluate, evaluate_protocol
from ivfhir.expressions.values import DateTime
from ivfhir.fhir.json import dumps, loads
from ivfhir.knowledge.load import BrokenProtocol, ClinicalProtocol, load_asked, load_protocol
from ivfhir.knowledge.package import knowledge_root
from ivfhir.read import PatientRecord
from ivfhir.sitting import open_sittings

AS_OF = DateTime.parse("2025-03-03T23:59:59.999+01:00")
ABOUT_P = {"reference": "Patient/p"}
PATIENT = {"resourceType": "Patient", "id": "p", "birthDate": "1962-05-14", "gender": "male"}
LUNG_CANCER = {
    "resourceType": "Condition",
    "id": "lung-cancer",
    "subject": ABOUT_P,
    "clinicalStatus": {
        "coding": [
            {
                "system": "http://terminology.hl7.org/CodeSystem/condition-clinical",
                "code": "active",
            }
        ]
    },
    "verificationStatus": {
        "coding": [
            {
                "system": "http://terminology.hl7.org/CodeSystem/condition-ver-status",
                "code": "confirmed",
            }
        ]
    },
    "code": {"coding": [{"system": "http://snomed.info/sct", "code": "254637007"}]},
    "onsetDateTime": "2025-01-10",
}
PLATELETS: dict[str, Any] = {
    "resourceType": "Observation",
    "id": "platelets",
    "status": "final",
    "subject": ABOUT_P,
    "code": {"coding": [{"system": "http://loinc.org", "code": "777-3"}]},
    "effectiveDateTime": "2025-02-28",
    "valueQuantity": {
        "value": Decimal("30.0"),
        "system": "http://unitsofmeasure.org",
        "code": "10*9/L",
    },
}


@pytest.fixture(scope="module")
def lung() -> ClinicalProtocol:
    return load_protocol("LUNG")


def _record(unread: dict[str, str] | None = None, **patient: object) -> PatientRecord:
    return PatientRecord({**PATIENT, **patient}, (LUNG_CANCER, PLATELETS), unread or {})


def _criteria(lung: ClinicalProtocol, record: PatientRecord) -> dict[str, Criterion]:
    assert AS_OF is not None
    decision = evaluate_protocol(lung, record, as_of=AS_OF).decision
    return {criterion.id: criterion for criterion in decision.criteria}


def test_an_answer_names_the_value_it_rests_on_with_its_digits(lung: ClinicalProtocol) -> None:
    bleeding = _criteria(lung, _record())["X-BLEED"]
    assert (bleeding.truth, bleeding.answer) == (Truth.TRUE, Answer.NOT_MET)
    (platelets,) = [each for each in bleeding.evidence if each.concept == "platelets"]
    assert platelets.to_json() == {
        "reference": "Observation/platelets",
        "concept": "platelets",
        "value": Decimal("30.0"),
        "unit": "10*9/L",
        "date": "2025-02-28",
        "ageDays": 3,
    }
    assert str(platelets.value) == "30.0"


def test_every_criterion_of_the_protocol_is_answered_in_order(lung: ClinicalProtocol) -> None:
    ids = list(_criteria(lung, _record()))
    assert ids[:5] == ["LUNG-I01", "C-AGE", "C-ECOG", "C-SURG", "X-BLEED"]
    assert ids[-3:] == ["LUNG-K01", "LUNG-K02", "LUNG-K03"]
    assert len(ids) == 23


def test_an_unread_type_makes_its_criteria_unknown_whatever_else_is_known(
    lung: ClinicalProtocol,
) -> None:
    """E-03: platelets 30 and an unread problem list leave X-BLEED UNKNOWN."""
    reason = "Condition could not be read to its end: the server failed."
    criteria = _criteria(lung, _record({"Condition": reason}))
    assert criteria["X-BLEED"].truth is Truth.UNKNOWN
    assert criteria["X-BLEED"].notes[0] == reason
    assert criteria["LUNG-I01"].truth is Truth.UNKNOWN
    assert criteria["C-AGE"].truth is Truth.TRUE
    assert reason not in criteria["C-AGE"].notes


@pytest.mark.parametrize(
    "value",
    [
        {"valueQuantity": PLATELETS["valueQuantity"] | {"value": Decimal("1e1000000")}},
        {"valueQuantity": PLATELETS["valueQuantity"] | {"value": 10**40}},
        {"valueQuantity": PLATELETS["valueQuantity"], "valueString": "30"},
    ],
)
def test_a_value_that_no_rule_can_read_is_a_note_and_leaves_its_criterion_unknown(
    lung: ClinicalProtocol, value: dict[str, Any]
) -> None:
    record = PatientRecord(PATIENT, (LUNG_CANCER, {**PLATELETS, **value}), {})
    bleeding = _criteria(lung, record)["X-BLEED"]
    assert bleeding.truth is Truth.UNKNOWN
    assert bleeding.notes[0] == (
        "Observation/platelets was left out for platelets: it has no value that can be read"
    )


def test_what_could_not_be_read_is_not_missing(lung: ClinicalProtocol) -> None:
    """E-03: with results unread, platelets may be in the record; nobody knows."""
    criteria = _criteria(lung, _record({"Observation": "The server failed."}))
    unread = {each.id for each in criteria.values() if each.unread}
    assert unread == {
        *("C-ECOG", "C-SURG", "X-BLEED", "X-DISSEM", "X-RESIST", "X-CACHEX", "X-RENAL", "X-PREG"),
        *("LUNG-I02", "K-ECOG2", "K-RENAL", "K-CACHEX", "K-RESIST", "K-ANAEMIA", "K-STD"),
        *("LUNG-K01", "LUNG-K03"),
    }
    for each in unread:
        assert criteria[each].unread == ("Observation",)
        assert criteria[each].missing == ()
        assert criteria[each].notes[0] == "The server failed."
    assert criteria["X-CONTRAST"].missing == ("contrast-allergy",)


def test_each_unread_type_has_its_reason_in_front_of_the_notes(lung: ClinicalProtocol) -> None:
    criteria = _criteria(lung, _record({"Observation": "Busy.", "Condition": "Not allowed."}))
    assert criteria["X-BLEED"].unread == ("Condition", "Observation")
    assert criteria["X-BLEED"].notes[:2] == ("Not allowed.", "Busy.")
    assert criteria["LUNG-K02"].unread == ("Condition",)


def test_the_status_follows_from_what_is_unknown(lung: ClinicalProtocol) -> None:
    assert AS_OF is not None
    known = evaluate_protocol(lung, _record(), as_of=AS_OF).decision
    assert (known.status, "X-BLEED" in known.failed) == ("ineligible", True)
    unread = {"Condition": "unread", "Observation": "unread", "AllergyIntolerance": "unread"}
    decision = evaluate_protocol(lung, _record(unread), as_of=AS_OF).decision
    assert decision.status == "indeterminate"
    assert {"LUNG-I01", "X-BLEED", "X-CONTRAST"} <= set(decision.unknown)
    assert "K-STD" in decision.not_assessable
    assert decision.failed == ()


def test_a_death_stands_before_everything_else(lung: ClinicalProtocol) -> None:
    assert AS_OF is not None
    record = _record(deceasedDateTime="2025-03-02")
    patient = evaluate(record, [lung], as_of=AS_OF).patient
    assert (patient.deceased, patient.deceased_date) == (True, "2025-03-02")


def test_what_was_left_out_while_reading_is_noted_at_the_patient(lung: ClinicalProtocol) -> None:
    assert AS_OF is not None
    record = PatientRecord(PATIENT, (), {}, ("Left out: x.",))
    decision = evaluate(record, [lung, lung], as_of=AS_OF)
    document: Any = decision.to_json()
    assert document["patient"]["notes"] == ["Left out: x."]
    assert document["asOf"] == "2025-03-03T23:59:59.999+01:00"
    assert [each["id"] for each in document["protocols"]] == ["LUNG", "LUNG"]


def _renamed(source: ClinicalProtocol, folder: Path, change: Callable[[str], str]) -> Path:
    """Write LUNG under the name LUNX into a folder, its libraries changed; return the folder."""
    (folder / "cql").mkdir(parents=True)
    for name in ("LUNG", "LUNGPlan"):
        elm = (knowledge_root() / "lung" / "cql" / f"{name}.json").read_text(encoding="utf-8")
        elm = re.sub(r'"LUNG(Plan)?(_[A-Za-z]+)?"', r'"LUNX\1\2"', elm)
        path = folder / "cql" / f"{name.replace('LUNG', 'LUNX')}.json"
        path.write_text(change(elm), encoding="utf-8")
    plan = {**source.plan_definition, "id": "LUNX", "name": "LUNX", "action": []}
    plan["url"] = "https://ivfhir.example/fhir/PlanDefinition/LUNX"
    plan["library"] = ["https://ivfhir.example/fhir/Library/LUNX|0.2.0"]
    (folder / "PlanDefinition-LUNX.json").write_text(dumps(plan), encoding="utf-8")
    return folder


def _failing(elm: str) -> str:
    """Make the status stop with a message."""
    document: Any = loads(elm, place="LUNX")
    defines = {each["name"]: each for each in document["library"]["statements"]["def"]}
    if "LUNX_Status" not in defines:
        return elm
    status = defines["LUNX_Status"]
    text = {"type": "Literal", "valueType": "{urn:hl7-org:elm-types:r1}String", "value": "Error"}
    yes = {"type": "Literal", "valueType": "{urn:hl7-org:elm-types:r1}Boolean", "value": "true"}
    status["expression"] = {
        "type": "Message", "source": text, "condition": yes, "code": text,
        "severity": text, "message": text,
    }  # fmt: skip
    return dumps(document)


@pytest.mark.usefixtures("compiled_anew")
def test_protocols_share_the_facts_and_keep_their_own_defaults(
    lung: ClinicalProtocol, tmp_path: Path
) -> None:
    """LUNX is LUNG with three segments by default: `segments` has four there."""

    def three(elm: str) -> str:
        document: Any = loads(elm, place="LUNX")
        declared = {each["name"]: each for each in document["library"]["parameters"]["def"]}
        if "segments" not in declared:
            return elm
        declared["segments"]["default"]["value"] = "3"
        document["library"]["statements"]["def"].append(
            {"name": "Many", "expression": {"type": "ParameterRef", "name": "segments"}}
        )
        return dumps(document)

    assert AS_OF is not None
    folder = _renamed(lung, tmp_path / "lunx", three)
    asked = load_asked(["LUNG", str(folder)])
    protocols = [each for each in asked if isinstance(each, ClinicalProtocol)]
    one, two = open_sittings(protocols, _record(), {"AsOf": AS_OF})
    assert two.session.of(("LUNXPlan", "0.2.0")).value("Many") == 3
    facts = next(key for key in protocols[0].library.program.libraries if key[0] == "IOFacts")
    assert one.session.of(facts).value("Platelets") is two.session.of(facts).value("Platelets")
    decision = evaluate(_record(), asked, as_of=AS_OF)
    first, second = decision.answered
    assert [each.truth for each in first.criteria] == [each.truth for each in second.criteria]
    pairs = zip(first.criteria, second.criteria, strict=True)
    assert {each.id.partition("-")[0] for each, same in pairs if each is same} == {"C", "X", "K"}
    given = {"segments": 5}
    _, two = open_sittings(protocols, _record(), {"AsOf": AS_OF, **given})
    assert two.session.of(("LUNXPlan", "0.2.0")).value("Many") == 5


@pytest.mark.parametrize("kind", ["Condition", "Observation", "AllergyIntolerance"])
def test_what_is_unread_is_as_unknown_beside_another_protocol_as_alone(
    lung: ClinicalProtocol, tmp_path: Path, kind: str
) -> None:
    assert AS_OF is not None
    asked = load_asked(["LUNG", str(_renamed(lung, tmp_path / "lunx", str))])
    record = _record({kind: f"{kind} was not read."})
    together = evaluate(record, asked, as_of=AS_OF)
    alone = [evaluate(record, [each], as_of=AS_OF).answered[0] for each in asked]
    assert together.answered == alone
    assert any(each.unread for each in alone[0].criteria)


def test_a_protocol_that_fails_on_a_patient_says_so_in_its_place(
    lung: ClinicalProtocol, tmp_path: Path
) -> None:
    assert AS_OF is not None
    asked = load_asked([str(_renamed(lung, tmp_path / "lunx", _failing)), "LUNG"])
    document: Any = evaluate(_record(), asked, as_of=AS_OF).to_json()
    failed, answered = document["protocols"]
    assert failed == {
        "id": "LUNX",
        "version": "0.2.0",
        "outcome": {
            "resourceType": "OperationOutcome",
            "issue": [
                {
                    "severity": "error",
                    "code": "processing",
                    "diagnostics": "LUNX: LUNX_Status: Error: Error",
                }
            ],
        },
    }
    assert (answered["id"], answered["status"]) == ("LUNG", "ineligible")
    assert document["patient"]["deceased"] is False


def test_where_no_protocol_could_be_loaded_a_death_is_not_denied() -> None:
    assert AS_OF is not None
    broken = BrokenProtocol("LUNX", None, "LUNX", KnowledgeError("LUNX has no library; add it."))
    document: Any = evaluate(_record(), [broken], as_of=AS_OF).to_json()
    assert document["patient"] == {"reference": "Patient/p"}
    [failed] = document["protocols"]
    assert (failed["id"], "version" in failed) == ("LUNX", False)
    assert failed["outcome"]["issue"][0]["diagnostics"] == "LUNX has no library; add it."


def test_without_a_protocol_there_is_no_decision() -> None:
    assert AS_OF is not None
    with pytest.raises(UsageError):
        evaluate(_record(), [], as_of=AS_OF)


def test_same_inputs_give_same_answers(lung: ClinicalProtocol) -> None:
    assert AS_OF is not None
    first, second = (evaluate(_record(), [lung], as_of=AS_OF).to_json() for _ in range(2))
    assert first == second


def test_numbers_beyond_all_bounds_are_answered(lung: ClinicalProtocol) -> None:
    huge = {**PLATELETS, "valueQuantity": {**PLATELETS["valueQuantity"], "value": Decimal("1e400")}}
    record = PatientRecord(PATIENT, (LUNG_CANCER, huge), {})
    try:
        truth = _criteria(lung, record)["X-BLEED"].truth
    except EvaluationError as error:
        pytest.fail(error.message)
    assert truth is Truth.UNKNOWN


def problem(entry_id: str, words: str) -> dict[str, Any]:
    status = LUNG_CANCER["clinicalStatus"]
    code = {"code": {"text": words}}
    return {"resourceType": "Condition", "id": entry_id, "clinicalStatus": status, **code}


def notes_of(lung: ClinicalProtocol, criterion: str, *entries: dict[str, Any]) -> tuple[str, ...]:
    about = tuple({**entry, "subject": ABOUT_P} for entry in entries)
    decision = evaluate_protocol(lung, PatientRecord(PATIENT, about, {}), as_of=AS_OF).decision
    return next(row.notes for row in decision.criteria if row.id == criterion)


def test_entries_without_a_code_are_named_up_to_three(lung: ClinicalProtocol) -> None:
    entries = [problem(name, f"complaint {name}") for name in "abcd"]
    told = "no code that can be looked up"
    assert notes_of(lung, "LUNG-K02", *entries[:1]) == (
        f"Condition/a has {told}; only its words were read for haemoptysis",
    )
    assert notes_of(lung, "LUNG-K02", *entries[:3]) == (
        f"Condition/a, Condition/b, Condition/c have {told}; only their words were read for "
        "haemoptysis",
    )
    assert notes_of(lung, "LUNG-K02", *entries) == (
        f"4 entries of the problem list have {told}, among them Condition/a, Condition/b, "
        "Condition/c; only their words were read for haemoptysis",
    )


def test_a_metastasis_without_any_coded_site_is_not_told_as_at_least_no_organ(
    lung: ClinicalProtocol,
) -> None:
    [told, *_] = notes_of(lung, "X-DISSEM", problem("b", "Metastasis somewhere"))
    assert told == (
        "a metastasis is recorded whose site is not coded; how many organs hold metastases is "
        "not known"
    )
