"""Every row of the tables of actions, through `apply`: days, windows, counts, kinds, relations."""

import random
from collections.abc import Iterator, Mapping
from copy import deepcopy
from datetime import date
from functools import cache
from typing import Any

import pytest

from ivfhir.expressions.values import Date, DateTime
from ivfhir.knowledge.load import ClinicalProtocol, load_protocol
from ivfhir.plan import draft_plan
from ivfhir.read import PatientRecord
from tests.cases.drafted import drafted_actions
from tests.cases.facts import to_resource
from tests.ivfhir.actions_by_table import Planned, expected, tables

AS_OF = DateTime.parse("2025-03-03T23:59:59.999+00:00")
START = date(2025, 3, 10)
REASON = "The tumour board of today decided so"
CHOICES = {
    "LIVER": ("mode", ("TACE", "HAIC")),
    "LMET": ("mode", ("EMBO", "INFUSION")),
    "REGI": ("site", ("stomach", "pancreas", "duodenum", "limb")),
    "PORT": ("base", ("LIVER", "LMET", "REGI")),
    "STENT": ("", ("",)),
}
DIAGNOSES = (
    "dx-liver-primary", "dx-liver-mets", "dx-stomach", "dx-pancreas", "dx-duodenum", "dx-limb",
    "dx-oesophagus",
)  # fmt: skip
UNBOUNDED = 10_000
TRIALS = 12
"""Plans a choice beside that of the defaults and of the bounds."""


@cache
def protocol(name: str) -> ClinicalProtocol:
    return load_protocol(name)


@cache
def record() -> PatientRecord:
    """Return a patient with every diagnosis; the reason of an override lets each plan be made."""
    resources = [to_resource({"key": key}, patient_id="p", resource_id=key) for key in DIAGNOSES]
    patient = {"resourceType": "Patient", "id": "p", "gender": "male", "birthDate": "1962-05-14"}
    return PatientRecord(patient, tuple(resources), {})


def wishes(name: str) -> Iterator[tuple[str, Mapping[str, int]]]:
    """Yield choice and parameters: the defaults, each bound, and values between."""
    bounds = {
        key: (each.get("min", 1), each["max"])
        for key, each in tables()[name]["parameters"].items()
        if "max" in each
    }
    chance = random.Random(name)
    for choice in CHOICES[name][1]:
        yield choice, {}
        if bounds:
            yield choice, {key: low for key, (low, _) in bounds.items()}
            yield choice, {key: high for key, (_, high) in bounds.items()}
            for _ in range(TRIALS):
                yield choice, {key: chance.randint(*ends) for key, ends in bounds.items()}


def possible(name: str, choice: str, given: Mapping[str, int]) -> bool:
    """Tell whether a plan can be: images of TACE come before the next session (spec-readings)."""
    if (name, choice) != ("LIVER", "TACE"):
        return True
    return given.get("response_offset_days", 28) <= given.get("tace_interval_days", 42)


def plan_of(name: str, choice: str, given: Mapping[str, int]) -> dict[str, Any]:
    chosen = {CHOICES[name][0]: choice} if choice else {}
    return draft_plan(
        protocol(name),
        record(),
        as_of=AS_OF,
        start=Date.of(START),
        parameters={**given, **chosen},
        override_reason=REASON,
        override_kind="tumour-board",
    )


@pytest.mark.parametrize("name", CHOICES)
def test_each_row_is_planned_as_its_table_says(name: str) -> None:
    for choice, given in wishes(name):
        if not possible(name, choice, given):
            continue
        plan = plan_of(name, choice, given)
        wanted = expected(name, START, given, choice)
        found = drafted_actions(plan)
        place = f"{name} {choice} {dict(given)}"
        assert set(found) == set(wanted), place
        for action, each in wanted.items():
            days = tuple(str(day) for day in (each.day, each.earliest, each.latest))
            assert tuple(found[action]) == days, f"{place}: {action}"
        check_relations(plan, wanted, place, by_default=not given)


def check_relations(
    plan: dict[str, Any], wanted: Mapping[str, Planned], place: str, *, by_default: bool
) -> None:
    """Compare kind and relation: the row's relationship, the target, the distance in days.

    The row's distance is that of the planned days; the least one is the one that the windows of
    both actions allow: 28 days where neither begins before, 21 for REGI-A05 (21 to 42 days). So is
    the greatest, where one is said.
    """
    contained = {f"#{each['id']}": each for each in plan["contained"]}
    rows = {row["id"]: row for each in tables().values() for row in each["actions"]}
    for action in walk(plan):
        each = wanted[action["id"]]
        assert contained[action["resource"]["reference"]]["resourceType"] == each.kind
        if each.near is None:
            continue
        relationship, _, distance = rows[each.row]["related"][0]
        relations = [r for r in action.get("relatedAction", []) if r["actionId"] == each.near]
        assert relations, f"{place}: {action['id']} is not related to {each.near}"
        [relation] = relations
        said = relation["relationship"]
        assert said in (relationship, f"{relationship}-end"), f"{place}: {action['id']} {said}"
        apart = abs((each.day - wanted[each.near].day).days)
        low = int(relation["offsetRange"].get("low", {"value": 0})["value"])
        high = int(relation["offsetRange"].get("high", {"value": UNBOUNDED})["value"])
        assert low <= apart <= high, f"{place}: {action['id']} {apart} d, not {low} to {high}"
        least, most = distances(each, wanted[each.near], relationship)
        assert low == least, f"{place}: {action['id']} at least {low} d, not {least}"
        assert high in (most, UNBOUNDED), f"{place}: {action['id']} at most {high} d, not {most}"
        if distance is not None and not each.again:
            assert low <= distance <= high, f"{place}: {action['id']} is not {distance} d"
            assert not by_default or apart == distance, f"{place}: {action['id']} {apart} d"


def distances(own: Planned, near: Planned, relationship: str) -> tuple[int, int]:
    """Return the fewest and the most days between two actions, in the order of their relation."""
    before, after = (own, near) if relationship.startswith("before") else (near, own)
    least = max(0, (after.earliest - before.latest).days) if own.least is None else own.least
    return least, (after.latest - before.earliest).days


@pytest.mark.parametrize("name", CHOICES)
def test_one_relation_with_another_distance_is_found(name: str) -> None:
    for choice in CHOICES[name][1]:
        # What is drafted holds elements of the protocol itself, which is that of other tests, too.
        plan, wanted = deepcopy(plan_of(name, choice, {})), expected(name, START, {}, choice)
        for action in walk(plan):
            for relation in action.get("relatedAction", []):
                if relation["actionId"] != wanted[action["id"]].near:
                    continue
                kept = relation["offsetRange"]
                for other in other_distances(kept):
                    relation["offsetRange"] = other
                    with pytest.raises(AssertionError, match=rf": {action['id']} "):
                        check_relations(plan, wanted, name, by_default=True)
                relation["offsetRange"] = kept
        check_relations(plan, wanted, name, by_default=True)


def other_distances(kept: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a distance with each of its ends a day nearer or farther, and without its least."""
    days = {end: int(each["value"]) for end, each in kept.items()}
    for end, number in days.items():
        yield {**kept, end: {"value": number + 1}}
        if number:
            yield {**kept, end: {"value": number - 1}}
    if days["low"]:
        yield {end: each for end, each in kept.items() if end != "low"}


def test_an_image_of_liver_says_when_its_own_action_is_kept() -> None:
    """LIVER-A06: TACE after every session; HAIC after sessions 2, 4 and last."""
    said = {
        action["id"].removeprefix("LIVER-A06."): condition["expression"]["description"]
        for action in actions_of(protocol("LIVER").plan_definition)
        for condition in action.get("condition", [])
        if action["id"].startswith("LIVER-A06.")
    }
    image = "In mode TACE after every session; in mode HAIC after the last only."
    assert said == {
        **{str(session): image for session in range(1, 7)},
        "2.haic": "In mode HAIC only, and only with a third session, 7 days before it.",
        "4.haic": "In mode HAIC only, and only with a fifth session, 7 days before it.",
    }


def actions_of(parent: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for action in parent.get("action", []):
        yield action
        yield from actions_of(action)


def walk(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    [group] = [each for each in plan["contained"] if each["resourceType"] == "RequestGroup"]
    waiting = list(group["action"])
    while waiting:
        action = waiting.pop()
        waiting += action.get("action", [])
        if "resource" in action:
            yield action


def test_every_row_of_every_table_is_met() -> None:
    met = {
        each.row
        for name in CHOICES
        for choice, given in wishes(name)
        for each in expected(name, START, given, choice).values()
    }
    assert met == {row["id"] for each in tables().values() for row in each["actions"]}


@pytest.mark.parametrize(
    ("name", "goals", "told"),
    [
        ("LIVER", 4, ("315", "23.1", "16.1", "randomised")),
        ("LMET", 3, ("463", "14.7 %", "36.3 %", "single-centre")),
        ("REGI", 3, ("298", "627", "very low", "low to moderate")),
        ("PORT", 3, ("205", "97.5", "89.9", "70.5", "4.0 %", "3.5 %", "0.5 %")),
        ("STENT", 4, ("strong", "high quality", "low quality")),
    ],
)
def test_goals_and_the_label_of_evidence_are_the_specification_s(
    name: str, goals: int, told: tuple[str, ...]
) -> None:
    plan = plan_of(name, CHOICES[name][1][0], {})
    assert sum(each["resourceType"] == "Goal" for each in plan["contained"]) == goals
    texts = [each["display"] for each in protocol(name).plan_definition["relatedArtifact"]
             if "display" in each]  # fmt: skip
    label = f"{protocol(name).plan_definition.get('usage', '')} {' '.join(texts)}"
    assert [each for each in told if each not in label] == []
