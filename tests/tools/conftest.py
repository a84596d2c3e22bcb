"""A small knowledge folder to build: two libraries that include one another across folders."""

import json
from pathlib import Path

import pytest

from tools.knowledge.layout import Layout

SHARED_CQL = """/*
Facts about age. Two or more protocols use them.
*/
library Facts version '0.1.0'
using FHIR version '4.0.1'
include FHIRHelpers version '4.0.1' called FHIRHelpers
valueset "dx": 'https://ivfhir.example/fhir/ValueSet/dx'
parameter AsOf DateTime
context Patient
define Diagnoses: [Condition: "dx"]
define Born: Patient.birthDate.value
"""
PROTOCOL_CQL = """// Criteria of a protocol that exists for this test only.
library Protocol version '0.2.0'
using FHIR version '4.0.1'
include FHIRHelpers version '4.0.1' called FHIRHelpers
include Facts version '0.1.0' called Facts
parameter segments Integer default 4
context Patient
define Anchor: exists Facts.Diagnoses
"""


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(knowledge=tmp_path / "plan_definitions", terminology=tmp_path / "terminology")
    _write(layout.shared / "cql" / "Facts.cql", SHARED_CQL)
    _write(layout.knowledge / "lung" / "cql" / "Protocol.cql", PROTOCOL_CQL)
    _write(
        layout.terminology / "value-sets.csv",
        "value_set,system,code,display\ndx,http://snomed.info/sct,1,One\n"
        'dx,http://loinc.org,2,"Two, too"\ndx,http://snomed.info/sct,3,Three\n',
    )
    _write(layout.terminology / "value-set-titles.csv", "value_set,title\ndx,A diagnosis\n")
    return layout


@pytest.fixture
def elm() -> bytes:
    """ELM as the translator writes it, cut down to what the build reads."""
    dx = {"name": "dx", "id": "https://ivfhir.example/fhir/ValueSet/dx"}
    retrieve = {
        "type": "Retrieve",
        "dataType": "{http://hl7.org/fhir}Condition",
        "codeProperty": "code",
        "codes": {"type": "ExpandValueSet", "operand": {"type": "ValueSetRef", "name": "dx"}},
    }
    patient = {"type": "Retrieve", "dataType": "{http://hl7.org/fhir}Patient"}
    library = {
        "identifier": {"id": "Facts", "version": "0.1.0"},
        "includes": {"def": [{"path": "FHIRHelpers", "version": "4.0.1"}]},
        "valueSets": {"def": [dx]},
        "parameters": {"def": [_parameter("AsOf", "DateTime"), _parameter("segments", "Integer")]},
        "statements": {"def": [{"expression": retrieve}, {"expression": patient}, retrieve]},
    }
    return json.dumps({"library": library}).encode()


def _parameter(name: str, system_type: str) -> dict[str, object]:
    specifier = {"type": "NamedTypeSpecifier", "name": f"{{urn:hl7-org:elm-types:r1}}{system_type}"}
    return {"name": name, "parameterTypeSpecifier": specifier}


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
