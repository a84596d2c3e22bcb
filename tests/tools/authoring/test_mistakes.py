"""A mistake in a row is refused with its file, its line, and what to do."""

import re
import shutil
from pathlib import Path

import pytest

from ivfhir.knowledge.toml_source import AuthoringError, read_table
from tools.knowledge.authoring import authored_files
from tools.knowledge.layout import Layout

OURS = Layout()
LUNG = OURS.knowledge / "lung"


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A copy of LUNG's sources that a test may break."""
    copy = Layout(knowledge=tmp_path / "plan_definitions")
    (copy.knowledge / "lung" / "cql").mkdir(parents=True)
    copy.shared.mkdir()
    for name in ("protocol.toml", "plan.toml", "cql/LUNG.cql"):
        shutil.copyfile(LUNG / name, copy.knowledge / "lung" / name)
    shutil.copyfile(
        OURS.shared / "CodeSystem-io-plan.json", copy.shared / "CodeSystem-io-plan.json"
    )
    return copy


def broken(layout: Layout, name: str, old: str, new: str) -> str:
    """Change a source's first such text; return the refusal."""
    path = layout.knowledge / "lung" / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(AuthoringError) as caught:
        list(authored_files(layout))
    return str(caught.value)


def line_of(layout: Layout, name: str, text: str) -> int:
    lines = (layout.knowledge / "lung" / name).read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


MISTAKES = [
    ("plan.toml", 'gates = ["G02", "G04"]', 'gates = ["G02", "G14"]', "has no 'G14'; did you mean"),
    ("plan.toml", "days = [-14, -7, -3]", "days = [-14, -2, -3]", "-2 lies outside its window"),
    ("plan.toml", "days = [-14, -7, -3]", "days = [-14, -7]", "[earliest, planned, latest]"),
    (
        "plan.toml",
        '[21, "response_offset_days", 42]',
        '[28, "response_offset_days", 42]',
        "response_offset_days (21 to 42) lies outside its window, 28 to 42",
    ),
    ("plan.toml", '"response_offset_days", 42', '"response_days", 42', "no parameter is called"),
    ("plan.toml", '["concurrent-with-end A03"]', '["concurrent-with-end A33"]', "no action A33"),
    ("plan.toml", '["concurrent-with-end A03"]', '["with-end A03"]', "no relation 'with-end'"),
    ("plan.toml", '["concurrent-with-end A03"]', '["A03"]', "is no relation; write"),
    (
        "plan.toml",
        '["before-start A03"]',
        '["after-start A03, at least 0 days"]',
        "the relations go in a circle: LUNG-A0",
    ),
    ("plan.toml", '["before-start A03"]', '["after-start A03"]', "contradicts the days"),
    (
        "plan.toml",
        "last segment, at least 21 days",
        "last segment",
        "the days do not give the distance",
    ),
    (
        "plan.toml",
        'relations = ["after A10"]',
        'relation = ["after A10"]',
        "did you mean 'relations'",
    ),
    ("plan.toml", 'id = "A01"', 'id = "A14"', "LUNG-A14 is there twice"),
    ("plan.toml", 'goals = ["O1"]', 'goals = ["O7"]', "there is no goal 'O7'"),
    ("plan.toml", 'activity = "A03-drug-iv"', 'activity = "A03-iv"', "has no 'A03-iv'"),
    ("plan.toml", 'from = "segment 3"', 'from = "segment 9"', "no day is called 'segment 9'"),
    ("plan.toml", 'from = "segment 3"', 'from = "segment 5"', "not every plan has segment 5"),
    ("plan.toml", 'part = "segment 3"', 'part = "segment 8"', "there is no part 'segment 8'"),
    ("plan.toml", "segments = [1]", "segments = [7]", "there is no segment 7"),
    ("plan.toml", 'required = "could"', 'required = "may"', "says not how it is required"),
    ("plan.toml", 'sources = ["S3-03"', 'sources = ["S3-33"', "no source is called 'S3-33'"),
    ("plan.toml", 'sources = ["S3-19"]', "sources = []", "it names no source"),
    ("plan.toml", 'answers = ["G03"]', 'answers = ["G01"]', "gate G01 has no 'asked'"),
    ("plan.toml", "{infusion}", "{infusions}", "no value is called '{infusions}'"),
    (
        "plan.toml",
        "{segment_interval_days in days}",
        "{segments in days}",
        "segments is not in days",
    ),
    ("plan.toml", 'count = "segments"', 'count = "rounds"', "no parameter is called 'rounds'"),
    ("plan.toml", "numbers = [4]", "numbers = [3]", "segment 3 is there twice"),
    ("plan.toml", "numbers = [5, 6]", "numbers = [5]", "every segment from 1 to 6"),
    ("plan.toml", 'not_before = "14 days', 'not_before = "two weeks', "must read like"),
    ("plan.toml", "times = 4\n", "", "needs both 'times' and 'every'"),
    ("plan.toml", 'from = "last segment"', 'from = "A13"', "no day is called 'A13'"),
    ("plan.toml", 'from = "last segment"', 'from = "A11"', "days count in a circle"),
    ("plan.toml", "sources = [", "sources = ", "it is not TOML"),
    ("protocol.toml", "default = 60", "default = 10", "10, is not allowed: it must be 20 to 240"),
    ("protocol.toml", "choices = [4, 5, 6]", "choices = [5, 6]", "4, is not allowed"),
    ("protocol.toml", "between = [28, 35]", "between = [35, 28]", "must be [lowest, highest]"),
    ("protocol.toml", "between = [28, 35]\n", "", "needs one of between, choices"),
    ("protocol.toml", "default = 60", 'default = "60"', "must be a whole number"),
    ("protocol.toml", 'label = "Segments"', 'lable = "Segments"', "did you mean 'label'"),
    ("protocol.toml", 'quality = "very low"', 'quality = "poor"', "'poor' is no quality"),
    ("protocol.toml", 'lane = "radiotherapy"', 'lane = "radio"', "the board has no lane 'radio'"),
    ("protocol.toml", 'unit = "%"', 'unit = "percent"', "with a unit"),
    ("protocol.toml", "O2 = {", "O1 = {", "not TOML: Cannot overwrite a value"),
    ("protocol.toml", "G04 = ", "G05 = ", "has no 'G04'"),
    ("protocol.toml", "[exits]", '[exits]\nT9 = "Nowhere."', "nothing uses 'T9' of exits"),
    ("cql/LUNG.cql", "define LUNG_G04:", "define LUNG_G05:", "has no define LUNG_G04"),
]


@pytest.mark.parametrize(("name", "old", "new", "words"), MISTAKES)
def test_a_mistake_is_refused_with_file_line_and_what_to_do(layout, name, old, new, words):
    message = broken(layout, name, old, new)
    assert re.match(r"lung/(plan|protocol)\.toml:\d+: ", message)
    assert words in message


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("plan.toml", 'gates = ["G02", "G04"]', 'gates = ["G02", "G14"]'),
        ("plan.toml", "days = [-14, -7, -3]", "days = [-14, -2, -3]"),
        ("plan.toml", 'required = "could"', 'required = "may"'),
        ("protocol.toml", "default = 60", "default = 10"),
        ("protocol.toml", 'label = "Segments"', 'lable = "Segments"'),
    ],
)
def test_the_line_is_that_of_the_key(layout, name, old, new):
    message = broken(layout, name, old, new)
    assert message.startswith(f"lung/{name}:{line_of(layout, name, new)}: ")


def test_a_missing_file_is_named(layout):
    (layout.knowledge / "lung" / "plan.toml").unlink()
    with pytest.raises(AuthoringError, match=re.escape("lung/plan.toml:1: it is missing")):
        list(authored_files(layout))


def test_lines_are_found_through_lists_strings_and_comments(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text(
        '# [no.table]\na = [\n  "[not]",  # ]\n  "b = 1",\n]\n\n[[row]]\nid = 1\n'
        "[row.inner]\nx = 2\n[[row]]\nid = 3\n"
    )
    table = read_table(path, "a.toml")
    assert {place: table.lines[place] for place in table.lines} == {
        ("a",): 2,
        ("row", 0): 7,
        ("row", 0, "id"): 8,
        ("row", 0, "inner"): 9,
        ("row", 0, "inner", "x"): 10,
        ("row", 1): 11,
        ("row", 1, "id"): 12,
    }


@pytest.mark.parametrize(
    "other",
    [
        "days = [0, 0, 5]\n",
        'days = [0, 0, 5]\nrelations = ["after A01, at least 3 days"]\n',
        'days = [0, 0, 4]\nrelations = ["after A01"]\n',
    ],
    ids=["none", "another-distance", "other-days"],
)
def test_rows_that_plan_one_action_say_the_same_relations(tmp_path: Path, other: str) -> None:
    layout = Layout(knowledge=tmp_path / "plan_definitions")
    shutil.copytree(OURS.knowledge / "port", layout.knowledge / "port")
    layout.shared.mkdir()
    shutil.copyfile(
        OURS.shared / "CodeSystem-io-plan.json", layout.shared / "CodeSystem-io-plan.json"
    )
    path = layout.knowledge / "port" / "plan.toml"
    row = 'days = [0, 0, 5]\nrelations = ["after A01"]\n'
    assert row in path.read_text()
    path.write_text(path.read_text().replace(row, other))
    with pytest.raises(AuthoringError, match="another row of this action has other relations"):
        list(authored_files(layout))
