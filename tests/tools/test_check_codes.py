import json

import pytest

from tools.terminology.check_codes import code_problem, displays_by_code, main, table_problems
from tools.terminology.used_codes import UsedCode, used_codes

LOINC = "http://loinc.org"


def codes_in(document):
    return [(used.code, used.where) for used in used_codes(document, [LOINC])]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"code": {"coding": [{"system": LOINC, "code": "1"}]}}, [("1", "code.coding[0]")]),
        (
            {"compose": {"include": [{"system": LOINC, "concept": [{"code": "1"}]}]}},
            [("1", "compose.include[0].concept[0]")],
        ),
        (
            {"system": LOINC, "filter": [{"property": "concept", "op": "is-a", "value": "1,2"}]},
            [("1", ".filter[0]"), ("2", ".filter[0]")],
        ),
        (
            {
                "source": LOINC,
                "target": LOINC,
                "element": [{"code": "1", "target": [{"code": "2"}]}],
            },
            [("1", ".element[0]"), ("2", ".element[0].target[0]")],
        ),
        (
            {"criteria": f"Observation?code={LOINC}|1,{LOINC}|2"},
            [("1", "criteria"), ("2", "criteria")],
        ),
        ({"url": f"{LOINC}|http://version"}, []),
    ],
)
def test_codes_are_found_wherever_fhir_puts_them(document, expected):
    assert codes_in(document) == expected


def test_absent_code_and_wrong_display_are_problems():
    table = displays_by_code([{"system": LOINC, "code": "1", "display": "Number  One"}])
    assert code_problem(UsedCode(LOINC, "1", "number one", "x"), table, {LOINC}) is None
    assert code_problem(UsedCode(LOINC, "2", None, "x"), table, {LOINC}) == f"x: absent: {LOINC}|2"
    assert "x: display" in (code_problem(UsedCode(LOINC, "1", "Two", "x"), table, {LOINC}) or "")
    assert code_problem(UsedCode("http://local", "2", None, "x"), table, {LOINC}) is None


def test_row_without_evidence_is_a_problem_of_the_table():
    row = {"concept": "a", "category": "b", "system": LOINC, "code": "1", "display": "One"}
    assert list(table_problems([{**row, "evidence": " ", "notes": ""}])) == [
        "codes.csv line 2: no evidence"
    ]


def test_command_fails_for_a_folder_with_an_unknown_code(tmp_path, capsys):
    document = {"coding": [{"system": LOINC, "code": "no-such-code"}]}
    (tmp_path / "a.json").write_text(json.dumps(document))
    assert main([str(tmp_path)]) == 1
    assert "a.json: coding[0]: absent" in capsys.readouterr().err


def test_files_of_others_are_left_out_by_name(tmp_path):
    document = {"coding": [{"system": LOINC, "code": "no-such-code"}]}
    (tmp_path / "theirs-a.json").write_text(json.dumps(document))
    assert main([str(tmp_path), "--third-party", "theirs-*.json"]) == 0


def test_command_refuses_a_path_that_is_not_there(tmp_path):
    assert main([str(tmp_path / "missing")]) == 2
