"""All FHIR that we author is valid R4, and what is not is named with file, line and rule."""

import json
import re
import subprocess
import sys
from pathlib import Path

from tools.valid import findings, main

ROOT = Path(__file__).parents[2]


def test_what_we_author_is_valid_and_make_check_asks_it():
    makefile = subprocess.run(
        ["make", "-n", "valid"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    asked = re.search(r"-m tools\.valid (.+)", makefile)
    assert asked is not None
    paths = [ROOT / each for each in asked[1].split()]
    assert ROOT / "plan_definitions" in paths
    assert sum(each.parent.name == "patients" for each in paths) > 10
    assert list(findings(paths)) == []
    check = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^check:.* valid\b", check, re.MULTILINE)


def test_an_artefact_that_is_not_valid_is_named(tmp_path, capsys):
    made = json.loads((ROOT / "plan_definitions/shared/ValueSet-inr.json").read_text())
    path = tmp_path / "ValueSet-inr.json"
    path.write_text(json.dumps({**made, "status": "drafted", "purpos": "x"}, indent=1))
    (tmp_path / "cql").mkdir()
    (tmp_path / "cql" / "LUNG.json").write_text('{"library": {}}')
    assert main([str(tmp_path)]) == 1
    told = capsys.readouterr().out
    assert re.search(r"ValueSet-inr\.json:\d+:2: ValueSet\.status is 'drafted'", told)
    assert "is purpose meant?" in told
    assert told.endswith("valid FHIR R4: 2 findings\n")
    path.write_text(json.dumps(made))
    assert main([str(tmp_path)]) == 0


def test_an_artefact_that_does_not_say_what_it_is_is_named(tmp_path, capsys):
    made = json.loads((ROOT / "plan_definitions/shared/ValueSet-inr.json").read_text())
    del made["resourceType"]
    (tmp_path / "ValueSet-inr.json").write_text(json.dumps(made))
    assert main([str(tmp_path)]) == 1
    told = capsys.readouterr().out
    assert "ValueSet-inr.json is no FHIR resource (it has no resourceType)" in told
    assert told.endswith("valid FHIR R4: 1 findings\n")


def test_a_call_that_asks_nothing_is_no_pass(capsys):
    asked = [sys.executable, "-m", "tools.valid"]
    called = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    assert called.returncode == 2
    assert called.stdout == ""
    assert called.stderr == "Name the files or folders to be asked about.\n"
