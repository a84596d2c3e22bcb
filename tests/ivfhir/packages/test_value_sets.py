"""Value sets of packages, expanded as far as they can be."""

import pytest

from ivfhir.packages import Packages, open_package
from ivfhir.packages.value_sets import ValueSets
from tests.ivfhir.packages.making import definition, write_folder

S, T = "http://x.example/S", "http://x.example/T"
GENDER = "http://hl7.org/fhir/administrative-gender"
SYSTEM = definition(
    S,
    "CodeSystem",
    content="complete",
    concept=[
        {"code": "a", "concept": [{"code": "b", "concept": [{"code": "c"}]}]},
        {"code": "d", "property": [{"code": "subsumedBy", "valueCode": "c"}]},
        {"code": "e", "property": [{"code": "old", "valueBoolean": True}]},
    ],
)


def url(name):
    return f"http://x.example/{name}"


def value_set(name, *include, **more):
    return definition(url(name), "ValueSet", compose={"include": list(include), **more})


def is_a(operator, value, name="concept"):
    return {"system": S, "filter": [{"property": name, "op": operator, "value": value}]}


LISTED = {"system": S, "concept": [{"code": "a"}, {"code": "x"}]}
SETS = [
    value_set("listed", LISTED),
    value_set("whole", {"system": S}),
    value_set("is-a", is_a("is-a", "b")),
    value_set("below", is_a("descendent-of", "b")),
    value_set("old", is_a("=", "true", "old")),
    value_set("regex", is_a("regex", "b.*", "code")),
    value_set("foreign", {"system": T}),
    value_set("import", {"valueSet": [url("listed")]}, {"system": T}),
    value_set("both", {"valueSet": [url("listed"), url("whole")]}),
    value_set("of-system", {"system": S, "valueSet": [url("none")]}),
    value_set("minus", {"system": S}, exclude=[LISTED]),
    value_set("r4", {"system": GENDER}),
    value_set("self", {"valueSet": [url("self")]}, LISTED),
    definition(
        url("expanded"),
        "ValueSet",
        expansion={"contains": [{"system": S, "code": "a"}]},
        compose={"include": [{"system": S}]},
    ),
]


@pytest.fixture(scope="module")
def value_sets(tmp_path_factory):
    path = write_folder(tmp_path_factory.mktemp("p") / "p", SYSTEM, *SETS)
    return ValueSets(Packages([open_package(path)]))


@pytest.mark.parametrize(
    ("name", "members", "unsure"),
    [
        ("listed", "ax", ""),
        ("whole", "abcde", ""),
        ("is-a", "bcd", ""),
        ("below", "cd", ""),
        ("old", "e", ""),
        ("regex", "", "abcdex"),
        ("foreign", "", ""),
        ("import", "ax", ""),
        ("both", "a", ""),
        ("of-system", "", "abcdex"),
        ("minus", "bcde", ""),
        ("self", "ax", "bcde"),
        ("expanded", "a", ""),
    ],
)
def test_a_set_is_expanded_as_far_as_it_can_be(value_sets, name, members, unsure):
    codes = value_sets.codes(url(name))
    answers = {each: codes.has(S, each) for each in "abcdex"}
    assert [each for each, is_in in answers.items() if is_in] == list(members)
    assert {each for each, is_in in answers.items() if is_in is None} <= set(unsure)
    assert bool(unsure) == (None in answers.values())


def test_a_system_that_is_not_here_is_not_known(value_sets):
    assert value_sets.codes(url("foreign")).has(T, "a") is None
    assert value_sets.codes(url("import")).has(T, "a") is None
    assert value_sets.codes(url("listed")).has(T, "a") is False


def test_a_code_system_of_hl7_needs_no_package(value_sets):
    codes = value_sets.codes(url("r4"))
    assert (codes.has(GENDER, "male"), codes.has(GENDER, "x")) == (True, False)


def test_a_set_that_nobody_has_is_none(value_sets):
    assert value_sets.codes(url("none")) is None


def test_imports_without_end_are_not_known(tmp_path):
    rows = [value_set(f"v{n}", {"valueSet": [url(f"v{n + 1}")]}) for n in range(900)]
    known = ValueSets(Packages([open_package(write_folder(tmp_path / "p", *rows))]))
    assert known.codes(url("v0")).has(S, "a") is None


def test_r4_has_its_own():
    gender = ValueSets(Packages()).codes("http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1")
    assert gender.has("http://hl7.org/fhir/administrative-gender", "male") is True
    assert gender.is_whole
