"""A protocol from the template is listed, evaluated and applied; its mistakes are told."""

import json
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ivfhir.cli.main import main
from ivfhir.evaluate import evaluate_protocol
from ivfhir.expressions.values import Date
from ivfhir.fhir.json import dumps
from ivfhir.knowledge.lint import lint
from ivfhir.knowledge.load import load_protocol
from ivfhir.parameters import parse_as_of
from ivfhir.plan import draft_plan
from ivfhir.read import PatientRecord
from tests.cases.answers import answers_of, differences, missing_grounds
from tests.cases.case import Case, load_case
from tests.cases.drafted import drafted_actions, plan_differences
from tools.knowledge.__main__ import main as knowledge
from tools.knowledge.layout import Layout

CASES = (
    "in-applies",
    "out-age-17",
    "out-no-diagnosis",
    "undecided-no-birth-date",
    "undecided-problem-list-unread",
)


def case_of(root: Path, name: str = "in-applies") -> Case:
    return load_case(root / "kidney" / "cases" / name)


@pytest.fixture
def patient(built: Path, tmp_path: Path) -> list[str]:
    """Options of the command line: the patient of in-applies, on 3 March 2025."""
    file = tmp_path / "patient.json"
    file.write_text(dumps(case_of(built).bundle()), encoding="utf-8")
    return ["--patient", str(file), "--as-of", "2025-03-03"]


def answered(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    assert main(argv) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], code: int, *argv: str) -> str:
    assert main(argv) == code
    out, err = capsys.readouterr()
    assert out == ""
    return err


def test_it_is_listed_beside_the_others(beside, capsys):
    rows = [line.split() for line in answered(capsys, "protocols").splitlines()]
    assert {row[0] for row in rows[1:]} > {"KIDNEY", "LUNG"}
    assert rows[1] == ["KIDNEY", "0.1.0", "draft", "very", "low", "Example", "protocol", "KIDNEY"]


def test_it_is_answered_beside_lung_as_json(beside, patient, capsys):
    protocols = json.loads(answered(capsys, "evaluate", *patient))["protocols"]
    kidney, lung = (each for each in protocols if each["id"] in ("KIDNEY", "LUNG"))
    assert (kidney["id"], kidney["version"], kidney["status"]) == ("KIDNEY", "0.1.0", "eligible")
    assert [each["id"] for each in kidney["criteria"]] == ["KIDNEY-I01", "C-AGE"]
    assert (lung["id"], lung["status"]) == ("LUNG", "not-applicable")
    assert "LUNG" not in json.dumps(kidney)


def test_it_is_answered_beside_lung_as_text(beside, patient, capsys):
    text = answered(capsys, "evaluate", *patient, "--format", "text")
    assert "Standard treatment first: say here what it is" in text
    assert "Active tumour of a limb" in text
    assert "(KIDNEY 0.1.0)" in text
    assert "(LUNG 0.2.0)" in text


def test_it_is_applied_with_the_days_that_its_rows_give(beside, patient, capsys):
    plan = json.loads(answered(capsys, "apply", "KIDNEY", *patient, "--start", "2025-03-17"))
    assert {name: due.day for name, due in drafted_actions(plan).items()} == {
        "KIDNEY-A01": "2025-03-03",
        "KIDNEY-A02.1": "2025-03-17",
        "KIDNEY-A02.2": "2025-04-14",
    }
    assert not re.search("LUNG|lung|segment", json.dumps(plan))


def test_its_parameters_move_the_days_and_add_sessions(beside, patient, capsys):
    given = ["--param", "sessions=3", "--param", "session_interval_days=21"]
    text = answered(capsys, "apply", "KIDNEY", *patient, "--start", "2025-03-17", *given)
    assert {name: due.day for name, due in drafted_actions(json.loads(text)).items()} == {
        "KIDNEY-A01": "2025-03-03",
        "KIDNEY-A02.1": "2025-03-17",
        "KIDNEY-A02.2": "2025-04-07",
        "KIDNEY-A02.3": "2025-04-28",
    }


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("session_interval_days=43", "21 to 42"),
        ("sessions=4", "3"),
        ("segments=4", "sessions"),
    ],
)
def test_a_parameter_out_of_its_bounds_is_refused(beside, patient, capsys, given, words):
    asked = ["apply", "KIDNEY", *patient, "--start", "2025-03-17", "--param", given]
    said = refused(capsys, 2, *asked)
    assert given.partition("=")[0] in said
    assert words in said


def test_who_is_not_eligible_gets_a_plan_only_with_a_reason(beside, tmp_path, capsys):
    file = tmp_path / "young.json"
    file.write_text(dumps(case_of(beside, "out-age-17").bundle()), encoding="utf-8")
    asked = ["apply", "KIDNEY", "--patient", str(file), "--as-of", "2025-03-03"]
    asked += ["--start", "2025-03-17"]
    assert "KIDNEY" in refused(capsys, 3, *asked)
    reason = ["--override-reason", "The tumour board of 3 March asked for it.", "--override-kind"]
    plan = json.loads(answered(capsys, *asked, *reason, "tumour-board"))
    assert "The tumour board of 3 March asked for it." in json.dumps(plan)
    assert "KIDNEY-A02.2" in drafted_actions(plan)


def test_its_cases_are_those_of_the_template(beside):
    names = sorted(path.name for path in (beside / "kidney" / "cases").iterdir())
    assert tuple(names) == CASES


@pytest.mark.parametrize("name", CASES)
def test_its_cases_run(beside, name):
    case = case_of(beside, name)
    resources = [entry["resource"] for entry in case.bundle()["entry"]]
    record = PatientRecord(resources[0], tuple(resources[1:]), case.table.get("unread", {}))
    protocol = load_protocol("KIDNEY")
    as_of = parse_as_of(case.table["as_of"], time_zone="UTC", now=datetime(1900, 1, 1, tzinfo=UTC))
    decision = evaluate_protocol(protocol, record, as_of=as_of).decision.to_json()
    lines = differences(case, answers_of(decision))
    assert lines + missing_grounds(case, decision["criteria"]) == []
    if "start" in case.table:
        plan = draft_plan(protocol, record, as_of=as_of, start=Date.of(case.table["start"]))
        assert plan_differences(case, drafted_actions(plan)) == []


def test_it_keeps_the_rules_of_authoring_and_is_not_stale(beside):
    assert [each for each in lint(beside) if each.startswith("kidney")] == []
    assert knowledge(["check"], Layout(knowledge=beside)) == 0


MISTAKES = [
    ("plan.toml", 'gates = ["G01"]', 'gates = ["G02"]', "did you mean 'G01'?"),
    ("plan.toml", "[-28, -14, -1]", "[-28, 14, -1]", "14 lies outside its window"),
    ("plan.toml", "before-start A02", "before-start A03", "did you mean 'A02'?"),
    ("plan.toml", "{session_interval_days in", "{interval in", "no value is called '{interval"),
    ("protocol.toml", 'lane = "infusion"', 'lane = "ablation"', "There is: device, embolisation"),
    ("protocol.toml", "default = 28", "default = 50", "it must be 21 to 42"),
    ("protocol.toml", 'id = "KIDNEY"', 'id = "RENAL"', "cql/RENAL.cql is missing"),
    ("protocol.toml", 'version = "0.1.0"', 'version = "0.2.0"', "and version 0.2.0 of the lib"),
    ("cql/KIDNEY.cql", "I01: Diagnosis.present", "I01: Diagnosis.presnt", "presnt not found"),
    ("cql/KIDNEY.cql", "I01: Diagnosis.present", "I01 Diagnosis.present", "Syntax error at Diag"),
    ("cql/KIDNEY.cql", "{ KIDNEY_I01_C", "{ KIDNEY_I02_C", "resolve identifier KIDNEY_I02_Crit"),
    ("cql/KIDNEY.cql", "define KIDNEY_G01", "define KIDNEY_G1", "write it there, or leave G01"),
]


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_stops_the_build_with_file_line_and_what_is_wrong(alone, capsys, mistake):
    name, old, new, words = mistake
    change(alone / "kidney" / name, old, new)
    assert knowledge(["build"], Layout(knowledge=alone)) == 1
    [first, *_] = [line for line in capsys.readouterr().err.splitlines() if "warning" not in line]
    assert re.match(r"\S*kidney/(plan\.toml|protocol\.toml|cql/KIDNEY\.cql):\d+:", first)
    assert words in first


UNKEPT = [
    ("KIDNEY_Failed: Conventions.FailedOf(KIDNEY_Criteria)", "KIDNEY_Failed: true", "List<String>"),
    ("kind: 'inclusion'", "kind: 'inclusive'", "must be one of inclusion, contraindication"),
    ("id: 'KIDNEY-I01'", "id: 'KIDNEY-I02'", "write 'KIDNEY-I01'"),
    ("I01: Diagnosis.present", "I01: AgeInYears() > 18", "AsOf is the only clock"),
]


@pytest.mark.parametrize(("old", "new", "words"), UNKEPT)
def test_what_translates_but_breaks_the_contract_is_found_with_file_and_line(
    alone, old, new, words
):
    change(alone / "kidney" / "cql" / "KIDNEY.cql", old, new)
    assert knowledge(["build"], Layout(knowledge=alone)) == 0
    [found] = [each for each in lint(alone) if each.startswith("kidney")]
    assert re.match(r"kidney/cql/KIDNEY\.cql: line \d+: ", found)
    assert words in found


def test_a_value_set_without_codes_is_told_with_where_codes_are_written(alone):
    change(alone / "kidney" / "cql" / "KIDNEY.cql", "ValueSet/dx-limb'", "ValueSet/dx-knee'")
    assert knowledge(["build"], Layout(knowledge=alone)) == 0
    [found] = [each for each in lint(alone) if each.startswith("kidney")]
    assert "ValueSet/dx-knee is not in the package; give it codes in tools/" in found


def test_a_broken_one_says_so_in_its_place_and_stops_no_other(own_copy, patient, capsys):
    (own_copy / "kidney" / "cql" / "KIDNEYPlan.json").unlink()
    protocols = json.loads(answered(capsys, "evaluate", *patient))["protocols"]
    broken, lung = (each for each in protocols if each["id"] in ("KIDNEY", "LUNG"))
    assert (broken["id"], lung["id"], lung["status"]) == ("KIDNEY", "LUNG", "not-applicable")
    [issue] = broken["outcome"]["issue"]
    assert "translate the CQL (`make knowledge`)" in issue["diagnostics"]
    assert "broken" in answered(capsys, "protocols").splitlines()[1]
    assert "KIDNEY" in answered(capsys, "evaluate", *patient, "--format", "text")


def test_a_variable_that_names_no_folder_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("IVFHIR_PLAN_DEFINITIONS", str(tmp_path / "nowhere"))
    assert "name the folder that holds" in refused(capsys, 4, "protocols")


def test_a_folder_without_shared_is_served_by_ours(alone, patient, capsys):
    shutil.rmtree(alone / "shared")
    [kidney] = json.loads(answered(capsys, "evaluate", *patient))["protocols"]
    assert (kidney["id"], kidney["status"]) == ("KIDNEY", "eligible")


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
