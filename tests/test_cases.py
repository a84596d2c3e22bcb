"""Every case under plan_definitions/*/cases: what ivfhir answers is what was worked out by hand.

A folder with a case.toml is a test. plan_definitions/shared/cases/README.md tells its form.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from ivfhir import errors
from ivfhir.cli.main import main
from ivfhir.evaluate import Evaluation, evaluate, evaluate_protocol
from ivfhir.expressions.elm import ElmLibrary
from ivfhir.expressions.values import Date, DateTime
from ivfhir.fhir.json import dumps
from ivfhir.knowledge.criteria import ROW
from ivfhir.knowledge.load import load_protocol, load_protocols
from ivfhir.parameters import parse_as_of
from ivfhir.plan import draft_plan
from ivfhir.read import PatientRecord, read_record
from ivfhir.servers.memory import MemoryRepository
from tests.cases.answers import (
    PREFIX_OF_STATUS,
    Row,
    answers_of,
    by_rule_e02,
    differences,
    expected,
    missing_grounds,
    other_differences,
    rows_of,
    truth_differences,
    truths_of,
)
from tests.cases.case import PLANNED, Case, Truth, Truths, find_cases
from tests.cases.drafted import drafted_actions, plan_differences

CASES = find_cases()
FOLDERS = sorted({case.protocol for case in CASES})
RECORDS = [case for case in CASES if "as_file" not in case.table]
FILES = [case for case in CASES if "as_file" in case.table]
UNDECIDED = [case for case in RECORDS if case.is_shared and case.id.startswith("undecided-")]
DEATHS = [case for case in CASES if "deceased" in case.table]
PLANS = [case for case in CASES if "start" in case.table]
ROUTES = [case for case in CASES if "route" in case.table and "ROUTE" not in PLANNED]
COMMON = "IOCommon"
NEVER: set[tuple[Row, Truth]] = {(("LMET-I02", None), False)}
"""What the specification lets no record show: that no primary is recorded is UNKNOWN."""
NEVER_ASKED = datetime(1900, 1, 1, tzinfo=UTC)
protocol_of = cache(load_protocol)
protocols = cache(load_protocols)


def by_name(case: Case) -> str:
    return f"{case.protocol}-{case.id}"


@pytest.mark.parametrize("case", CASES, ids=by_name)
def test_a_case_agrees_with_itself(case):
    for asked in case.asked:
        assert expected(asked) == by_rule_e02(asked.truths, anchor=asked.anchor, modes=asked.modes)
    assert case.id.startswith(PREFIX_OF_STATUS[case.asked[0].table["status"]])
    assert case.table["description"]
    assert case.table["spec"]


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_criterion_is_seen_true_false_and_unknown(folder):
    cases = [case for case in CASES if case.protocol == folder]
    seen = {row for case in cases for row in under_test(case)}
    wanted = {
        (row, truth)
        for case in cases
        for row in rows_of(case.truths)
        if case.is_shared or row[0].startswith(f"{folder}-")
        for truth in (True, False, None)
    }
    assert wanted - seen == NEVER & wanted


@pytest.mark.parametrize("case", RECORDS, ids=by_name)
def test_the_answers_are_those_of_the_case(case):
    lines = []
    for asked in case.asked:
        evaluation = evaluation_of(asked)
        lines += unlike(asked, evaluation.decision.to_json())
        if case.is_shared:
            lines += truth_differences(case.truths, shared_truths(evaluation))
    if case.others:
        others = [protocols()[name] for name in case.others]
        beside = evaluate(record_of(case), others, as_of=as_of_of(case))
        lines += other_differences(case, {each.id: each.status for each in beside.answered})
    assert not lines, "\n".join(lines)


@pytest.mark.parametrize("case", UNDECIDED, ids=by_name)
def test_an_open_case_stays_open_where_no_entry_has_an_id(case):
    record = record_of(case)
    nameless = [{k: v for k, v in each.items() if k != "id"} for each in record.resources]

    class Careless(MemoryRepository):
        def search(self, resource_type, params):
            return [each for each in nameless if each["resourceType"] == resource_type]

    types = {each["resourceType"] for each in nameless}
    read = read_record(Careless([record.patient]), record.patient["id"], types)
    evaluation = evaluation_of(case.asked[0], replace(read, unread=record.unread))
    assert not truth_differences(case.truths, shared_truths(evaluation))


@pytest.mark.parametrize("case", FILES, ids=by_name)
def test_a_file_of_one_patient_is_answered_as_the_case_says(case, tmp_path, capsys):
    names = [*(asked.protocol for asked in case.asked), *case.others]
    decisions = answered_file(case, names, tmp_path, capsys)["protocols"]
    lines = other_differences(case, {each["id"]: each.get("status") for each in decisions})
    for asked, decision in zip(case.asked, decisions, strict=False):
        lines += unlike(asked, decision)
    assert not lines, "\n".join(lines)


def test_the_route_is_that_of_each_case_that_tells_one(tmp_path, capsys):
    found = {by_name(case): answered_file(case, [], tmp_path, capsys)["route"] for case in ROUTES}
    assert found == {by_name(case): case.table["route"] for case in ROUTES}


@pytest.mark.parametrize("case", DEATHS, ids=by_name)
def test_a_death_is_shown_as_the_case_says(case):
    patient = evaluation_of(case.asked[0]).patient.to_json()
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


def unlike(asked: Case, decision: Mapping[str, Any]) -> list[str]:
    """Return a line for all in which a protocol's JSON is not what the case says of it."""
    lines = differences(asked, answers_of(decision)) + missing_grounds(asked, decision["criteria"])
    return [f"{asked.protocol}: {line}" for line in lines]


def shared_truths(evaluation: Evaluation) -> Truths:
    """Return the truths of all rows of the shared library, in the session of a protocol."""
    program = evaluation.protocol.library.program
    [key] = {key for key, _ in program.defines if key[0] == COMMON}
    rows = [name for name in ElmLibrary(program, key).defines if name.endswith(ROW)]
    return truths_of(evaluation.session.value(name, key) for name in rows)


def under_test(case: Case) -> Iterator[tuple[Row, Truth]]:
    """Yield each row of a criterion that a case names, with its truth."""
    for (name, mode), truth in rows_of(case.truths).items():
        told = case.table["truth"].get(name, {})
        if not isinstance(told, Mapping) or mode in told:
            yield (name, mode), truth


def answered_file(case: Case, names: Sequence[str], tmp_path, capsys) -> Any:
    """Return what `ivfhir evaluate` prints of the patient as a file; no names ask all protocols."""
    file = tmp_path / "patient.json"
    file.write_text(dumps(case.bundle()), encoding="utf-8")
    asked = ["--patient", str(file), "--as-of", str(as_of_of(case))]
    asked += [word for name in names for word in ("--protocol", name)]
    assert main(["evaluate", *asked]) == 0
    return json.loads(capsys.readouterr().out, parse_float=Decimal)


def evaluation_of(case: Case, record: PatientRecord | None = None) -> Evaluation:
    return evaluate_protocol(
        protocol_of(case.protocol),
        record or record_of(case),
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
