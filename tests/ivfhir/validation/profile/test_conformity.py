"""Profiles that lead to one another in circles: the answers do not depend on the order."""

from itertools import permutations

import pytest

from ivfhir.packages import Packages
from ivfhir.validation import validate_resource
from ivfhir.validation.profile.library import Profiles
from tests.ivfhir.validation.profile.making import BASE, found, observation, package, profile

ISSUED = {"issued": "2020-01-01T00:00:00Z"}
MEMBER = {"type": [{"code": "Reference", "targetProfile": [BASE + "P"]}]}
P = profile("P", ("Observation.hasMember", MEMBER), ("Observation.issued", {"min": 1}))
URL = "https://y.example/Observation/"


def bundle(members, wrong, claims, order):
    """Return a Bundle; `members` says whom each names, `wrong` who lacks what P asks for."""
    rows = {}
    for name, named in members.items():
        rows[name] = observation(*("P" if name in claims else ""), id=name)
        rows[name] |= {} if name in wrong else ISSUED
        if named:
            rows[name]["hasMember"] = [{"reference": f"Observation/{each}"} for each in named]
    entries = [{"fullUrl": URL + name, "resource": rows[name]} for name in order]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def wrong_ones(members, wrong, claims, order):
    """Return who is told to name what does not conform."""
    told = found(bundle(members, wrong, claims, order), P)
    numbers = [place.split("[")[1].split("]")[0] for rule, place in told if "target" in rule]
    return {order[int(each)] for each in numbers}


@pytest.mark.parametrize("order", list(permutations("abc")))
@pytest.mark.parametrize("claims", ["abc", "ab", "b"])
def test_what_names_something_wrong_in_a_circle_is_wrong_too(claims, order):
    members = {"a": "bc", "b": "a", "c": ""}
    assert wrong_ones(members, "c", claims, order) == set(claims) - {"c"}


@pytest.mark.parametrize("order", list(permutations("abc")))
def test_a_circle_of_what_is_right_is_right(order):
    assert wrong_ones({"a": "bc", "b": "a", "c": "b"}, "", "abc", order) == set()


def test_how_far_away_it_is_does_not_matter():
    order = "abcdefghijklmnopqrstuvwxyz"
    members = {one: two for one, two in zip(order, [*order[1:], ""], strict=True)}
    assert wrong_ones(members, "z", order, order) == set(order) - {"z"}
    assert wrong_ones(members, "z", order, order[::-1]) == set(order) - {"z"}
    assert wrong_ones(members, "z", "a", order) == {"a"}


def test_a_rule_that_denies_itself_is_not_known():
    rule = {"key": "x-1", "severity": "error", "human": "x"}
    rule["expression"] = f"conformsTo('{BASE}N').not()"
    said = profile("N", ("Observation", {"constraint": [rule]}))
    assert found(observation("N"), said) == []
    assert found(observation("N"), said, severities=("information",)) == [
        ("profile", "Observation")
    ]


def test_what_a_rule_denies_is_known_first():
    rule = {"key": "x-1", "severity": "error", "human": "x"}
    rule["expression"] = f"hasMember.resolve().conformsTo('{BASE}P') = issued.exists()"
    said = profile("N", ("Observation", {"constraint": [rule]}))
    members = {"a": "b", "b": "c", "c": "d", "d": ""}
    whole = bundle(members, "d", "", "dcba")
    whole["entry"][-1]["resource"]["meta"] = {"profile": [BASE + "N"]}
    assert found(whole, P, said) == [("x-1", "Bundle.entry[3].resource")]
    del whole["entry"][-1]["resource"]["issued"]
    assert found(whole, P, said) == []


UNKNOWN = {"binding": {"strength": "required", "valueSet": BASE + "nowhere"}}
WEAK = {"binding": {"strength": "extensible", "valueSet": BASE + "nowhere"}}
UNREAD = {"constraint": [{"key": "y-1", "human": "y", "severity": "error", "xpath": "y"}]}
BROKEN = {"type": [{"code": "CodeableConcept", "profile": [BASE + "nowhere"]}]}
CODED = {"coding": [{"system": "http://x.example/s", "code": "a"}]}


@pytest.mark.parametrize(
    ("said", "is_known"),
    [(UNKNOWN, False), (UNREAD, False), (BROKEN, False), (WEAK, True), ({}, True)],
)
def test_what_could_not_be_checked_is_not_known_to_conform(said, is_known):
    rule = {"key": "x-1", "severity": "error", "human": "x"}
    rule["expression"] = f"hasMember.resolve().conformsTo('{BASE}M')"
    slicing = {"discriminator": [{"type": "profile", "path": "resolve()"}], "rules": "open"}
    types = {"type": [{"code": "Reference", "targetProfile": [BASE + "M"]}], "min": 1}
    inner = profile("M", ("Observation.method", said))
    outer = profile(
        "N",
        ("Observation", {"constraint": [rule]}),
        ("Observation.hasMember", {"slicing": slicing}),
        ("Observation.hasMember:m", types),
    )
    whole = bundle({"a": "b", "b": ""}, "", "", "ab")
    whole["entry"][0]["resource"]["meta"] = {"profile": [BASE + "N"]}
    whole["entry"][1]["resource"]["method"] = CODED
    assert found(whole, outer, inner) == []
    told = found(whole, outer, inner, severities=("information", "warning"))
    place = "Bundle.entry[0].resource"
    assert told == ([] if is_known else [("profile", place), ("profile", place)])


def test_what_rests_on_something_unknown_is_unknown():
    targets = {"type": [{"code": "Reference", "targetProfile": [BASE + "M"]}]}
    inner = profile("M", ("Observation.method", UNKNOWN))
    middle = profile("N", ("Observation.hasMember", targets))
    rule = {"key": "x-1", "severity": "error", "human": "x"}
    rule["expression"] = f"conformsTo('{BASE}N').not()"
    outer = profile("O", ("Observation", {"constraint": [rule]}))
    whole = bundle({"a": "b", "b": ""}, "", "", "ab")
    whole["entry"][0]["resource"]["meta"] = {"profile": [BASE + "O"]}
    assert found(whole, outer, middle, inner) == [("x-1", "Bundle.entry[0].resource")]
    whole["entry"][1]["resource"]["method"] = CODED
    assert found(whole, outer, middle, inner) == []


def test_another_version_of_a_definition_speaks_not_against_it():
    inner = profile("M")
    rule = {"key": "x-1", "severity": "error", "human": "x"}
    rule["expression"] = f"conformsTo('{BASE}M')"
    both = [package(inner, profile("N", ("Observation", {"constraint": [rule]})))]
    both.append(package({**inner, "version": "2.0"}, name="y"))
    assert validate_resource(observation("N"), Profiles(Packages(both))) == []
