"""The same cases on an independent engine: the CQL means there what it means here.

Cases of a failed search are left out: that a type could not be read is known to us alone.
"""

from datetime import UTC, datetime
from typing import Any

import pytest

from ivfhir.parameters import parse_as_of
from tests.cases.answers import Answers, differences
from tests.cases.case import Case, find_cases
from tests.servers.hapi_client import as_list, evaluate_on_hapi

pytestmark = pytest.mark.server

CASES = [case for case in find_cases() if "unread" not in case.table]
NEVER_ASKED = datetime(1900, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.protocol}-{case.id}")
def test_hapi_gives_the_answers_of_the_case(case, hapi_with_knowledge):
    values = evaluate_on_hapi(
        hapi_with_knowledge, case.protocol, case.bundle(), parameters_of(case)
    )
    criteria = as_list(values[f"{case.protocol}_Criteria"])
    lists = {
        "failed": "Failed",
        "unknown": "Unknown",
        "cautions": "Cautions",
        "not_assessable": "NotAssessable",
    }
    found = Answers(
        truths={criterion["id"]: criterion["truth"] for criterion in criteria},
        status=values[f"{case.protocol}_Status"],
        lists={
            name: as_list(values[f"{case.protocol}_{define}"]) for name, define in lists.items()
        },
    )
    assert differences(case, found) == []


def parameters_of(case: Case) -> dict[str, Any]:
    time_zone = case.table.get("time_zone", "UTC")
    as_of = parse_as_of(case.table["as_of"], time_zone=time_zone, now=NEVER_ASKED)
    parameters = {"AsOf": {"valueDateTime": str(as_of)}, **case.table.get("parameters", {})}
    if "start" in case.table:
        parameters["Start"] = {"valueDate": str(case.table["start"])}
    if "override_reason" in case.table:
        parameters["OverrideReason"] = case.table["override_reason"]
    return parameters
