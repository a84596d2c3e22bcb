"""Finding resources by type and code."""

from ivfhir.expressions.index import ResourceIndex, Terminology, code_pairs
from tests.ivfhir.expressions.loaded import CODES
from tests.ivfhir.expressions.patients import (
    HEIGHT,
    LESION_A,
    OTHER,
    PATIENT,
    RESOURCES,
    WEIGHT,
)

INDEX = ResourceIndex(PATIENT, [PATIENT, *RESOURCES], {})


def test_resources_come_by_type_in_their_order() -> None:
    assert INDEX.of_type("Observation") == [WEIGHT, HEIGHT]
    assert INDEX.of_type("Patient") == [PATIENT]
    assert INDEX.of_type("Procedure") == []


def test_resources_come_by_code_in_their_order_and_once() -> None:
    both = {(CODES, "height"), (CODES, "weight"), (CODES, "other")}
    assert INDEX.of_codes("Observation", "code", both) == [WEIGHT, HEIGHT]
    assert INDEX.of_codes("Condition", "code", {(CODES, "b"), (CODES, "a"), (None, "zz")}) == [
        LESION_A,
        OTHER,
    ]
    assert INDEX.of_codes("Condition", "code", {("http://example.org/others", "a")}) == []
    assert INDEX.of_codes("Procedure", "code", both) == []


def test_codes_of_elements() -> None:
    assert code_pairs({"coding": [{"system": "s", "code": "c"}, {"code": "d"}]}) == [
        ("s", "c"),
        (None, "d"),
    ]
    assert code_pairs([{"coding": [{"system": "s", "code": "c"}]}]) == [("s", "c")]
    assert code_pairs({"system": "s", "code": "c"}) == [("s", "c")]
    assert code_pairs("c") == [(None, "c")]
    assert code_pairs({"text": "x"}) == code_pairs(None) == code_pairs(5) == []
    assert code_pairs({"coding": [{"system": 5, "code": "c"}, {"system": "s", "code": 5}, 7]}) == []


def test_resources_come_by_value_set_in_their_order_and_once() -> None:
    terminology = Terminology(
        {"size": [(CODES, "height"), (CODES, "weight")], "a": {(CODES, "a"), (None, "zz")}, "": []}
    )
    assert INDEX.of_value_set("Observation", "code", "size", terminology) == [WEIGHT, HEIGHT]
    assert INDEX.of_value_set("Condition", "code", "a", terminology) == [LESION_A]
    assert INDEX.of_value_set("Condition", "code", "size", terminology) == []
    assert INDEX.of_value_set("Condition", "code", "", terminology) == []
    assert INDEX.of_value_set("Procedure", "code", "size", terminology) == []
