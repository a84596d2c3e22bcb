"""Entries that differ in names and dates alone are walked once, and only where that is all."""

import json
from collections import Counter

import pytest

from benchmarks.validators.__main__ import small_examples
from benchmarks.validators.mutants import by_chance, faulty
from ivfhir.fhir.json import Written, dumps, loads
from ivfhir.validation import validate, validate_resource
from ivfhir.validation.alike import Alike
from ivfhir.validation.structure import Structure
from tests.ivfhir.validation.profile.making import BASE, profile, profiles
from tests.servers.needs import need
from tools.r4 import source

UUIDS = (
    "urn:uuid:0dfd6d1a-9f4c-4d0e-8a51-3a3f7e1d2b01",
    "urn:uuid:7c1f1f5e-5b5a-4f5e-9c55-1f2e3d4c5b6a",
)
DIGEST = "c0ffee" + "0" * 58


@pytest.fixture(autouse=True)
def anew(monkeypatch):
    """Know of nothing that is right."""
    monkeypatch.setattr(validate, "_ALIKE", Alike())


@pytest.fixture(params=[dict, Written], ids=["parsed", "written"])
def form(request):
    return request.param


def bundle(*resources):
    entries = [
        {"fullUrl": url, "resource": each} for url, each in zip(UUIDS, resources, strict=False)
    ]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def request(patient="Patient/p1", value="plan-1.a", day="2025-03-03", digest=DIGEST, **more):
    return {
        "resourceType": "ServiceRequest",
        "meta": {"tag": [{"system": "https://x.example/content", "code": digest}]},
        "identifier": [{"system": "https://x.example/plan", "value": value}],
        "status": "draft",
        "intent": "proposal",
        "code": {"text": "Angiography"},
        "subject": {"reference": patient},
        "authoredOn": f"{day}T23:59:59.999+00:00",
        "occurrencePeriod": {"start": day, "end": "2025-03-09"},
        **more,
    }


def rules(*resources):
    return sorted({each.rule for each in validate_resource(bundle(*resources))} - {"dom-6"})


def walked(*resources, of="ServiceRequest"):
    """Return of how many resources of a type the members are walked."""
    seen = []
    walk = Structure._object

    def noted(self, raw, shape, place):
        seen.append(shape.name)
        walk(self, raw, shape, place)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Structure, "_object", noted)
        validate_resource(bundle(*resources))
    return Counter(seen)[of]


def test_what_differs_in_names_and_dates_is_walked_once(form):
    assert walked(form(request()), form(request("Patient/p2", "plan-2.b"))) == 1
    assert walked(form(request(day="2025-03-04", digest="beef" + "1" * 60))) == 0
    assert walked(form(request("https://x.example/fhir/Patient/7", "9"))) == 0


@pytest.mark.parametrize(
    "other",
    [
        request("Group/g1"),
        request("#p"),
        request(day="2025-03-09"),
        request(day="2025-03-10"),
        request(authoredOn="2025-03-03T23:59:59Z"),
        request(authoredOn="2025-03-03"),
        request(requester={"reference": "Patient/p1"}),
        request(digest="a code"),
        request(identifier=[{"system": "urn:ietf:rfc:3986", "value": "plan-1.a"}]),
        request(identifier=[{"system": "https://x.example/plan", "value": "plan 1"}]),
        request(code={"text": "Angiographie"}),
        request(doNotPerform=True),
    ],
)
def test_what_differs_otherwise_is_walked(form, other):
    validate_resource(bundle(form(request())))
    assert walked(form(other)) == 1


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        (request(day="2025-03-10"), "per-1"),
        (request(day="2025-02-30"), "type-dateTime"),
        (request("Condition/c1"), "reference-target"),
        (request("Patient/p 1"), "reference-form"),
        (request("Patients/p1"), "reference-form"),
        (request("#p1"), "ref-1"),
        (request("urn:uuid:2b6d7e5a-2a0f-4a3d-8a51-3a3f7e1d2b01"), "reference-unresolved"),
        (request(value=""), "type-string"),
        (request(value=0), "type-string"),
        (request(value=" "), "type-string"),
        (request(digest=0), "type-code"),
        (request(occurrencePeriod={"start": 0, "end": "2025-03-09"}), "type-dateTime"),
        (request(" "), "type-string"),
        (request(""), "type-string"),
        (request(doNotPerform="true"), "type-boolean"),
    ],
)
def test_what_is_nearly_alike_is_asked(form, wrong, rule):
    assert rules(form(request())) == rules(form(request())) == []
    assert rules(form(wrong)) == rules(form(wrong)) == [rule]
    assert rules(form(request())) == []


def test_what_a_name_of_the_bundle_names_is_asked_each_time(form):
    """The same words name a patient in one Bundle and a device's metric in another."""
    asked = form(request(UUIDS[1]))
    assert rules(asked, {"resourceType": "Patient"}) == []
    metric = {
        "resourceType": "DeviceMetric",
        "type": {"text": "x"},
        "category": "setting",
    }
    assert rules(asked, metric) == ["reference-target"]
    assert rules(asked) == ["reference-unresolved"]


@pytest.mark.parametrize("wrong", [" ", "", "https://x.example/a b"])
def test_a_reference_of_no_known_type_is_asked(form, wrong):
    assert rules(form(request("https://x.example/records?of=1"))) == []
    assert rules(form(request(wrong))) != []


def test_two_of_one_name_are_not_two_names(form):
    """What is equal in one must be equal in the other, for rules that compare."""
    one = request(basedOn=[{"reference": "CarePlan/a"}, {"reference": "CarePlan/a"}])
    two = request(basedOn=[{"reference": "CarePlan/a"}, {"reference": "CarePlan/b"}])
    assert walked(form(one)) == walked(form(two)) == 1


def test_a_reference_in_a_text_is_no_reference(form):
    said = [request(note=[{"text": f'"reference": "Patient/{each}"'}]) for each in (1, 2)]
    assert [walked(form(each)) for each in said] == [1, 1]


def test_a_number_is_no_text_that_says_it(form):
    quantity = {"value": loads("1.50", place="here"), "unit": "d"}
    assert rules(form(request(quantityQuantity=quantity))) == []
    said = quantity | {"value": str(quantity["value"])}
    assert rules(form(request(quantityQuantity=said))) == ["type-decimal"]
    said = quantity | {"value": repr(quantity["value"])}
    assert rules(form(request(quantityQuantity=said))) == ["type-decimal"]


def test_what_contains_others_or_whose_rules_follow_references_is_walked():
    inside = request(contained=[{"resourceType": "Patient", "id": "p1"}])
    assert walked(inside) == walked(inside) == 1
    team = {"resourceType": "CareTeam", "participant": [{"member": {"reference": UUIDS[1]}}]}
    team["participant"][0]["onBehalfOf"] = {"reference": "Organization/o"}
    for _ in range(2):
        assert walked(team, {"resourceType": "Practitioner"}, of="CareTeam") == 1


def test_a_profile_that_is_claimed_or_asked_for_is_asked_each_time(form):
    claimed = form(request(meta={"profile": ["https://x.example/StructureDefinition/none"]}))
    assert rules(claimed) == rules(claimed) == ["profile"]
    noted = profile("noted", ("ServiceRequest.note", {"min": 1}), of="ServiceRequest")
    both = bundle(form(request()), form(request("Patient/p2", "plan-2.b")))
    by_claim = bundle(*(form(request(meta={"profile": [f"{BASE}noted"]})) for _ in range(2)))
    for whole, asked in ((both, [f"{BASE}noted"]), (by_claim, [])):
        found = validate_resource(whole, profiles(noted), asked)
        wrong = {each.pointer[:3] for each in found if each.severity == "error"}
        assert wrong == {("entry", 0, "resource"), ("entry", 1, "resource")}


def test_the_same_is_told_of_entries_as_of_each_alone(monkeypatch, form):
    """Mutants of R4's examples, after what they were made of, and with dates and names moved."""
    need(source.missing_npm())
    bases = small_examples()
    mutants = [*faulty(bases, 300, seed=23), *by_chance(bases, 300, seed=24)]
    known = dict(bases)
    pairs = [
        bundle(form(known[each.name]), form(each.resource))
        for each in mutants
        if isinstance(each.resource, dict)
    ]
    pairs += [_moved(each, form) for each in pairs]
    first = [validate_resource(each) for each in pairs]
    again = [validate_resource(each) for each in reversed(pairs)][::-1]
    assert again == first
    monkeypatch.setattr(validate, "key_of_entry", lambda *about, **more: None)
    monkeypatch.setattr(validate, "_ALIKE", Alike())
    assert [validate_resource(each) for each in pairs] == first
    assert sum(map(len, first)) > len(mutants)


def _moved(pair, form):
    """Return a Bundle with other years, ids in references and identifiers."""
    text = dumps(pair)
    for old, new in ((': "20', ': "19'), ("/example", "/other"), ('"value": "1', '"value": "8')):
        text = text.replace(old, new)
    moved = loads(text, place="here")
    return bundle(*(form(each["resource"]) for each in moved["entry"]))


def test_the_key_holds_nothing_of_a_record():
    validate_resource(bundle(request("Patient/kowalski", "kowalski-1")))
    assert "kowalski" not in json.dumps(validate._ALIKE._right, default=repr)
    assert len(validate._ALIKE._right) > 0
