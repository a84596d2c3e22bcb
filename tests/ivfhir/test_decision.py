"""What evaluate says keeps the promised shape."""

from decimal import Decimal

import pytest

from ivfhir.decision import (
    Answer,
    Criterion,
    Decision,
    Evidence,
    PatientState,
    ProtocolDecision,
    Truth,
    answer_of,
)
from ivfhir.fhir.json import dumps


@pytest.mark.parametrize(
    ("kind", "truth", "answer"),
    [
        ("inclusion", Truth.TRUE, Answer.MET),
        ("inclusion", Truth.FALSE, Answer.NOT_MET),
        ("inclusion", Truth.UNKNOWN, Answer.UNKNOWN),
        ("contraindication-absolute", Truth.TRUE, Answer.NOT_MET),
        ("contraindication-absolute", Truth.FALSE, Answer.MET),
        ("contraindication-absolute", Truth.UNKNOWN, Answer.UNKNOWN),
        ("caution", Truth.TRUE, Answer.NOT_MET),
        ("caution", Truth.FALSE, Answer.MET),
        ("caution", Truth.UNKNOWN, Answer.UNKNOWN),
    ],
)
def test_truth_becomes_an_answer_by_the_kind_of_criterion(
    kind: str, truth: Truth, answer: Answer
) -> None:
    assert answer_of(kind, truth) is answer


def _evidence(**members: object) -> Evidence:
    names = Evidence._fields
    return Evidence(**{name: members.get(name) for name in names})  # type: ignore[arg-type]


def test_evidence_says_only_what_there_is_to_say_and_keeps_its_digits() -> None:
    evidence = _evidence(
        reference="Observation/o",
        concept="inr",
        value=Decimal("1.00"),
        unit="1",
        date="2025-02-28",
        age_days=3,
    )
    assert dumps(evidence.to_json()) == (
        '{"reference": "Observation/o", "concept": "inr", "value": 1.00, "unit": "1", '
        '"date": "2025-02-28", "ageDays": 3}'
    )


def test_false_and_zero_are_values() -> None:
    assert _evidence(value=False, age_days=0).to_json() == {"value": False, "ageDays": 0}


def test_a_decision_has_the_promised_members_in_their_order() -> None:
    criterion = Criterion(
        id="X-BLEED",
        kind="contraindication-absolute",
        title="Severe bleeding tendency",
        rule="The rule.",
        source="seed: S0-29",
        truth=Truth.UNKNOWN,
        evidence=(),
        missing=("inr",),
        notes=("no usable result",),
    )
    protocol = ProtocolDecision(
        "LUNG", "0.1.0", "indeterminate", (), ("X-BLEED",), (), ("LUNG-K01",), (criterion,)
    )
    patient = PatientState("Patient/p", False, None, ())
    as_of = "2025-03-03T23:59:59.999+01:00"
    assert dumps(Decision(as_of, patient, [protocol]).to_json()) == (
        '{"asOf": "2025-03-03T23:59:59.999+01:00", '
        '"patient": {"reference": "Patient/p", "deceased": false}, '
        '"protocols": [{"id": "LUNG", "version": "0.1.0", "status": "indeterminate", '
        '"failed": [], "unknown": ["X-BLEED"], "cautions": [], "notAssessable": ["LUNG-K01"], '
        '"criteria": [{"id": "X-BLEED", "kind": "contraindication-absolute", '
        '"title": "Severe bleeding tendency", "rule": "The rule.", "source": "seed: S0-29", '
        '"truth": null, "answer": "unknown", "evidence": [], "missing": ["inr"], '
        '"notes": ["no usable result"]}]}]}'
    )


def test_what_is_unread_stands_beside_an_empty_list_of_what_is_missing() -> None:
    criterion = Criterion(
        *("X-BLEED", "contraindication-absolute", "Bleeding", "The rule.", "seed", Truth.UNKNOWN),
        *((), (), ("The server failed.",), ("Condition", "Observation")),
    )
    said = criterion.to_json()
    assert (said["missing"], said["unread"]) == ([], ["Condition", "Observation"])
    assert "unread" not in criterion._replace(unread=()).to_json()


def test_a_death_and_notes_stand_at_the_patient() -> None:
    state = PatientState("Patient/p", True, "2025-03-02", ("Left out: x.",))
    assert state.to_json() == {
        "reference": "Patient/p",
        "deceased": True,
        "deceasedDate": "2025-03-02",
        "notes": ["Left out: x."],
    }
