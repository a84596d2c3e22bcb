"""What was right once is passed over, and only where it must be right again."""

import pytest

from benchmarks.validators.__main__ import small_examples
from benchmarks.validators.mutants import by_chance, faulty
from ivfhir.fhir.types import STRUCTURE_DEFINITIONS
from ivfhir.validation import alike, validate, validate_resource
from ivfhir.validation.alike import Alike
from ivfhir.validation.structure import Structure
from tests.ivfhir.validation.profile.making import BASE, profile, profiles
from tests.servers.needs import need
from tools.r4 import source

CODE = {"coding": [{"system": "https://x.example/codes", "code": "a"}], "text": "a"}
GENDER = {
    "url": f"{STRUCTURE_DEFINITIONS}patient-genderIdentity",
    "valueCodeableConcept": {"text": "x"},
}
UNKNOWN = {"url": f"{STRUCTURE_DEFINITIONS}not-there", "valueString": "x"}


@pytest.fixture(autouse=True)
def anew(monkeypatch):
    """Know of nothing that is right."""
    monkeypatch.setattr(validate, "_ALIKE", Alike())


def rules(resource, *more):
    return sorted({each.rule for each in validate_resource(resource, *more)} - {"dom-6"})


def walked(resource):
    """Return how many elements of a resource are asked anything."""
    count = 0
    whole = Structure._whole

    def counted(self, *about):
        nonlocal count
        count += 1
        whole(self, *about)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Structure, "_whole", counted)
        validate_resource(resource)
    return count


def observation(**more):
    return {"resourceType": "Observation", "status": "final", "code": CODE, **more}


def test_what_is_alike_is_walked_once_in_one_input_and_in_another():
    assert walked(observation(category=[CODE, CODE])) == 3  # code and coding, category
    assert walked(observation(category=[CODE, CODE], method=CODE)) == 1  # method
    assert walked(observation(category=[CODE, CODE], method=CODE)) == 0


def test_what_is_wrong_is_told_each_time():
    wrong = observation(valueQuantity={"value": 1, "unit": 5})
    assert rules(wrong) == rules(wrong) == ["type-string"]
    assert walked(wrong) == 1


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ({"value": 1}, {"value": "1"}),
        ({"value": 1, "unit": "g"}, {"value": True, "unit": "g"}),
        ({"code": "g", "system": "urn:x"}, {"code": "g"}),
    ],
)
def test_what_is_nearly_alike_is_asked(right, wrong):
    assert rules(observation(valueQuantity=right)) == []
    assert rules(observation(valueQuantity=wrong)) != []


def test_what_is_alike_of_another_element_is_asked():
    age = {"resourceType": "Condition", "subject": {"display": "x"}}
    assert rules(age | {"onsetRange": {"low": {"value": 1}}}) == []
    assert rules(age | {"onsetAge": {"value": 1}}) == ["age-1"]
    assert rules(observation(valueQuantity={"value": 1})) == []


def test_an_extension_is_asked_where_it_stands():
    patient = {"resourceType": "Patient", "extension": [GENDER]}
    assert rules(patient) == rules(patient) == []
    named = {"resourceType": "Patient", "name": [{"text": "x", "extension": [GENDER]}]}
    assert rules(named) == rules(named) == ["extension-context"]
    held = {"resourceType": "Patient", "contact": [{"name": {"text": "x", "extension": [GENDER]}}]}
    assert rules(held) == ["extension-context"]


def test_an_extension_that_nobody_knows_is_told_each_time():
    patient = {"resourceType": "Patient", "name": [{"text": "x", "extension": [UNKNOWN]}]}
    assert rules(patient) == rules(patient) == ["extension-unknown"]


def test_an_extension_of_a_package_is_asked_its_profile_each_time():
    long = {"url": f"{BASE}long", "valueString": "too long"}
    resource = {"resourceType": "Patient", "name": [{"text": "x", "extension": [long]}]}
    assert rules(resource) == []
    of_it = ("Extension.value[x]", {"min": 1, "maxLength": 3, "type": [{"code": "string"}]})
    known = profiles(profile("long", of_it, of="Extension"))
    assert rules(resource, known) == rules(resource, known) != []
    assert rules(resource) == []


def test_what_a_reference_names_is_asked_in_each_input():
    inside = {"resourceType": "Patient", "id": "p"}
    author = {"text": "x", "authorReference": {"reference": "#p"}}
    assert rules(observation(note=[author], contained=[inside])) == []
    assert rules(observation(note=[author])) != []


def test_an_id_that_is_there_twice_is_told():
    code = {"id": "c", "text": "x"}
    assert rules(observation(method=code)) == []
    assert rules(observation(method=code, bodySite=code)) == ["element-id"]


def test_what_a_rule_compares_with_the_resource_is_asked():
    element = {"path": "Patient", "min": 0, "max": "*", "base": {"path": "Patient", "min": 0}}
    element["base"]["max"] = "*"
    definition = {
        "resourceType": "StructureDefinition",
        "url": f"{BASE}x",
        "name": "X",
        "status": "draft",
        "kind": "resource",
        "abstract": False,
        "type": "Patient",
        "snapshot": {"element": [element]},
    }
    assert "sdf-8" not in rules(definition)
    assert "sdf-8" in rules(definition | {"type": "Observation"})


def test_so_many_are_kept_and_no_more(monkeypatch):
    monkeypatch.setattr(alike, "MOST", 3)
    for number in range(10):
        validate_resource(observation(method={"text": f"t{number}"}))
        assert len(validate._ALIKE._right) <= 3
    assert all(isinstance(digest, bytes) for _, _, digest in validate._ALIKE._right)


def test_what_is_long_or_large_is_not_kept():
    long = observation(method={"text": "x" * alike.LONGEST})
    assert walked(long) == walked(long) + 2  # its code is known by then


def test_a_long_text_deep_inside_is_written_out_for_none_of_what_holds_it(monkeypatch):
    """Else each of fifty elements that hold it would take as long as the text."""
    written = []
    monkeypatch.setattr(
        alike, "repr", lambda value: written.append(repr(value)) or written[-1], raising=False
    )
    item = {"linkId": "a", "type": "display", "text": "x" * 100_000}
    for number in range(50):
        item = {"linkId": str(number), "type": "group", "item": [item]}
    rules({"resourceType": "Questionnaire", "status": "draft", "item": [item], "code": [CODE]})
    assert 0 < max(map(len, written)) <= 2 * alike.LONGEST


def test_the_same_is_told_of_all_as_of_each_alone(monkeypatch):
    need(source.missing_npm())
    bases = small_examples()
    mutants = [*faulty(bases, 400, seed=21), *by_chance(bases, 400, seed=22)]
    resources = [*(each for _, each in bases), *(each.resource for each in mutants)]
    first = [validate_resource(each) for each in resources]
    again = [validate_resource(each) for each in reversed(resources)][::-1]
    assert again == first
    monkeypatch.setattr(Alike, "key_of", lambda *about: None)
    assert [validate_resource(each) for each in resources] == first
    assert sum(map(len, first)) > len(mutants)


def test_a_code_of_a_value_set_is_asked_once_where_it_stands():
    asked = []
    with pytest.MonkeyPatch.context() as patch:
        tell = Structure._tell

        def noted(self, value, beside, slot, place):
            asked.append(place.expression)
            tell(self, value, beside, slot, place)

        patch.setattr(Structure, "_tell", noted)
        for status in ("amended", "amended", "completed", "completed"):
            asked.append(rules({"resourceType": "Observation", "status": status, "code": CODE}))
        extended = {"id": "a"}
        asked.append(rules(observation(_status=extended)))
    assert asked.count("Observation.status") == 4  # amended once, what is wrong and extended, each
    assert asked.count([]) == 3


def test_a_code_that_is_right_elsewhere_is_asked_here():
    assert (
        rules({"resourceType": "Procedure", "status": "in-progress", "subject": {"display": "x"}})
        == []
    )
    assert rules(observation(status="in-progress")) == ["binding-required"]
    assert rules(observation(status=5)) == ["type-code"]
    assert rules(observation(status=["final"])) == ["json-shape"]
