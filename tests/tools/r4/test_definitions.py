"""The tables of R4's types and rules are what the specification's StructureDefinitions say."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.needs import need
from tools.r4 import source
from tools.r4.__main__ import BUILDERS, LOCK, TABLE, built, main
from tools.r4.definitions import build_table

BASE = "http://hl7.org/fhir/StructureDefinition/"


def definition(*elements, **words):
    return {
        "resourceType": "StructureDefinition",
        "type": "Box",
        "kind": "resource",
        "abstract": False,
        "baseDefinition": f"{BASE}DomainResource",
        "derivation": "specialization",
        "snapshot": {"element": [{"path": "Box", "min": 0, "max": "*"}, *elements]},
    } | words


def element(path, **words):
    return {"path": path, "min": 0, "max": "1", "base": {"path": path}} | words


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (element("Box.lid", type=[{"code": "boolean"}]), "0..1 boolean"),
        (element("Box.lid[x]", type=[{"code": "Age"}, {"code": "Range"}]), "0..1 Age|Range"),
        (
            element("Box.lid", type=[{"code": "Reference", "targetProfile": [f"{BASE}Patient"]}]),
            "0..1 Reference(Patient)",
        ),
        (
            element(
                "Box.lid",
                min=1,
                max="*",
                type=[{"code": "code"}],
                binding={"strength": "required", "valueSet": "http://x.example/vs|1"},
            ),
            "1..* code required http://x.example/vs|1",
        ),
        (
            element(
                "Box.lid",
                type=[{"code": "code"}],
                binding={"strength": "example", "valueSet": "http://x.example/vs"},
            ),
            "0..1 code",
        ),
        (element("Box.lid", contentReference="#Box.side"), "0..1 Box.side"),
    ],
)
def test_an_element_becomes_a_line(given, expected):
    name = given["path"].partition(".")[2]
    assert build_table([definition(given)])["Box"] == [
        "DomainResource",
        "resource",
        {name: expected},
    ]


def test_a_backbone_element_is_a_type_of_its_own_without_what_it_inherits():
    table = build_table(
        [
            definition(
                element("Box.side", max="*", type=[{"code": "BackboneElement"}]),
                element("Box.side.id", base={"path": "Element.id"}),
                element("Box.side.colour", type=[{"code": "code"}]),
            )
        ]
    )
    assert table["Box"][2] == {"side": "0..* Box.side"}
    assert table["Box.side"] == ["BackboneElement", "backbone", {"colour": "0..1 code"}]


def test_a_profile_is_no_type():
    assert build_table([definition(derivation="constraint")]) == {}


def test_the_committed_table_is_the_one_that_was_locked(capsys, monkeypatch, tmp_path):
    assert main(["check"]) == 0
    changed = tmp_path / "definitions.json"
    changed.write_text(TABLE.read_text().replace("0..1", "1..1", 1))
    monkeypatch.setattr("tools.r4.__main__.TABLE", changed)
    assert main(["check"]) == 1
    assert "tools.r4 build" in capsys.readouterr().out


def test_the_lock_tells_a_change_of_each_file_that_makes_the_tables():
    """But of files without code."""
    said = (
        "import sys, tools.r4.__main__ as made; print(*(m.__file__ for m in sys.modules.values() "
    )
    said += "if m.__name__.startswith(('tools.r4', 'ivfhir'))), made.__file__, sep='\\n')"
    told = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    loaded = {Path(line) for line in told.stdout.splitlines()}
    assert {each.name for each in loaded - set(BUILDERS)} == {"__init__.py", "types.py"}


def test_the_committed_tables_are_what_the_specification_gives():
    need(source.missing_npm())
    for path, text in built().items():
        assert path.read_text(encoding="utf-8") == text
    assert json.loads(LOCK.read_text())["source"] == "npm hl7.fhir.r4.examples@4.0.1"
