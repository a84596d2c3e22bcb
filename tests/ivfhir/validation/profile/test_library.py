"""Profiles are found by their canonical, stand on their bases, and are compiled once."""

import pytest

from ivfhir.errors import InputError
from ivfhir.packages import Packages
from ivfhir.validation import validate_resource
from ivfhir.validation.profile import library
from ivfhir.validation.profile.library import Profiles, own_profiles
from ivfhir.validation.profile.overlay import overlaid
from tests.ivfhir.validation.profile.making import (
    BASE,
    LOINC,
    R4,
    element,
    found,
    observation,
    package,
    profile,
    profiles,
    texts,
)

SUBJECT = ("Observation.subject", {"min": 1})
DEVICE = ("Observation.device", {"min": 1})
COUNT = ("profile-cardinality", "Observation")


def test_a_profile_is_compiled_once():
    known = profiles(profile("P", SUBJECT))
    first = known.get(BASE + "P")
    assert first is known.get(BASE + "P")
    assert (first.label, first.type_name) == ("P 1.0", "Observation")
    assert [each.name for each in first.check.children] == ["subject"]


def test_a_version_that_is_not_here_is_not_taken_for_another():
    known = profiles(profile("P", SUBJECT))
    assert known.get(f"{BASE}P|1.0") is not None
    assert known.get(f"{BASE}P|2.0") is None
    resource = observation()
    resource["meta"] = {"profile": [f"{BASE}P|2.0"]}
    assert [each.text for each in validate_resource(resource, known)] == [
        f"Observation.meta.profile[0] claims {BASE}P|2.0, which is not checked: "
        "it is here in version 1.0 only."
    ]


def test_a_differential_stands_on_its_base():
    base = profile("A", SUBJECT)
    middle = profile("B", ("Observation.subject.display", {"min": 1}), base=BASE + "A")
    top = profile("C", DEVICE, base=BASE + "B")
    assert found(observation("C"), base, middle, top) == [COUNT, COUNT]
    resource = observation("C", subject={"reference": "Patient/1"}, device={"display": "x"})
    assert found(resource, base, middle, top) == [("profile-cardinality", "Observation.subject")]


def test_what_is_not_known_is_not_kept():
    def kept():
        return sum(len(each) for each in vars(known).values() if isinstance(each, dict))

    known = profiles(profile("P", SUBJECT))
    validate_resource(observation("P"), known)
    before = kept()
    for number in range(9):
        extension = {"url": f"{BASE}e{number}", "valueString": "x"}
        validate_resource(observation(f"Q{number}", f"P|{number}", extension=[extension]), known)
    assert kept() == before > 0


def test_a_base_is_read_once_for_all_that_stand_on_it(monkeypatch):
    laid = []
    monkeypatch.setattr(library, "overlaid", lambda *both: laid.append(both) or overlaid(*both))
    rows = [profile(f"P{n}", SUBJECT, base=f"{BASE}P{n - 1}" if n else None) for n in range(9)]
    known = profiles(*rows)
    for number in reversed(range(9)):
        known.get(f"{BASE}P{number}")
    assert len(laid) == 8


def test_the_members_of_a_value_set_are_listed_once():
    include = {"system": LOINC, "concept": [{"code": "a"}]}
    value_set = {
        "resourceType": "ValueSet",
        "url": BASE + "vs",
        "compose": {"include": [include]},
    }
    known = profiles(value_set, {**value_set, "url": BASE + "open", "compose": {}})
    assert known.members(BASE + "vs") == {(LOINC, "a")}
    assert known.members(BASE + "vs") is known.members(BASE + "vs")
    assert known.members(BASE + "open") is None
    assert known.members(BASE + "nowhere") is None


def test_a_snapshot_needs_no_base():
    said = profile("P", SUBJECT, form="snapshot", base=BASE + "nowhere")
    assert found(observation("P"), said) == [COUNT]


def test_a_base_that_is_not_here_is_said():
    said = profile("P", SUBJECT, base=BASE + "nowhere")
    known = Profiles(Packages([package(said, depends={"y": "2.0.0"})]))
    with pytest.raises(
        InputError, match=r"its base http://x\.example/nowhere is in no package"
    ) as c:
        known.get(BASE + "P")
    assert "y 2.0.0" in c.value.message
    issues = validate_resource(observation("P"), known)
    assert [(each.severity, each.rule) for each in issues] == [("information", "profile")]


@pytest.mark.parametrize("names", ["A", "AB", "ABC"])
def test_bases_in_a_circle_are_a_sentence(names):
    rows = [
        profile(one, SUBJECT, base=BASE + two)
        for one, two in zip(names, names[1:] + names[0], strict=True)
    ]
    with pytest.raises(InputError, match=r"The profile http://x\.example/A is its own base"):
        profiles(*rows).get(BASE + "A")
    assert found(observation("A"), *rows) == []


@pytest.mark.parametrize(
    "id_", [".".join(["Questionnaire", *["item"] * 900]), f"Group.member:{'a/' * 900}b"]
)
def test_a_path_without_end_is_a_sentence(id_):
    said = profile("P", (id_, {"min": 1}), of=id_.partition(".")[0])
    with pytest.raises(InputError, match="more than 40 steps deep"):
        profiles(said).get(BASE + "P")


def test_so_is_a_row_of_bases_without_end():
    rows = [profile(f"P{n}", SUBJECT, base=f"{BASE}P{n + 1}") for n in range(900)]
    with pytest.raises(InputError, match="stands on more than 40 others"):
        profiles(*rows).get(BASE + "P0")


def test_a_logical_model_is_no_profile():
    said = {**profile("P", SUBJECT), "type": "http://x.example/Model"}
    with pytest.raises(InputError, match="which FHIR R4 does not have"):
        profiles(said).get(BASE + "P")


@pytest.mark.parametrize(
    "broken",
    [
        {"type": "http://x.example/Model"},
        {"baseDefinition": BASE + "ext"},
        {"baseDefinition": BASE + "nowhere"},
    ],
)
def test_a_definition_that_cannot_be_used_takes_no_other_with_it(broken):
    ext = {**profile("ext", of="Extension"), **broken}
    types = {"type": [{"code": "Extension", "profile": [BASE + "ext"]}], "min": 1}
    said = profile("P", SUBJECT, ("Observation.extension:e", types))
    resource = observation("P", extension=[{"url": BASE + "ext", "valueString": "x"}])
    assert found(resource, said, ext) == [COUNT]
    rows = found(resource, said, ext, severities=("information",))
    assert rows == [("profile", "Observation.extension[0]")]
    alone = observation(extension=resource.pop("extension"))
    assert found(alone, ext, severities=("information",)) == rows
    assert found(resource, said, ext) == [COUNT, COUNT]


def test_two_packages_with_one_profile_are_told():
    other = {**profile("P", DEVICE), "version": "2.0"}
    known = Profiles(Packages([package(profile("P", SUBJECT)), package(other, name="y")]))
    issues = validate_resource(observation("P"), known)
    assert [each.severity for each in issues] == ["information", "error"]
    assert issues[0].text == (
        "P 1.0 is that of x 1, which was given first; another version is in y 1."
    )


def test_types_of_r4_are_known_without_a_package():
    known = profiles(profile("P", SUBJECT))
    assert known.type_of(f"{R4}Patient|4.0.1") == "Patient"
    assert known.type_of(BASE + "P") == "Observation"
    assert known.type_of(BASE + "Q") is None


def test_profiles_of_r4_need_no_package():
    resource = observation(subject={"reference": "Patient/1"}, effectiveDateTime="2020-01-01")
    resource["meta"] = {"profile": [f"{R4}vitalsigns"]}
    resource["valueQuantity"] = {"value": 1, "unit": "kg"}
    rows = [
        (each.rule, each.expression)
        for each in validate_resource(resource)
        if each.severity == "error"
    ]
    assert rows == [COUNT]
    assert own_profiles().get(f"{R4}vitalsigns") is own_profiles().get(f"{R4}vitalsigns")


def test_ids_may_be_missing():
    rows = [
        (
            "Observation.component",
            {"slicing": {"discriminator": [{"type": "value", "path": "code"}]}},
        ),
        ("Observation.component:a", {"min": 1}),
        ("Observation.component:a.code", {"patternCodeableConcept": {"text": "a"}}),
        ("Observation.component:a.interpretation", {"min": 1}),
    ]
    said = profile("P", *rows)
    for each in said["differential"]["element"]:
        del each["id"]
    resource = observation("P", component=[{"code": {"text": "a"}}, {"code": {"text": "b"}}])
    assert found(resource, said) == [("profile-cardinality", "Observation.component[0]")]


@pytest.mark.parametrize(
    "broken",
    [
        {"differential": {"element": "x"}},
        {"differential": {"element": [5, {}, {"path": 5}]}},
        {"differential": None},
        {"differential": {"element": [element("Observation.nosuch", {"min": 1})]}},
        {"differential": {"element": [element("Observation.note", {"max": "x", "min": "y"})]}},
        {"differential": {"element": [element("Observation.note", {"max": "²" * 5000})]}},
        {"differential": {"element": [element("Observation.note", {"max": "9" * 5000})]}},
        {"differential": {"element": [element("Observation.code", {"binding": {"strength": []}})]}},
        {"title": None, "version": 5},
    ],
)
def test_a_definition_of_another_shape_asks_nothing(broken):
    assert texts(observation("P"), {**profile("P"), **broken}) == []
