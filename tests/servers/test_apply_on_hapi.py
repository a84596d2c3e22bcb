"""HAPI's PlanDefinition/$apply keeps the same actions on the same days; every definition is valid.

HAPI is an independent engine on the same package. It marks its requests otherwise (`active`, no
notes, no relations dropped), so actions, days and windows are compared, not whole resources.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ivfhir.activity.due import Due, due_of
from ivfhir.expressions.values import Date
from ivfhir.fhir.contained import collection_bundle
from ivfhir.fhir.types import Resource
from ivfhir.knowledge.load import ClinicalProtocol, load_protocol
from ivfhir.knowledge.package import read_json
from ivfhir.parameters import parse_as_of
from ivfhir.plan import draft_plan
from ivfhir.read import PatientRecord
from tests.cases.case import KNOWLEDGE, load_case
from tests.servers.hapi_client import DEFINITION_TYPES, apply_on_hapi, validate_on_hapi

pytestmark = pytest.mark.server

AS_OF = parse_as_of("2025-03-03", time_zone="UTC", now=datetime(1900, 1, 1, tzinfo=UTC))
START = Date((2025, 3, 17))
CASES = KNOWLEDGE / "lung" / "cases"
DEFINITIONS = sorted(
    path for kind in DEFINITION_TYPES for path in KNOWLEDGE.rglob(f"{kind}-*.json")
)

PLANS: dict[str, tuple[str, dict[str, Any]]] = {
    "four segments": ("in-v01-standard", {}),
    "five segments": ("in-v01-standard", {"segments": 5, "segment_interval_days": 30}),
    "six segments": ("in-v12-six-segments", {"segments": 6, "segment_interval_days": 35}),
    "late partner, early CT, late radiotherapy": (
        "in-v01-standard",
        {"ccs_start_offset_days": 3, "response_offset_days": 21, "radiotherapy_offset_days": 28},
    ),
    "radiotherapy as early as may be": (
        "in-v01-standard",
        {"response_offset_days": 21, "radiotherapy_offset_days": 0},
    ),
    "an override": (
        "out-v03-no-plan",
        {"OverrideReason": "the decision of the board", "OverrideKind": "tumour-board"},
    ),
    "an override of the undecided": (
        "undecided-v02-inr-missing",
        {"OverrideReason": "the decision of the board", "OverrideKind": "tumour-board"},
    ),
}
NO_PLANS: dict[str, tuple[str, dict[str, Any]]] = {
    "ineligible": ("out-v03-no-plan", {}),
    "undecided": ("undecided-v02-inr-missing", {}),
    "a short override": ("out-v03-no-plan", {"OverrideReason": "The board wants it."}),
    "a start too far ahead": ("in-v01-standard", {"Start": {"valueDate": "2025-08-31"}}),
    "a blank override": ("out-v03-no-plan", {"OverrideReason": "  "}),
    "not applicable, override": (
        "out-b0-without-cancer",
        {"OverrideReason": "please, the board asks"},
    ),
    "deceased, override": ("in-deceased-no-plan", {"OverrideReason": "please, the board asks"}),
    "segments out of bounds": ("in-v01-standard", {"segments": 7}),
    "interval out of bounds": ("in-v01-standard", {"segment_interval_days": 27}),
}


@pytest.fixture(scope="module")
def lung() -> ClinicalProtocol:
    return load_protocol("LUNG")


def on_hapi(base: str, case: str, parameters: dict[str, Any]) -> Resource:
    given = {
        "AsOf": {"valueDateTime": str(AS_OF)},
        "Start": {"valueDate": str(START)},
        **parameters,
    }
    return apply_on_hapi(base, "LUNG", load_case(CASES / case).bundle(), given)


def ours(lung: ClinicalProtocol, case: str, parameters: dict[str, Any]) -> Resource:
    patient, *others = (entry["resource"] for entry in load_case(CASES / case).bundle()["entry"])
    typed = {name: value for name, value in parameters.items() if not name.startswith("Override")}
    return draft_plan(
        lung,
        PatientRecord(patient, tuple(others), {}),
        as_of=AS_OF,
        start=START,
        parameters=typed,
        override_reason=parameters.get("OverrideReason"),
        override_kind=parameters.get("OverrideKind"),
    )


def kept(care_plan: Resource) -> dict[str, tuple[str, Due]]:
    """Return action id -> kind of request and when, for every action that has one."""
    contained = {f"#{each['id']}": each for each in care_plan.get("contained", [])}
    groups = [each for each in contained.values() if each["resourceType"] == "RequestGroup"]
    requests = {
        action["id"]: (contained[action["resource"]["reference"]], action)
        for group in groups
        for action in walk(group)
        if "resource" in action
    }
    return {
        each: (request["resourceType"], due_of(request, action))
        for each, (request, action) in requests.items()
    }


def walk(parent: Resource) -> Iterator[Resource]:
    for action in parent.get("action", []):
        yield action
        yield from walk(action)


@pytest.mark.parametrize("name", PLANS)
def test_same_actions_on_the_same_days(hapi_with_knowledge, lung, name):
    case, parameters = PLANS[name]
    theirs = kept(on_hapi(hapi_with_knowledge, case, parameters))
    assert kept(ours(lung, case, parameters)) == theirs
    assert len(theirs) >= 40


def texts(care_plan: Resource) -> dict[str, tuple[str | None, ...]]:
    """Return id -> title and description of each action, and how its request says it is done."""
    contained = {f"#{each['id']}": each for each in care_plan.get("contained", [])}
    [group] = [each for each in contained.values() if each["resourceType"] == "RequestGroup"]
    found = {}
    for action in walk(group):
        request = contained.get(action.get("resource", {}).get("reference", ""), {})
        order = request.get("orderDetail", [{}])[0].get("text")
        dosage = request.get("dosageInstruction", [{}])[0].get("text")
        told = tuple(point["contentString"] for point in request.get("payload", []))
        rounds = next((text for text in told if "rounds" in text), None)
        found[action["id"]] = (action["title"], action["description"], order, dosage, rounds)
    return found


def test_settings_stand_in_the_same_words(hapi_with_knowledge, lung):
    """Every setting off its default: none of the texts may say the default."""
    chosen = {
        **{"segments": 5, "segment_interval_days": 30, "ia_infusion_minutes": 120},
        **{"ccs_start_offset_days": 2, "response_offset_days": 35, "embolic_min_um": 500},
        "radiotherapy_offset_days": 21,
    }
    own = texts(ours(lung, "in-v01-standard", chosen))
    assert texts(on_hapi(hapi_with_knowledge, "in-v01-standard", chosen)) == own
    said = str(own)
    for words in ("5 segments", "of 30 days", "over 120 minutes", "2 days after day 0"):
        assert words in said
    assert own["LUNG-A14"][4].startswith(
        "The treatment can be repeated. The plan is 5 rounds, each beginning 30 days after"
    )
    for words in ("500 micrometres", "35 days after day 0 of the last", "21 days after the end"):
        assert words in said
    for words in ("by default", "28 days", "60 minutes", "300 micrometres", " 14 days after the"):
        assert words not in said


@pytest.mark.parametrize("name", NO_PLANS)
def test_hapi_keeps_nothing_where_we_refuse(hapi_with_knowledge, name):
    case, parameters = NO_PLANS[name]
    assert kept(on_hapi(hapi_with_knowledge, case, parameters)) == {}


@pytest.mark.parametrize("path", DEFINITIONS, ids=lambda path: path.stem)
def test_definition_is_valid(hapi_with_knowledge, path: Path):
    assert validate_on_hapi(hapi_with_knowledge, read_json(path)) == []


@pytest.mark.parametrize("name", PLANS)
def test_plan_and_its_bundle_are_valid(hapi_with_knowledge, lung, name):
    case, parameters = PLANS[name]
    care_plan = ours(lung, case, parameters)
    assert validate_on_hapi(hapi_with_knowledge, care_plan) == []
    assert validate_on_hapi(hapi_with_knowledge, collection_bundle(care_plan)) == []
