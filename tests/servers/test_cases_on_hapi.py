"""The same cases on an independent engine: the CQL means there what it means here.

A case of shared criteria is asked of the shared library, one of a protocol's own of the protocol.
Cases of a failed search or of a file are left out: what could not be read is known to us alone.
So are those that say why HAPI's parser cannot hold them (`only_here`).
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest

from ivfhir.fhir.json import dumps, loads
from ivfhir.knowledge.criteria import ROW
from ivfhir.parameters import parse_as_of
from ivfhir.plan import only_fitting
from tests.cases.answers import (
    Answers,
    differences,
    modes_of,
    other_differences,
    truth_differences,
    truths_of,
)
from tests.cases.case import Case, find_cases
from tests.cases.drafted import drafted_actions, plan_differences
from tests.servers.hapi_client import apply_on_hapi, as_list, evaluate_on_hapi
from tests.test_cases import evaluation_of

pytestmark = pytest.mark.server

UNSEEN = {"unread", "as_file", "only_here"}
CASES = [case for case in find_cases() if not UNSEEN & set(case.table)]
SHARED = [case for case in CASES if case.is_shared]
OWN = [case for case in CASES if not case.is_shared]
PLANS = [case for case in CASES if "start" in case.table]
ROUTES = [case for case in CASES if "route" in case.table]
LISTS = {
    "failed": "Failed",
    "unknown": "Unknown",
    "cautions": "Cautions",
    "not_assessable": "NotAssessable",
}
NEVER_ASKED = datetime(1900, 1, 1, tzinfo=UTC)


def by_name(case: Case) -> str:
    return f"{case.protocol}-{case.id}"


@pytest.mark.parametrize("case", SHARED, ids=by_name)
def test_hapi_finds_the_shared_criteria_of_the_case(case, hapi_with_knowledge):
    rows = [name.replace("-", "_") + ROW for name in case.truths]
    values = evaluate_on_hapi(
        hapi_with_knowledge, "IOCommon", case.bundle(), as_of_of(case), defines=rows
    )
    lines = truth_differences(case.truths, truths_of(values[name] for name in rows))
    lines += other_differences(case, other_statuses_on(hapi_with_knowledge, case))
    assert not lines, "\n".join(lines)
    assert deceased_on(hapi_with_knowledge, case) is case.table.get("deceased", False)


@pytest.mark.parametrize("case", OWN, ids=by_name)
def test_hapi_gives_the_answers_of_the_case(case, hapi_with_knowledge):
    name = case.protocol
    values = evaluate_on_hapi(hapi_with_knowledge, name, case.bundle(), parameters_of(case))
    truths = truths_of(as_list(values[f"{name}_Criteria"]))
    found = Answers(
        truths=truths,
        status=values[f"{name}_Status"],
        lists={key: as_list(values[f"{name}_{define}"]) for key, define in LISTS.items()},
        modes=modes_of(truths, map(of_lists, as_list(values.get(f"{name}_Modes")))),
    )
    lines = differences(case, found)
    lines += other_differences(case, other_statuses_on(hapi_with_knowledge, case))
    assert not lines, "\n".join(lines)
    assert deceased_on(hapi_with_knowledge, case) is case.table.get("deceased", False)


@pytest.mark.parametrize("case", PLANS, ids=by_name)
def test_hapi_keeps_the_actions_of_the_case_on_the_same_days(case, hapi_with_knowledge):
    parameters = parameters_of(case) | only_option_of(case)
    care_plan = apply_on_hapi(hapi_with_knowledge, case.protocol, case.bundle(), parameters)
    drafted = drafted_actions(care_plan)
    if "refusal" in case.table:
        assert drafted == {}
    else:
        lines = plan_differences(case, drafted)
        assert not lines, "\n".join(lines)


@pytest.mark.parametrize("case", ROUTES, ids=by_name)
def test_hapi_gives_the_route_of_the_case(case, hapi_with_knowledge):
    found = evaluate_on_hapi(
        hapi_with_knowledge, "ROUTE", case.bundle(), as_of_of(case), defines=["ROUTE_Route"]
    )
    assert found["ROUTE_Route"] == case.table["route"]


def deceased_on(hapi: str, case: Case) -> Any:
    """Return whether HAPI takes the patient for dead, which stands in the Patient alone."""
    [patient] = [
        {**each["resource"], "id": "p"}
        for each in case.bundle()["entry"]
        if each["resource"]["resourceType"] == "Patient"
    ]
    for name in ("name", "identifier"):
        patient.pop(name, None)
    return deceased_of(hapi, dumps(patient), as_of_of(case)["AsOf"]["valueDateTime"])


@cache
def deceased_of(hapi: str, patient: str, as_of: str) -> Any:
    bundle = {"resourceType": "Bundle", "entry": [{"resource": loads(patient, place="a case")}]}
    parameters = {"AsOf": {"valueDateTime": as_of}}
    return evaluate_on_hapi(hapi, "IOFacts", bundle, parameters, defines=["Deceased"])["Deceased"]


def other_statuses_on(hapi: str, case: Case) -> dict[str, Any]:
    return {
        name: evaluate_on_hapi(
            hapi, name, case.bundle(), as_of_of(case), defines=[f"{name}_Status"]
        )[f"{name}_Status"]
        for name in case.others
    }


def of_lists(mode: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mode with lists where HAPI shows a list of one as its element."""
    return {**mode, "failed": as_list(mode["failed"]), "unknown": as_list(mode["unknown"])}


def as_of_of(case: Case) -> dict[str, Any]:
    time_zone = case.table.get("time_zone", "UTC")
    as_of = parse_as_of(case.table["as_of"], time_zone=time_zone, now=NEVER_ASKED)
    return {"AsOf": {"valueDateTime": str(as_of)}}


def only_option_of(case: Case) -> dict[str, str]:
    """Return what our stage `plan` chooses where one mode, site or base alone fits.

    In any engine a choice that was not made is a problem of the parameters.
    """
    given = case.table.get("parameters", {})
    return only_fitting(evaluation_of(case), given)


def parameters_of(case: Case) -> dict[str, Any]:
    parameters = {**as_of_of(case), **case.table.get("parameters", {})}
    if "start" in case.table:
        parameters["Start"] = {"valueDate": str(case.table["start"])}
    if case.table.get("override_reason", "").strip():  # FHIR has no blank string to send
        parameters["OverrideReason"] = case.table["override_reason"]
    return parameters
