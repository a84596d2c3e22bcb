"""`ivfhir fhirpath`: a JSON array, or a sentence with line and column."""

import json
import re
import shlex
from pathlib import Path

import pytest

from ivfhir.cli.main import main

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs/fhirpath.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"^    \$ ivfhir (.+)\n((?:    .+\n)+)", GUIDE, re.MULTILINE)
PATIENT = {
    "resourceType": "Patient",
    "name": [{"family": "Lindqvist", "given": ["Per"]}],
    "contained": [
        {
            "resourceType": "ValueSet",
            "url": "http://x.example/vs",
            "version": "2",
            "expansion": {"contains": [{"system": "http://s.example", "code": "female"}]},
        }
    ],
    "gender": "female",
}


@pytest.fixture
def patient(tmp_path):
    path = tmp_path / "patient.json"
    path.write_text(json.dumps(PATIENT))
    return path


def given(capsys, *argv):
    code = main(["fhirpath", *map(str, argv)])
    out, err = capsys.readouterr()
    assert (code, err) == (0, "")
    return json.loads(out)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name.given", ["Per"]),
        ("name", PATIENT["name"]),
        ("name.suffix", []),
        ("1.50", [1.50]),
        ("gender.memberOf('http://x.example/vs')", [True]),
        ("gender.memberOf('http://x.example/vs|2')", [True]),
        ("gender.memberOf('http://x.example/vs|3')", []),
        ("gender.memberOf('https://ivfhir.example/fhir/ValueSet/dx-lung')", [False]),
        ("conformsTo('http://hl7.org/fhir/StructureDefinition/Patient')", [False]),
        ("contained.conformsTo('http://hl7.org/fhir/StructureDefinition/Patient')", [False]),
        ("now() > @2025", [True]),
    ],
)
def test_it_prints_the_items_as_an_array(capsys, patient, text, expected):
    assert given(capsys, text, patient) == expected


def test_variables_are_json(capsys, patient):
    argv = [
        "%n + 1 | %r.a | %t | %rows.a.last()",
        patient,
        "--var",
        "n=2",
        "--var",
        'r={"a": true}',
        "--var",
        't="x"',
        "--var",
        'rows=[{"a": [1]}, {"a": [5, 6]}]',
    ]
    assert given(capsys, *argv) == [3, True, "x", 6]


def test_a_trace_goes_to_standard_error(capsys, patient):
    assert main(["fhirpath", "name.given.trace('who').count()", str(patient)]) == 0
    out, err = capsys.readouterr()
    assert (json.loads(out), err) == ([1], 'trace who: ["Per"]\n')


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["name.\n  .given"], "line 2, column 3: '.' stands where"),
        (["name.givn", "--strict"], "line 1, column 6: HumanName has no element 'givn'"),
        (["Encounter.status", "--strict"], "line 1, column 1"),
        (["1 + 'a'"], "line 1, column 3"),
        (["name.frob()"], "line 1, column 6: there is no function frob()"),
        (["%x"], "--var x="),
        (["1", "--var", "x"], "--var takes NAME=JSON"),
        (["1", "--var", "x=y"], "A text needs its quotes"),
        (["1", "--var", "x=[[1, 2], [3]]"], "--var x has an array in an array"),
        (["1", "--var", 'x={"a": [{"b": [[1]]}]}'], "--var x has an array in an array"),
    ],
)
def test_a_mistake_is_exit_2_with_its_place(capsys, patient, argv, said):
    assert main(["fhirpath", argv[0], str(patient), *argv[1:]]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert said in err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"a": 1}', "no resourceType"),
        (b"[]", "no resourceType"),
        (b"<Patient/>", "XML"),
        (b'{"resourceType": "Patient"', "is not JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"", "is empty"),
        (b'{"resourceType": "Patient", "name": ' + b"[" * 500 + b"]" * 500 + b"}", "levels deep"),
    ],
)
def test_what_is_no_fhir_is_exit_4(capsys, tmp_path, content, said):
    path = tmp_path / "other.json"
    path.write_bytes(content)
    assert main(["fhirpath", "id", str(path)]) == 4
    assert said in capsys.readouterr().err


def test_a_file_that_is_not_there_is_exit_4(capsys, tmp_path):
    assert main(["fhirpath", "id", str(tmp_path / "none.json")]) == 4
    assert main(["fhirpath", "id", str(tmp_path)]) == 4
    assert "is a folder" in capsys.readouterr().err


def test_the_guide_shows_what_comes_out(capsys, monkeypatch):
    monkeypatch.chdir(ROOT / "smart_app/fake_ehr/patients")
    assert len(SHOWN) == 2
    for words, shown in SHOWN:
        code = main(shlex.split(words))
        out, err = capsys.readouterr()
        assert out + err == re.sub("^    ", "", shown, flags=re.MULTILINE)
        assert code == (2 if err else 0)
