"""Every case under plan_definitions/*/cases: what ivfhir answers is what was worked out by hand.

A folder with a case.toml is a test. plan_definitions/lung/cases/README.md tells its form.
"""

import json
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache

import pytest

from ivfhir import errors
from ivfhir.cli.main import main
from ivfhir.evaluate import Evaluation, evaluate_protocol
from ivfhir.expressions.values import Date, DateTime
from ivfhir.fhir.json import dumps
from ivfhir.knowledge.load import load_protocol
from ivfhir.parameters import parse_as_of
from ivfhir.plan import draft_plan
from ivfhir.read import PatientRecord
from tests.cases.answers import (
    PREFIX_OF_STATUS,
    Answers,
    by_rule_e02,
    differences,
    expected,
    missing_grounds,
)
from tests.cases.case import Case, find_cases
from tests.cases.drafted import drafted_actions, plan_differences

CASES = find_cases()
RECORDS = [case for case in CASES if "as_file" not in case.table]
FILES = [case for case in CASES if "as_file" in case.table]
DEATHS = [case for case in CASES if "deceased" in case.table]
PLANS = [case for case in CASES if "start" in case.table]
NEVER_ASKED = datetime(1900, 1, 1, tzinfo=UTC)
protocol_of = cache(load_protocol)


def by_name(case: Case) -> str:
    return f"{case.protocol}-{case.id}"


@pytest.mark.parametrize("case", CASES, ids=by_name)
def test_a_case_agrees_with_itself(case):
    by_rule, wanted = by_rule_e02(case.truths), expected(case)
    assert wanted == by_rule
    assert case.id.startswith(PREFIX_OF_STATUS[wanted.status])
    assert case.table["description"]
    assert case.table["spec"]


@pytest.mark.parametrize("protocol", sorted({case.protocol for case in CASES}))
def test_every_criterion_is_seen_true_false_and_unknown(protocol):
    seen = {
        (name, t) for case in CASES if case.protocol == protocol for name, t in under_test(case)
    }
    names = next(case for case in CASES if case.protocol == protocol).truths
    assert {(name, truth) for name in names for truth in (True, False, None)} - seen == set()


@pytest.mark.parametrize("case", RECORDS, ids=by_name)
def test_the_answers_are_those_of_the_case(case):
    assert_answers(case, evaluation_of(case).decision.to_json())


@pytest.mark.parametrize("case", FILES, ids=by_name)
def test_a_file_of_one_patient_is_answered_as_the_case_says(case, tmp_path, capsys):
    file = tmp_path / "patient.json"
    file.write_text(dumps(case.bundle()), encoding="utf-8")
    asked = ["--patient", str(file), "--as-of", str(as_of_of(case)), "--protocol", case.protocol]
    assert main(["evaluate", *asked]) == 0
    answer = json.loads(capsys.readouterr().out, parse_float=Decimal)
    [decision] = answer["protocols"]
    assert_answers(case, decision)


def assert_answers(case: Case, decision: dict) -> None:
    criteria = {criterion["id"]: criterion for criterion in decision["criteria"]}
    truths = {name: criterion["truth"] for name, criterion in criteria.items()}
    lists = {name: decision[name] for name in ("failed", "unknown", "cautions")}
    lists["not_assessable"] = decision["notAssessable"]
    found = Answers(truths, decision["status"], lists)
    lines = differences(case, found) + missing_grounds(case, criteria)
    assert not lines, "\n".join(lines)


@pytest.mark.parametrize("case", DEATHS, ids=by_name)
def test_a_death_is_shown_as_the_case_says(case):
    patient = evaluation_of(case).patient.to_json()
    assert patient["deceased"] is case.table["deceased"]
    if "deceased_date" in case.table:
        assert patient.get("deceasedDate", "") == case.table["deceased_date"]


@pytest.mark.parametrize("case", PLANS, ids=by_name)
def test_the_plan_is_that_of_the_case(case):
    if "refusal" in case.table:
        with pytest.raises(getattr(errors, case.table["refusal"])):
            care_plan_of(case)
        return
    lines = plan_differences(case, drafted_actions(care_plan_of(case)))
    assert not lines, "\n".join(lines)


def under_test(case: Case) -> list[tuple[str, bool | None]]:
    return [(name, case.truths[name]) for name in case.table["truth"]]


def evaluation_of(case: Case) -> Evaluation:
    return evaluate_protocol(
        protocol_of(case.protocol),
        record_of(case),
        as_of=as_of_of(case),
        parameters=case.table.get("parameters", {}),
    )


def care_plan_of(case: Case) -> dict:
    return draft_plan(
        protocol_of(case.protocol),
        record_of(case),
        as_of=as_of_of(case),
        start=Date.of(case.table["start"]),
        parameters=case.table.get("parameters", {}),
        override_reason=case.table.get("override_reason"),
    )


def record_of(case: Case) -> PatientRecord:
    resources = [entry["resource"] for entry in case.bundle()["entry"]]
    [patient] = [each for each in resources if each["resourceType"] == "Patient"]
    others = tuple(each for each in resources if each is not patient)
    return PatientRecord(patient, others, case.table.get("unread", {}))


def as_of_of(case: Case) -> DateTime:
    time_zone = case.table.get("time_zone", "UTC")
    return parse_as_of(case.table["as_of"], time_zone=time_zone, now=NEVER_ASKED)
