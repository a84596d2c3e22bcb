"""A case says what one protocol, its modes, and the shared criteria must answer."""

from copy import deepcopy

import pytest

from tests.cases.answers import (
    Answers,
    answers_of,
    by_rule_e02,
    differences,
    expected,
    missing_grounds,
    other_differences,
    rows_of,
    truths_of,
)
from tests.cases.case import Case, load_case

BASE = """
base = "B0"
[truth]
"LIVER-I01" = true
"C-AGE" = true
"LIVER-I02" = { TACE = true, HAIC = true }
"LIVER-X02" = { TACE = false }
"LIVER-K04" = "unknown"
"""
CASE = """
base = "V04"
status = "eligible"
failed = []
unknown = []
route = "targeted-intra-arterial"
[others]
PORT = "indeterminate"
LUNG = "not-applicable"
[modes.TACE]
status = "ineligible"
failed = ["LIVER-I02", "LIVER-X02"]
unknown = []
[modes.HAIC]
status = "eligible"
failed = []
unknown = []
[truth]
"LIVER-I02" = { TACE = false }
"LIVER-X02" = { TACE = true }
"""
SHARED_CASE = """
base = "V01"
[protocol.LIVER]
status = "eligible"
failed = []
unknown = []
[protocol.STENT]
status = "ineligible"
failed = ["STENT-X01"]
unknown = ["C-AGE"]
truth = { "STENT-X01" = true }
[missing]
"C-AGE" = ["age-years"]
"X-RENAL" = ["creatinine"]
[truth]
"C-AGE" = "unknown"
"X-RENAL" = true
"""


@pytest.fixture
def folder(tmp_path):
    """Knowledge with bases of two protocols and shared ones, without cases."""
    write(tmp_path / "shared/bases/B0.toml", '[truth]\n"X-RENAL" = false\n"C-AGE" = true\n')
    write(tmp_path / "shared/bases/V01.toml", 'base = "B0"\n[[add]]\nkey = "dx-lung"\n')
    write(tmp_path / "liver/bases/V04.toml", BASE)
    write(tmp_path / "liver/bases/V01.toml", BASE.replace('"B0"', '"V01"'))
    stent = '[truth]\n"STENT-I01" = true\n"C-AGE" = true\n"STENT-X01" = false\n'
    write(tmp_path / "stent/bases/V01.toml", f'base = "V01"\n{stent}')
    return tmp_path


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def written(folder, place, text) -> Case:
    write(folder / place / "case.toml", text)
    return load_case(folder / place)


@pytest.fixture
def liver(folder):
    return written(folder, "liver/cases/in-haic-only", CASE)


DECISION = {
    "id": "LIVER",
    "status": "eligible",
    "modes": [
        {"id": "TACE", "status": "ineligible", "failed": ["LIVER-I02", "LIVER-X02"], "unknown": []},
        {"id": "HAIC", "status": "eligible", "failed": [], "unknown": []},
    ],
    "failed": [],
    "unknown": [],
    "cautions": [],
    "notAssessable": ["LIVER-K04"],
    "criteria": [
        {"id": "LIVER-I01", "truth": True, "missing": []},
        {"id": "C-AGE", "truth": True, "missing": []},
        {"id": "LIVER-I02", "mode": "TACE", "truth": False, "missing": []},
        {"id": "LIVER-I02", "mode": "HAIC", "truth": True, "missing": ["anc"]},
        {"id": "LIVER-X02", "mode": "TACE", "truth": True, "missing": []},
        {"id": "LIVER-K04", "truth": None, "missing": []},
    ],
}


def changed(*path, to):
    """Return the decision with one member changed."""
    decision = deepcopy(DECISION)
    place = decision
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return decision


def test_a_truth_may_differ_by_mode(liver):
    assert list(rows_of(liver.truths).items()) == [
        (("LIVER-I01", None), True),
        (("C-AGE", None), True),
        (("LIVER-I02", "TACE"), False),
        (("LIVER-I02", "HAIC"), True),
        (("LIVER-X02", "TACE"), True),
        (("LIVER-K04", None), None),
    ]


def test_one_truth_for_a_criterion_with_modes_is_its_truth_in_each(folder):
    text = CASE.replace("{ TACE = false }", '"unknown"').replace("{ TACE = true }", "false")
    case = written(folder, "liver/cases/undecided-both", text)
    assert case.truths["LIVER-I02"] == {"TACE": None, "HAIC": None}
    assert case.truths["LIVER-X02"] == {"TACE": False}


def test_the_status_is_the_best_of_the_modes_and_the_lists_are_what_they_share():
    truths = {
        "LIVER-I01": True,
        "C-AGE": None,
        "LIVER-I02": {"TACE": False, "HAIC": None},
        "X-RENAL": True,
        "LIVER-X02": {"TACE": True},
        "LIVER-K04": None,
        "LIVER-K07": {"TACE": True},
    }
    found = by_rule_e02(truths, anchor=True)
    assert found.status == "ineligible"
    assert found.lists == {
        "failed": ["X-RENAL"],
        "unknown": ["C-AGE"],
        "cautions": [],
        "not_assessable": ["LIVER-K04"],
    }
    assert found.modes["TACE"].lists == {
        "failed": ["LIVER-I02", "X-RENAL", "LIVER-X02"],
        "unknown": ["C-AGE"],
    }
    assert found.modes["HAIC"].lists == {"failed": ["X-RENAL"], "unknown": ["C-AGE", "LIVER-I02"]}
    better = by_rule_e02(truths | {"X-RENAL": False}, anchor=True)
    assert [mode.status for mode in better.modes.values()] == ["ineligible", "indeterminate"]
    assert better.status == "indeterminate"


def test_a_base_names_a_mode_that_has_no_criterion_of_its_own(folder):
    base = BASE.replace('base = "B0"', 'base = "B0"\nall_modes = ["TACE", "HAIC"]')
    base = base.replace('"LIVER-I02" = { TACE = true, HAIC = true }\n', "")
    write(folder / "liver/bases/V06.toml", base)
    text = 'base = "V06"\nstatus = "eligible"\n[truth]\n"LIVER-X02" = { TACE = true }\n'
    case = written(folder, "liver/cases/in-one-mode", text)
    found = by_rule_e02(case.truths, anchor=case.anchor, modes=case.modes)
    assert found == expected(case)
    assert {name: mode.status for name, mode in found.modes.items()} == {
        "TACE": "ineligible",
        "HAIC": "eligible",
    }
    assert (found.status, found.lists["failed"]) == ("eligible", [])


def test_without_its_anchor_no_mode_applies():
    truths = {"LIVER-I01": False, "LIVER-I02": {"TACE": False, "HAIC": True}}
    found = by_rule_e02(truths, anchor=False)
    assert {found.status, *(mode.status for mode in found.modes.values())} == {"not-applicable"}
    assert found.lists["failed"] == ["LIVER-I01"]
    assert found.modes["TACE"].lists["failed"] == ["LIVER-I01", "LIVER-I02"]


@pytest.mark.parametrize(
    ("anchor", "truth", "status"),
    [
        ("true", "true", "eligible"),
        ("true", "false", "ineligible"),
        ("true", '"unknown"', "indeterminate"),
        ('"unknown"', '"unknown"', "indeterminate"),
        ("false", "false", "not-applicable"),
    ],
)
def test_a_case_tells_whether_a_protocol_of_a_derived_anchor_applies(folder, anchor, truth, status):
    failed = '["PORT-I01"]' if truth == "false" else "[]"
    unknown = '["PORT-I01"]' if "unknown" in truth else "[]"
    text = f"""
        anchor = {anchor}
        status = "{status}"
        failed = {failed}
        unknown = {unknown}
        truth = {{ "PORT-I01" = {truth}, "PORT-X01" = false }}
    """
    case = written(folder, "port/cases/any", text)
    assert expected(case) == by_rule_e02(case.truths, anchor=case.anchor)


def test_the_json_of_a_protocol_with_modes_agrees_with_its_case(liver):
    assert expected(liver) == by_rule_e02(liver.truths, anchor=liver.anchor)
    assert differences(liver, answers_of(DECISION)) == []


@pytest.mark.parametrize(
    ("decision", "line"),
    [
        (changed("criteria", 2, "truth", to=None), "LIVER-I02 in TACE: expected false, found unkn"),
        (changed("criteria", 3, "mode", to="PORT"), "LIVER-I02 in HAIC: expected true, found unkn"),
        (changed("criteria", 5, "mode", to="TACE"), "criteria: expected ['LIVER-I01', 'C-AGE', "),
        (changed("status", to="ineligible"), "status: expected eligible, found ineligible"),
        (changed("modes", 0, "status", to="eligible"), "TACE: status: expected ineligible, found"),
        (changed("modes", 1, "unknown", to=["C-AGE"]), "HAIC: unknown: expected [], found ['C-AG"),
        (changed("modes", to=DECISION["modes"][:1]), "modes: expected ['TACE', 'HAIC'], found"),
        (changed("modes", to=DECISION["modes"][::-1]), "modes: expected ['TACE', 'HAIC'], found"),
    ],
)
def test_what_differs_in_one_mode_is_told(liver, decision, line):
    assert any(each.startswith(line) for each in differences(liver, answers_of(decision)))


def test_a_protocol_that_shows_no_modes_differs(liver):
    shown = answers_of(DECISION)
    without = Answers(shown.truths, shown.status, shown.lists)
    assert differences(liver, without) == ["modes: expected ['TACE', 'HAIC'], found []"]


def test_a_mode_that_a_case_leaves_out_follows_from_the_truths(folder):
    text = CASE.replace('[modes.HAIC]\nstatus = "eligible"\nfailed = []\nunknown = []\n', "")
    assert differences(written(folder, "liver/cases/in-short", text), answers_of(DECISION)) == []


def test_a_mode_that_the_rule_does_not_know_is_no_mode(folder):
    case = written(folder, "liver/cases/in-typo", CASE.replace("modes.HAIC", "modes.HIAC"))
    assert expected(case) != by_rule_e02(case.truths, anchor=case.anchor)


def test_grounds_are_looked_for_in_the_rows_of_all_modes(liver):
    table = liver.table | {"missing": {"LIVER-I02": ["anc", "platelets"], "LIVER-I09": ["ecog"]}}
    case = Case(liver.path, liver.protocol, table, liver.bases)
    assert missing_grounds(case, DECISION["criteria"]) == [
        "LIVER-I02: platelets is not named as missing, only ['anc']",
        "LIVER-I09: ecog is not named as missing, only []",
    ]


def test_two_rows_of_one_criterion_without_modes_are_a_mistake():
    with pytest.raises(AssertionError, match="C-AGE has two rows"):
        truths_of([{"id": "C-AGE", "truth": True}] * 2)


def test_other_protocols_are_compared_once_they_are_here(liver, monkeypatch):
    monkeypatch.setattr("tests.cases.case.PLANNED", {"PORT"})
    assert other_differences(liver, {"LUNG": "not-applicable"}) == []
    assert other_differences(liver, {}) == ["LUNG: expected not-applicable, found None"]
    monkeypatch.setattr("tests.cases.case.PLANNED", set())
    [line] = other_differences(liver, {"LUNG": "not-applicable", "PORT": "eligible"})
    assert line == "PORT: expected indeterminate, found eligible"


def test_a_shared_case_is_asked_of_each_protocol_by_its_own_base(folder):
    case = written(folder, "shared/cases/in-age", SHARED_CASE)
    assert dict(case.truths) == {"X-RENAL": True, "C-AGE": None}
    liver, stent = case.asked
    assert (liver.protocol, stent.protocol) == ("LIVER", "STENT")
    assert list(liver.truths) == ["LIVER-I01", "C-AGE", "LIVER-I02", "LIVER-X02", "LIVER-K04"]
    assert stent.truths == {"STENT-I01": True, "C-AGE": None, "STENT-X01": True}
    assert expected(stent) == by_rule_e02(stent.truths, anchor=stent.anchor)
    assert expected(liver) != by_rule_e02(liver.truths, anchor=liver.anchor)  # C-AGE is unknown
    assert stent.table["missing"] == {"C-AGE": ["age-years"]}
    assert stent.bundle() == liver.bundle() == case.bundle()


def test_a_case_of_a_protocol_is_asked_of_it_alone(liver):
    assert liver.asked == (liver,)
    assert not liver.is_shared
