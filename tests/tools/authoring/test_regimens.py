"""Regimens are built from their files; a mistake is refused with file, line and what to do."""

import re
import shutil
from pathlib import Path

import pytest

from ivfhir.knowledge.toml_source import AuthoringError
from tools.knowledge.authoring.regimen import regimen_files
from tools.knowledge.layout import Layout

OURS = Layout()


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A copy of some regimens that a test may break."""
    copy = Layout(knowledge=tmp_path / "plan_definitions")
    copy.regimens.mkdir(parents=True)
    for name in ("common", "RG-LU1", "RG-LU6", "RG-LI3", "RG-PO2"):
        shutil.copyfile(OURS.regimens / f"{name}.toml", copy.regimens / f"{name}.toml")
    return copy


def test_the_committed_files_are_what_their_sources_give():
    built = dict(regimen_files(OURS))
    assert {path: path.read_bytes() for path in OURS.regimens.glob("*.json")} == built


def test_decimals_are_written_as_they_stand(layout):
    [pump] = [c for path, c in regimen_files(layout) if path.stem == "PlanDefinition-RG-PO2"]
    assert b'"value": 0.12' in pump
    assert b'"value": 0.20' in pump


def test_without_a_folder_there_is_none(tmp_path):
    assert list(regimen_files(Layout(knowledge=tmp_path))) == []


MISTAKES = [
    ("RG-LU1", "dose = 75", "dose = -75", "dose of drug cisplatin must be a number above 0"),
    ("RG-LU1", "bounds = [20, 80]", "bounds = [80, 20]", "must be [lowest, highest]"),
    ("RG-LU1", 'unit = "mg/m2"', 'unit = "mg/m3"', "'mg/m3' is no unit; did you mean 'mg/m2'"),
    ("RG-LU1", 'unit = "mg/m2"\n', "", "a dose and its unit go together"),
    ("RG-LU1", 'route = "arterial"', 'route = "artery"', "'artery' is no route; did you mean"),
    ("RG-LU1", 'id = "cisplatin"', 'id = "cisplatinum"', "no drug 'cisplatinum'; did you mean"),
    ("RG-LU1", 'id = "pemetrexed"', 'id = "cisplatin"', "a drug is there twice"),
    ("RG-LU1", 'id = "RG-LU1"', 'id = "RG-LU9"', "its id is RG-LU9, its file RG-LU1.toml"),
    ("RG-LU1", "reviewed = 2026-11-28", 'reviewed = "today"', "must be a date"),
    ("RG-LU1", 'reviewed_by = "the authors\' own"\n', "", "has no 'reviewed_by'"),
    ("RG-LU1", 'dose = "lit-conf [R9]", route', "route", "does not say where dose comes from"),
    ("RG-LU1", 'dose = "lit-conf [R9]", route', 'dose = "sure", route', "'sure' is no mark"),
    ("RG-LU1", "marks = { interval", 'marks = { cap_mg = "lit-GK", interval', "does not hold"),
    ("RG-LU6", 'needs = "one"', 'needs = "two"', "needs must be one"),
    ("RG-LU6", 'of = ["cisplatin"', 'of = ["cisplatinum"', "did you mean 'cisplatin'"),
    ("RG-LI3", 'called = "fluorouracil in all"\n', "", "a total has no 'called'"),
    ("common", 'coded = "cisplatin"', 'coded = "platinol"', "has no drug 'platinol'"),
    ("common", 'cell_cycle = "specific"', 'cell_cycle = "some"', "specific or non-specific"),
]


@pytest.mark.parametrize(("name", "old", "new", "says"), MISTAKES, ids=lambda value: value[:40])
def test_a_mistake_names_its_file_and_line(layout, name, old, new, says):
    path = layout.regimens / f"{name}.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(AuthoringError) as caught:
        list(regimen_files(layout))
    message = str(caught.value)
    assert says in message
    assert re.match(rf"regimens/{name}\.toml:\d+: ", message)
