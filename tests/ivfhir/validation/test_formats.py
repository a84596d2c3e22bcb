"""Findings as text, JSON, JUnit and SARIF."""

import json
from xml.etree import ElementTree

import pytest

from ivfhir.validation.findings import validate_paths
from ivfhir.validation.formats import as_json, as_junit, as_sarif, as_text

TEXT = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'}


@pytest.fixture
def findings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    good = {"resourceType": "Patient", "id": "p", "text": TEXT}
    bad = {**good, "gender": "f", "name": [{"x": 1}, {"x": 2}], "maritalStatus": {"text": "m"}}
    (tmp_path / "a.json").write_text(json.dumps(good))
    (tmp_path / "b.json").write_text(json.dumps(bad, indent=2))
    (tmp_path / "c.json").write_text("<x/>")
    return list(
        validate_paths(
            [(tmp_path / name).relative_to(tmp_path) for name in ("a.json", "b.json", "c.json")]
        )
    )


def test_text_has_the_place_the_line_of_source_and_a_sum(findings):
    lines = as_text(findings).splitlines()
    assert lines[0].startswith(
        "b.json:8:3: error: Patient.gender is 'f', which is not in the value set"
    )
    assert lines[1:3] == ['      "gender": "f",', "      ^"]
    assert lines[3] == (
        "b.json:11:7: error: Patient.name[0] has no element 'x' in FHIR R4; "
        "remove it, or say it as an extension. [unknown-element] (and at 1 more place)"
    )
    assert lines[-1] == "2 resources, 4 errors, 1 warning"


def test_json_has_each_file_in_order(findings):
    told = json.loads(as_json(findings))
    assert [(each["file"], each.get("resource"), len(each["issues"])) for each in told] == [
        ("a.json", "Patient/p", 0),
        ("b.json", "Patient/p", 4),
        ("c.json", None, 1),
    ]
    assert told[1]["issues"][0] == {
        "severity": "error",
        "code": "code-invalid",
        "expression": "Patient.gender",
        "line": 8,
        "column": 3,
        "text": "Patient.gender is 'f', which is not in the value set administrative-gender: "
        "female, male, other, unknown.",
        "rule": "binding-required",
        "by": "ivfhir",
    }


def test_junit_has_a_case_a_resource(findings):
    suite = ElementTree.fromstring(as_junit(findings))  # noqa: S314 - we wrote it
    assert (suite.get("tests"), suite.get("failures")) == ("3", "2")
    names = [
        (case.get("classname"), case.get("name"), len(case.findall("failure"))) for case in suite
    ]
    assert names == [
        ("a.json", "Patient/p", 0),
        ("b.json", "Patient/p", 1),
        ("c.json", "unreadable", 1),
    ]
    assert "Patient.gender" in suite[1].find("failure").get("message")


def test_junit_names_what_was_left_out_or_is_no_resource_so(tmp_path):
    (tmp_path / "a.json").write_text('{"transactionTime": "2020"}')
    (tmp_path / "b.json").write_text("[]")
    (tmp_path / "c.json").write_text("<x/>")
    suite = ElementTree.fromstring(as_junit(list(validate_paths([tmp_path]))))  # noqa: S314
    told = [(case.get("name"), len(case.findall("failure"))) for case in suite]
    assert told == [("no-resource", 0), ("no-resource", 1), ("unreadable", 1)]


def test_sarif_has_a_result_an_issue_with_rule_and_region(findings):
    run = json.loads(as_sarif(findings))["runs"][0]
    assert len(run["results"]) == 5
    assert {each["ruleId"] for each in run["results"]} == {
        each["id"] for each in run["tool"]["driver"]["rules"]
    }
    location = run["results"][0]["locations"][0]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "b.json"},
        "region": {"startLine": 8, "startColumn": 3},
    }
    assert location["logicalLocations"] == [{"fullyQualifiedName": "Patient.gender"}]
    assert [each["level"] for each in run["results"]].count("warning") == 1


def test_the_same_fault_at_several_places_is_one_message(tmp_path):
    path = tmp_path / "x.json"
    codes = [{"system": "http://x.example", "code": "a"}] * 5
    row = {"language": {"coding": codes}, "preferred": "no"}
    path.write_text(
        json.dumps({"resourceType": "Patient", "text": TEXT, "communication": [row] * 3})
    )
    text = as_text(list(validate_paths([path])))
    assert text.count("error: Patient.communication[0].preferred") == 1
    assert "[type-boolean] (and at 2 more places)" in text
    assert text.endswith("1 resource, 3 errors, 0 warnings")


def test_of_a_long_line_what_is_near_is_shown(tmp_path):
    path = tmp_path / "x.json"
    path.write_text(
        json.dumps(
            {
                "resourceType": "Patient",
                "text": TEXT,
                "gender": "f",
                "id": "a" * 60,
                "language": "en",
            }
        )
    )
    lines = as_text(list(validate_paths([path]))).splitlines()
    assert len(lines[1]) < 120
    assert lines[1][lines[2].index("^") :].startswith('"gender": "f"')


@pytest.fixture
def odd(tmp_path, monkeypatch):
    """Control characters wherever a resource may bring one, and a name that no URI may have."""
    monkeypatch.chdir(tmp_path)
    code = "a\x1b[2J\x00\n\x85\uffff"
    resource = {"resourceType": "Patient", "id": code, "text": TEXT, "gender": code, code: 1}
    path = tmp_path / "50% é #1?.json"
    path.write_text(json.dumps(resource))
    return list(validate_paths([path.relative_to(tmp_path)]))


def test_control_characters_reach_no_terminal_and_leave_junit_xml(odd):
    assert odd[0].count("error") == 3
    assert {each for each in as_text(odd) if not each.isprintable()} == {"\n"}
    suite = ElementTree.fromstring(as_junit(odd))  # noqa: S314 - we wrote it
    assert suite[0].get("name") == "Patient/a\ufffd[2J" + "\ufffd" * 4
    assert "has no element 'a\ufffd[2J" in suite[0].find("failure").text
    assert "50% é #1?.json" in suite[0].get("classname")


def test_a_file_is_a_uri_in_sarif(odd):
    (result, *_) = json.loads(as_sarif(odd))["runs"][0]["results"]
    location = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert location == {"uri": "50%25%20%C3%A9%20%231%3F.json"}
