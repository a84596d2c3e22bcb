"""Paths of discriminators, and what tells which slice an item is of."""

import pytest

from ivfhir.packages.codes import Codes
from ivfhir.validation.issue import Place
from ivfhir.validation.profile.discriminators import is_member, short
from ivfhir.validation.profile.items import Item
from ivfhir.validation.profile.paths import path_of, steps_of
from tests.ivfhir.validation.profile.making import found, observation, profile


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("$this", ()),
        ("code.coding", (("child", "code"), ("child", "coding"))),
        ("$this.resolve()", (("resolve", "resolve()"),)),
        (
            "value.ofType(Quantity).unit",
            (("child", "value"), ("ofType", "Quantity"), ("child", "unit")),
        ),
        ("value[x]", (("child", "value"),)),
        (
            "extension('http://x.example/e').value",
            (("extension", "http://x.example/e"), ("child", "value")),
        ),
        ("code.where(x)", None),
        ("code.", None),
        ("code coding", None),
        ("1", None),
    ],
)
def test_a_path_is_a_part_of_fhirpath(path, steps):
    assert steps_of(path) == steps


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("code.text", "code.text "),
        ("$this", ""),
        ("subject.resolve()", "subject.resolve() "),
        ("value.ofType(Quantity)", "value.ofType(Quantity) "),
        ("extension('http://x.example/e').value", "extension('http://x.example/e').value "),
    ],
)
def test_a_path_is_shown_as_it_is_read(path, shown):
    assert path_of(steps_of(path)) == shown


S = {"system": "http://x.example/s", "code": "a"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (S, "http://x.example/s|a"),
        ({"code": "a"}, "a"),
        ({"coding": [S, {**S, "code": "b"}]}, "http://x.example/s|a and http://x.example/s|b"),
        ({**S, "display": "x"}, '{"system": "http://x.example/s", "code": "a", "display": "x"}'),
        (
            {"coding": [S], "text": "x"},
            '{"coding": [{"system": "http://x.example/s", "code": "a"}], "text": "x"}',
        ),
        ({"value": 1, **S}, '{"value": 1, "system": "http://x.example/s", "code": "a"}'),
        ({"coding": []}, '{"coding": []}'),
        ({"coding": [5]}, '{"coding": [5]}'),
        ({**S, "code": 5}, '{"system": "http://x.example/s", "code": 5}'),
        ("a", '"a"'),
        (5, "5"),
    ],
)
def test_a_value_is_shown_whole_and_a_concept_by_its_codes(value, text):
    assert short(value) == text


OPEN = Codes({"http://x.example/s": frozenset("a")}, open_systems=frozenset({"http://x.example/t"}))
WHOLE = Codes({"http://x.example/s": frozenset("a")})


@pytest.mark.parametrize(
    ("codings", "codes", "is_in"),
    [
        ([S], OPEN, True),
        ([{**S, "code": "b"}], OPEN, False),
        ([{"code": "a"}], OPEN, None),
        ([{"code": "b"}], OPEN, None),
        ([{"code": "a"}, S], OPEN, True),
        ([{"display": "x"}], OPEN, False),
        ([{"code": "a"}], WHOLE, False),
        ([S], None, None),
    ],
)
def test_a_code_without_a_system_may_be_of_an_open_value_set(codings, codes, is_in):
    item = Item({"coding": codings}, None, "CodeableConcept", Place(None, "x"))
    assert is_member(item, codes) is is_in


@pytest.mark.parametrize(
    "discriminator",
    [{"type": "position", "path": "$this"}, {"type": "value", "path": "a.where(b)"}],
)
def test_a_discriminator_that_r4_does_not_have_tells_nothing(discriminator):
    rows = [
        ("Observation.note", {"slicing": {"discriminator": [discriminator], "rules": "closed"}}),
        ("Observation.note:a", {"min": 1}),
    ]
    resource = observation("P", note=[{"text": "x"}])
    assert found(resource, profile("P", *rows)) == []
    assert found(resource, profile("P", *rows), severities=("warning",)) == [
        ("profile", "Observation.note[0]"),
        ("profile", "Observation"),
    ]


@pytest.mark.parametrize(("value", "rows"), [("a", []), ("b", ["profile-cardinality"])])
def test_an_extension_inside_tells_a_slice(value, rows):
    url = "http://y.example/e"
    path = f"extension('{url}').value"
    slicing = {"discriminator": [{"type": "value", "path": path}], "rules": "open"}
    said = profile(
        "P",
        ("Observation.note", {"slicing": slicing}),
        ("Observation.note:a", {"min": 1}),
        ("Observation.note:a.extension:e", {"min": 1}),
        ("Observation.note:a.extension:e.url", {"fixedUri": url}),
        ("Observation.note:a.extension:e.value[x]", {"fixedString": "a"}),
    )
    note = {"text": "x", "extension": [{"url": url, "valueString": value}]}
    assert [rule for rule, _ in found(observation("P", note=[note]), said)] == rows
