"""A resource of another shape than R4's is refused, not guessed at."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ivfhir.errors import InputError
from ivfhir.fhir.json import dumps, loads
from ivfhir.shape import _first_wrong, _is_right, check_shape

CONFIRMED = {"coding": [{"code": "confirmed"}]}


@pytest.mark.parametrize(
    "resource",
    [
        {"resourceType": "Condition", "id": "c", "verificationStatus": CONFIRMED},
        {"resourceType": "Observation", "valueQuantity": {"value": Decimal("1.0"), "unit": "x"}},
        {"resourceType": "Observation", "valueQuantity": {"value": 1}},
        {"resourceType": "Observation", "valueInteger": 2, "component": [{"valueBoolean": True}]},
        {"resourceType": "Patient", "name": [{"given": ["A", None], "_given": [None, {}]}]},
        {"resourceType": "Patient", "birthDate": None, "_birthDate": {"extension": []}},
        {"resourceType": "Condition", "note": "passed over", "unknownElement": 3},
        {"resourceType": "Unheard", "code": 3},
        {"resourceType": "Observation", "component": [{"id": "a", "valueInteger": 2}]},
        {"resourceType": "RequestGroup", "action": [{"id": "P.1", "action": [{"id": "b"}]}]},
    ],
)
def test_the_shape_of_r4_passes(resource: dict[str, Any]) -> None:
    check_shape(resource)


@pytest.mark.parametrize(
    ("resource", "sentence"),
    [
        (
            {"resourceType": "Condition", "id": "c", "verificationStatus": "refuted"},
            "Condition/c has text as Condition.verificationStatus where FHIR R4 has an object",
        ),
        (
            {"resourceType": "Condition", "category": CONFIRMED},
            "Condition has an object as Condition.category where FHIR R4 has a list",
        ),
        (
            {"resourceType": "Observation", "id": "o", "valueQuantity": {"value": "220"}},
            "has text as Observation.valueQuantity.value where FHIR R4 has a number",
        ),
        (
            {"resourceType": "Observation", "id": "o", "valueInteger": True},
            "has true or false as Observation.valueInteger where FHIR R4 has a number",
        ),
        (
            {"resourceType": "Observation", "id": "o", "code": [CONFIRMED]},
            "has a list as Observation.code where FHIR R4 has an object",
        ),
        (
            {"resourceType": "Patient", "id": "p", "birthDate": 1962},
            "has a number as Patient.birthDate where FHIR R4 has text",
        ),
        (
            {"resourceType": "AllergyIntolerance", "reaction": [{"severity": {}}]},
            "has an object as AllergyIntolerance.reaction.severity where FHIR R4 has text",
        ),
        (
            {"resourceType": "Observation", "id": "ecog", "valueInteger": Decimal("1.0")},
            "Observation/ecog has the number 1.0 as Observation.valueInteger where FHIR R4 has a "
            "whole number without a point; correct it where it is recorded.",
        ),
        (
            {"resourceType": "Condition", "modifierExtension": {"url": "negated"}},
            "has an object as Condition.modifierExtension where FHIR R4 has a list",
        ),
    ],
)
def test_another_shape_is_named(resource: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        check_shape(resource)
    assert sentence in caught.value.message


OTHERS: tuple[Any, ...] = ("x", 1, True, Decimal("1.5"), None, {}, {"x": 1}, [], ["x"], [None, {}])


def test_whether_all_is_right_is_told_as_what_is_wrong() -> None:
    """Each element of a plan's part, one of each type, in turn is something else."""
    (golden,) = (Path(__file__).parent / "golden").glob("CarePlan-V01.json")
    plan = loads(golden.read_text(encoding="utf-8"), place="x")
    assert isinstance(plan, dict)
    small = [each for each in plan.pop("contained") if len(dumps(each)) < 5_000]
    count = 0
    for kind, resource in {each["resourceType"]: each for each in small}.items():
        holders: list[Any] = [resource]
        while holders:
            holder = holders.pop()
            names = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
            for name in names:
                own = holder[name]
                for other in OTHERS:
                    holder[name] = other
                    assert _is_right(resource, kind) == (_first_wrong(resource, kind, "") is None)
                    count += 1
                holder[name] = own
                if isinstance(own, dict | list) and len(holders) < 40:
                    holders.append(own)
    assert count > 1_000
