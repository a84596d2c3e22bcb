"""Loading protocols by every name they have."""

import json
import os
import shutil

import pytest

from ivfhir.errors import KnowledgeError, UnknownProtocolError, UnsupportedError
from ivfhir.knowledge.load import (
    BrokenProtocol,
    ClinicalProtocol,
    Lazy,
    load_asked,
    load_protocol,
    load_protocols,
)
from ivfhir.knowledge.package import knowledge_root

URL = "https://ivfhir.example/fhir/PlanDefinition/LUNG"

pytestmark = pytest.mark.usefixtures("compiled_anew")


@pytest.fixture
def copy(tmp_path):
    """A copy of the lung folder elsewhere, without shared/: our shared files serve it."""
    folder = tmp_path / "mine"
    shutil.copytree(knowledge_root() / "lung", folder, ignore=shutil.ignore_patterns("cases"))
    return folder


def change(folder, **changes):
    path = folder / "PlanDefinition-LUNG.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize("reference", ["LUNG", URL, f"{URL}|0.2.0"])
def test_protocol_is_found_by_id_and_canonical(reference):
    protocol = load_protocol(reference)
    assert (protocol.id, protocol.version) == ("LUNG", "0.2.0")
    assert protocol.title.startswith("Standardised endovascular intervention")
    assert protocol.library.name == "LUNG"


def test_protocol_is_found_by_folder_and_file(copy):
    assert load_protocol(copy).id == "LUNG"
    assert load_protocol(str(copy)).id == "LUNG"
    assert load_protocol(copy / "PlanDefinition-LUNG.json").id == "LUNG"


def test_protocol_brings_all_that_evaluation_needs():
    protocol = load_protocol("LUNG")
    assert protocol.resource_types == {"Patient", "Condition", "Observation", "AllergyIntolerance"}
    lung = protocol.value_sets["https://ivfhir.example/fhir/ValueSet/dx-lung"]
    assert ("http://hl7.org/fhir/sid/icd-10-cm", "C34.11") in lung
    activity = "https://ivfhir.example/fhir/ActivityDefinition/LUNG-A03|0.2.0"
    assert protocol.activity_definitions[activity]["kind"] == "ServiceRequest"
    assert len(protocol.activity_definitions) == 16


def test_all_protocols_are_listed_and_loaded_when_asked_for():
    protocols = load_protocols()
    plans = sorted(knowledge_root().glob("*/PlanDefinition-*.json"))
    own = [path for path in plans if path.parent.name != "regimens"]
    assert list(protocols) == [path.stem.removeprefix("PlanDefinition-") for path in own]
    assert protocols["LUNG"] is protocols["LUNG"]


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("KIDNEY", r"Known: .*\bLUNG\b"),
        ("lung", r"Known: .*\bLUNG\b"),
        ("https://ivfhir.example/fhir/PlanDefinition/KIDNEY", r"Known: .*\bLUNG\b"),
        ("https://other.example/fhir/PlanDefinition/LUNG", r"Known: .*\bLUNG\b"),
        (f"{URL}|9.0.0", "0.2.0 is"),
    ],
)
def test_unknown_name_tells_what_is_known(reference, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnknownProtocolError, match=words):
        load_protocol(reference)


def test_folder_without_plan_is_unknown(tmp_path):
    with pytest.raises(UnknownProtocolError, match="holds 0 files"):
        load_protocol(tmp_path)


def test_other_resource_is_no_protocol():
    with pytest.raises(KnowledgeError, match="is not a PlanDefinition"):
        load_protocol(knowledge_root() / "lung" / "ActivityDefinition-LUNG-A01.json")


def test_library_that_is_missing_is_told(copy):
    change(copy, library=["https://a.example/Library/A", "https://a.example/Library/B"])
    with pytest.raises(KnowledgeError, match="No ELM of library A"):
        load_protocol(copy)


def test_plan_without_title_is_told(copy):
    change(copy, title="")
    with pytest.raises(KnowledgeError, match=r"PlanDefinition-LUNG\.json has no title; add it"):
        load_protocol(copy)


def test_plan_may_list_several_libraries_and_its_own_is_the_one_of_its_name(copy):
    names = ("IOFacts", "LUNG", "LUNGPlan")
    listed = [f"https://ivfhir.example/fhir/Library/{name}|0.2.0" for name in names]
    change(copy, library=listed)
    protocol = load_protocol(copy)
    assert list(protocol.libraries) == listed
    assert protocol.library.name == "LUNG"


def test_protocols_that_are_asked_for_together_share_one_program(copy):
    first, second = load_asked(["LUNG", str(copy)])
    assert first.library.program is second.library.program
    assert len(load_asked(["LUNG", URL, "LUNG"])) == 1


def test_protocol_that_is_broken_is_in_its_place_and_stops_no_other(copy):
    change(copy, action=[{"id": "a", "definitionUri": "urn:x"}])
    broken, lung = load_asked([str(copy), "LUNG"])
    assert isinstance(broken, BrokenProtocol)
    assert (broken.id, broken.version) == ("LUNG", "0.2.0")
    assert "only ActivityDefinitions" in broken.error.message
    assert isinstance(lung, ClinicalProtocol)


def test_protocol_whose_file_is_no_json_is_named_by_its_file(copy):
    (copy / "PlanDefinition-LUNG.json").write_text("{")
    [broken] = load_asked([str(copy)])
    assert (broken.id, broken.version, broken.title) == ("LUNG", None, "LUNG")


def test_second_library_of_the_same_name_and_version_is_refused(copy):
    path = copy / "cql" / "LUNG.json"
    path.write_text(path.read_text().replace("Active lung cancer", "Another lung cancer"))
    lung, broken = load_asked(["LUNG", str(copy)])
    assert isinstance(lung, ClinicalProtocol)
    assert "two libraries LUNG 0.2.0, and they differ" in broken.error.message


def test_second_value_set_of_the_same_canonical_is_refused(copy):
    shutil.copytree(knowledge_root() / "shared", copy.parent / "shared")
    path = copy.parent / "shared" / "ValueSet-inr.json"
    value_set = json.loads(path.read_text())
    value_set["expansion"]["contains"] = [{"system": "urn:x", "code": "y"}]
    path.write_text(json.dumps(value_set))
    lung, broken = load_asked(["LUNG", str(copy)])
    assert isinstance(lung, ClinicalProtocol)
    assert "two value sets https://ivfhir.example/fhir/ValueSet/inr" in broken.error.message


def test_plan_that_needs_what_we_do_not_have_is_refused_at_load(copy):
    change(copy, action=[{"id": "a", "definitionUri": "urn:x"}])
    with pytest.raises(UnsupportedError, match="only ActivityDefinitions"):
        load_protocol(copy)


def test_value_set_without_expansion_is_refused(copy):
    shutil.copytree(knowledge_root() / "shared", copy.parent / "shared")
    path = copy.parent / "shared" / "ValueSet-inr.json"
    value_set = json.loads(path.read_text())
    del value_set["expansion"]
    path.write_text(json.dumps(value_set))
    with pytest.raises(KnowledgeError, match="no expansion"):
        load_protocol(copy)


def test_activity_is_checked_when_it_is_read(copy):
    path = copy / "ActivityDefinition-LUNG-A01.json"
    broken = {"path": "status", "expression": {"language": "text/cql", "expression": "Segment_5"}}
    path.write_text(json.dumps(json.loads(path.read_text()) | {"dynamicValue": [broken]}))
    activities = load_protocol(copy).activity_definitions
    with pytest.raises(UnsupportedError, match="LUNG-A01 would change 'status'"):
        dict(activities)


def test_lazy_makes_a_value_once():
    made = []
    lazy = Lazy(["a", "b"], lambda key: made.append(key) or key.upper())
    assert (list(lazy), len(lazy), made) == (["a", "b"], 2, [])
    assert (lazy["a"], lazy["a"], made) == ("A", "A", ["a"])
    with pytest.raises(KeyError):
        lazy["c"]


def test_relative_path_is_found(copy, monkeypatch):
    monkeypatch.chdir(copy.parent)
    assert load_protocol(f".{os.sep}mine").id == "LUNG"
