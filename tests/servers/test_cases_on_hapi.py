"""The same cases on an independent engine: the CQL means there what it means here.

Cases of a failed search or of a file are left out: what could not be read is known to us alone.
So are those that say why HAPI's parser cannot hold them (`only_here`).
"""

from datetime import UTC, datetime
from typing import Any

import pytest

from ivfhir.parameters import parse_as_of
from tests.cases.answers import Answers, differences
from tests.cases.case import Case, find_cases
from tests.cases.drafted import drafted_actions, plan_differences
from tests.servers.hapi_client import apply_on_hapi, as_list, evaluate_on_hapi

pytestmark = pytest.mark.server

UNSEEN = {"unread", "as_file", "only_here"}
CASES = [case for case in find_cases() if not UNSEEN & set(case.table)]
PLANS = [case for case in CASES if "start" in case.table]
LISTS = {
    "failed": "Failed",
    "unknown": "Unknown",
    "cautions": "Cautions",
    "not_assessable": "NotAssessable",
}
NEVER_ASKED = datetime(1900, 1, 1, tzinfo=UTC)


def by_name(case: Case) -> str:
    return f"{case.protocol}-{case.id}"


@pytest.mark.parametrize("case", CASES, ids=by_name)
def test_hapi_gives_the_answers_of_the_case(case, hapi_with_knowledge):
    name = case.protocol
    values = evaluate_on_hapi(hapi_with_knowledge, name, case.bundle(), parameters_of(case))
    criteria = as_list(values[f"{name}_Criteria"])
    found = Answers(
        truths={criterion["id"]: criterion["truth"] for criterion in criteria},
        status=values[f"{name}_Status"],
        lists={key: as_list(values[f"{name}_{define}"]) for key, define in LISTS.items()},
    )
    lines = differences(case, found)
    assert not lines, "\n".join(lines)
    as_of = {"AsOf": parameters_of(case)["AsOf"]}
    facts = evaluate_on_hapi(
        hapi_with_knowledge, "IOFacts", case.bundle(), as_of, defines=["Deceased"]
    )
    assert facts["Deceased"] is case.table.get("deceased", False)


@pytest.mark.parametrize("case", PLANS, ids=by_name)
def test_hapi_keeps_the_actions_of_the_case_on_the_same_days(case, hapi_with_knowledge):
    care_plan = apply_on_hapi(
        hapi_with_knowledge, case.protocol, case.bundle(), parameters_of(case)
    )
    drafted = drafted_actions(care_plan)
    if "refusal" in case.table:
        assert drafted == {}
    else:
        lines = plan_differences(case, drafted)
        assert not lines, "\n".join(lines)


def parameters_of(case: Case) -> dict[str, Any]:
    time_zone = case.table.get("time_zone", "UTC")
    as_of = parse_as_of(case.table["as_of"], time_zone=time_zone, now=NEVER_ASKED)
    parameters = {"AsOf": {"valueDateTime": str(as_of)}, **case.table.get("parameters", {})}
    if "start" in case.table:
        parameters["Start"] = {"valueDate": str(case.table["start"])}
    if case.table.get("override_reason", "").strip():  # FHIR has no blank string to send
        parameters["OverrideReason"] = case.table["override_reason"]
    return parameters
