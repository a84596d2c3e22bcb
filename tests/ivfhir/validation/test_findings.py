"""Files, folders and NDJSON: each resource with lines and columns, also what cannot be read."""

import json
import os

import pytest

from ivfhir.validation.findings import MAX_BYTES, validate_paths

TEXT = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'}
GOOD = {"resourceType": "Patient", "id": "p", "text": TEXT}
BAD = {**GOOD, "id": "q", "gender": "f"}


def told(*paths):
    return [
        (
            each.file.rpartition("/")[2],
            each.line,
            each.resource,
            [(f.issue.rule, f.line, f.column) for f in each.found],
        )
        for each in validate_paths(paths)
    ]


def test_a_folder_is_told_file_by_file_also_the_clean_ones(tmp_path):
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "b.json").write_text(json.dumps(BAD, indent=1))
    (tmp_path / "a.json").write_text(json.dumps(GOOD))
    (tmp_path / "c.txt").write_text("x")
    assert told(tmp_path) == [
        ("a.json", None, "Patient/p", []),
        ("b.json", None, "Patient/q", [("binding-required", 8, 2)]),
    ]


def test_ndjson_is_told_by_line(tmp_path):
    path = tmp_path / "x.ndjson"
    path.write_text(f"{json.dumps(GOOD)}\n\n{json.dumps(BAD)}\nno json\n")
    column = json.dumps(BAD).index('"gender"') + 1
    assert told(path) == [
        ("x.ndjson", 1, "Patient/p", []),
        ("x.ndjson", 3, "Patient/q", [("binding-required", 3, column)]),
        ("x.ndjson", 4, "", [("unreadable", None, None)]),
    ]


def test_issues_stand_in_the_order_of_the_file(tmp_path):
    path = tmp_path / "x.json"
    path.write_text(json.dumps({**GOOD, "gender": "f", "birthDate": "x", "active": 1}, indent=1))
    assert [rule for rule, _, _ in told(path)[0][3]] == [
        "binding-required",
        "type-date",
        "type-boolean",
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<Patient/>", "XML"),
        (b"\xff", "not UTF-8"),
        (b'{"resourceType": "Patient", "id": "a", "id": "b"}', "twice"),
        (b'{"resourceType": "Patient", "x": ' + b"9" * 5000 + b"}", "too long"),
        (b"[" * 100_000, "levels deep"),
    ],
)
def test_what_cannot_be_read_is_a_finding_and_stops_nothing(tmp_path, content, said):
    (tmp_path / "a.json").write_bytes(content)
    (tmp_path / "b.json").write_text(json.dumps(GOOD))
    first, second = validate_paths([tmp_path])
    assert said in first.found[0].issue.text
    assert (first.is_read, second.is_read, second.found) == (False, True, [])


def test_what_is_not_there_and_what_is_too_large_is_a_finding(tmp_path):
    large = tmp_path / "large.json"
    with large.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    (tmp_path / "empty").mkdir()
    texts = [
        each.found[0].issue.text
        for each in validate_paths([large, tmp_path / "none", tmp_path / "empty"])
    ]
    assert [
        "larger than 64 MB" in texts[0],
        "does not exist" in texts[1],
        "holds no" in texts[2],
    ] == [True] * 3


def test_in_a_folder_json_that_is_no_resource_is_left_out_and_said(tmp_path):
    path = tmp_path / "log.json"
    path.write_text('{"transactionTime": "2020"}')
    assert [each.found[0].issue.severity for each in validate_paths([tmp_path])] == ["information"]
    assert [each.found[0].issue.severity for each in validate_paths([path])] == ["error"]


def test_a_line_of_ndjson_and_a_wrong_type_are_never_left_out(tmp_path):
    lines = ['{"resourceType":5}', '{"status":"final"}', "null"]
    (tmp_path / "a.ndjson").write_text("\n".join(lines))
    (tmp_path / "b.json").write_text(lines[0])
    (tmp_path / "c.json").write_text("[]")
    assert [
        (each.line, each.found[0].line, each.count("error"), each.is_read)
        for each in validate_paths([tmp_path])
    ] == [(1, 1, 1, True), (2, 2, 1, True), (3, 3, 1, True), (None, 1, 1, True), (None, 1, 1, True)]


def test_a_name_that_is_no_utf_8_can_be_told(tmp_path):
    (tmp_path / os.fsdecode(b"a\xff.json")).write_text(json.dumps(GOOD))
    assert told(tmp_path) == [("a\ufffd.json", None, "Patient/p", [])]
