"""References are taken apart as http://hl7.org/fhir/R4/references.html says."""

import pytest

from ivfhir.fhir.json import Written, dumps
from ivfhir.fhir.references import (
    Key,
    Literal,
    identifier_tokens,
    key_of,
    parse_literal,
    renamed_references,
    subject_of,
)


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("Patient/p1", Literal("", Key("Patient", "p1"))),
        ("Patient/p1/_history/3", Literal("", Key("Patient", "p1"))),
        (
            "https://ehr.example/r4/Patient/p1",
            Literal("https://ehr.example/r4/", Key("Patient", "p1")),
        ),
        ("urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0", None),
        ("#p1", None),
        ("Patient?identifier=a|b", None),
        ("Patient/", None),
        ("Patient/p1\n", None),
        ("Patient/p1/_history/3\n", None),
        ("https://ehr.example/r 4/Patient/p1", None),
        ("", None),
    ],
)
def test_literal_references(reference: str, expected: Literal | None) -> None:
    assert parse_literal(reference) == expected


def test_a_resource_without_id_has_no_key() -> None:
    assert key_of({"resourceType": "Condition"}) is None
    assert str(key_of({"resourceType": "Condition", "id": "c1"})) == "Condition/c1"


@pytest.mark.parametrize("name", ["subject", "patient", "beneficiary", "for", "individual"])
def test_types_name_their_patient_by_different_elements(name: str) -> None:
    assert subject_of({"resourceType": "X", name: {"reference": "Patient/p"}}) == {
        "reference": "Patient/p"
    }


@pytest.mark.parametrize("subject", [None, "Patient/p", [], [{}, {}], 7])
def test_a_subject_of_another_shape_says_nothing(subject: object) -> None:
    assert subject_of({"resourceType": "X", "subject": subject}) is None


def test_identifiers_without_a_value_are_skipped() -> None:
    assert identifier_tokens([{"system": "urn:x", "value": "1"}, {"system": "urn:x"}, "1"]) == {
        ("urn:x", "1")
    }


def test_references_are_renamed_wherever_they_stand_and_nothing_else_is() -> None:
    element = {
        "subject": {"reference": "Patient/p", "display": "#a"},
        "activity": [{"reference": {"reference": "#a"}}],
        "count": 1,
    }
    assert renamed_references(element, {"#a": "urn:uuid:1"}) == {
        "subject": {"reference": "Patient/p", "display": "#a"},
        "activity": [{"reference": {"reference": "urn:uuid:1"}}],
        "count": 1,
    }
    assert element["activity"] == [{"reference": {"reference": "#a"}}]


@pytest.mark.parametrize(
    "element",
    [
        {"resourceType": "Goal", "subject": {"reference": "#a", "display": "#a"}},
        {"resourceType": "Goal", "note": [{"text": 'a "reference": "#a" of \\"reference": "#a"'}]},
        {"resourceType": "Goal", "a": "reference", "b": "#a", "c": ["reference", "#a"]},
        {"reference": {"reference": ["#a", {"reference": "#a"}]}, "subject": {"reference": "#b"}},
        {"x": [{"reference": 'q"\\'}, {"reference": "é\n"}, {"reference": "# a"}]},
        {"x": [{"reference": 5}, {"reference": None}, {"reference": ""}], "y\\": "#a"},
    ],
)
def test_what_is_written_is_renamed_with_its_line(element):
    names = {"#a": 'urn:"1"', "#b": "é", 'q"\\': "Patient/q", "é\n": "Patient/e", "": "Patient/0"}
    renamed = renamed_references(Written(element), names)
    assert renamed == renamed_references(element, names)
    assert isinstance(renamed, Written)
    assert renamed.line == dumps(dict(renamed))
