"""Elements of FHIR resources, choices, and JSON of the wrong kind."""

from decimal import Decimal as D
from typing import Any

import pytest

from ivfhir.expressions.values import Interval, Quantity
from tests.ivfhir.expressions.loaded import day, moment, same
from tests.ivfhir.expressions.patients import PATIENT, WEIGHT, changed, session

ANSWERS = {
    "Birth": day("2007-03-03"),
    "BirthIsNull": False,
    "BirthExtension": "http://example.org/time",
    "Gender": "female",
    "IsFemale": True,
    "Given": ["Ada", "Bea", "Cea"],
    "Deceased": "2025-02",
    "DeceasedBoolean": None,
    "DeceasedDate": moment("2025-02"),
    "Active": None,
    "Age": 18,
    "Value": D("55.10"),
    "ValueIsQuantity": True,
    "ValueIsString": False,
    "ValueAsString": None,
    "ValueThroughLet": D("55.10"),
    "ValueKind": "quantity",
    "ValueConverted": True,
    "ValueThroughFunction": "quantity",
    "EffectiveText": "2024-02-03T23:30:00-05:00",
    "Effective": moment("2024-02-03T23:30:00-05:00"),
    "EffectiveDay": day("2024-02-03"),
    "EffectiveIsPeriod": False,
    "Status": "final",
    "StatusIn": True,
    "Reference": "Patient/p",
    "NoComponents": False,
    "ComponentsNull": False,
    "Category": ["vital", "exam"],
    "AllStatuses": ["final", "amended"],
    "SortedByDate": ["h", "w"],
    "SortedByColumn": ["h", "w"],
    "MixedIds": ["w", "o", "w", "h"],
    "MixedConditions": ["w", "o"],
    "MixedCodes": ["zz", "b", "weight", "height"],
    "Pairs": ["w"],
    "MadeQuantity": Quantity(D("5.0"), "mg"),
    "MadeReference": "Patient/x",
    "HelperQuantity": Quantity(D("55.10"), "kg"),
    "HelperConcept": "Body weight",
    "HelperInterval": Interval(moment("2024-01-01"), None, True, True, "System.DateTime"),
}


@pytest.mark.parametrize("define", ANSWERS)
def test_answer(define: str) -> None:
    assert same(session().value(define), ANSWERS[define])


def test_a_date_keeps_the_text_of_its_source() -> None:
    assert session().value("Effective").text == "2024-02-03T23:30:00-05:00"


def test_a_time_without_offset_has_that_of_the_evaluation() -> None:
    weight = changed(WEIGHT, effectiveDateTime="2024-02-03T10:00:00")
    assert session(resources=[weight]).value("Effective").offset == 60


def test_a_primitive_with_only_an_extension_is_there_and_has_no_value() -> None:
    patient = {k: v for k, v in PATIENT.items() if k != "birthDate"}
    own = session(patient=patient)
    assert own.value("BirthIsNull") is False
    assert own.value("Birth") is None
    assert own.value("BirthExtension") == "http://example.org/time"


def test_a_primitive_that_is_absent_is_null() -> None:
    assert session(patient={"resourceType": "Patient"}).value("BirthIsNull") is True


def test_no_patient_is_null() -> None:
    assert session(patient=None).value("Birth") is None


@pytest.mark.parametrize(
    "wrong", [5, True, None, ["2007-03-03"], {"value": 1}, "yesterday", "2007-02-30"]
)
def test_a_birth_date_of_the_wrong_kind_reads_as_null(wrong: Any) -> None:
    own = session(patient={"resourceType": "Patient", "birthDate": wrong})
    assert own.value("Birth") is None
    assert own.value("Age") is None


@pytest.mark.parametrize(
    "wrong", [5, "x", True, None, [1], {"value": "many"}, {"value": True}, {"value": {}}]
)
def test_a_quantity_of_the_wrong_kind_reads_as_null(wrong: Any) -> None:
    own = session(resources=[changed(WEIGHT, valueQuantity=wrong)])
    assert own.value("Value") is None
    assert own.value("ValueThroughLet") is None


@pytest.mark.parametrize(
    "wrong", [5, "x", True, None, {"coding": []}, [5, None, "x"], [{"coding": 3}]]
)
def test_a_list_of_the_wrong_kind_reads_as_empty(wrong: Any) -> None:
    own = session(resources=[changed(WEIGHT, category=wrong)])
    assert own.value("Category") == []


@pytest.mark.parametrize(
    "wrong", [5, "x", True, None, [], {"coding": "weight"}, {"coding": [1, None]}]
)
def test_a_code_of_the_wrong_kind_matches_nothing(wrong: Any) -> None:
    own = session(resources=[changed(WEIGHT, code=wrong)])
    assert own.value("Weights") == []
    assert own.value("CodeEquivalent") == []


def test_what_is_no_resource_is_passed_over() -> None:
    assert session(resources=["x", None, 5, {}, {"resourceType": 5}]).value("AllStatuses") == []
