"""The other organs of STENT: named as text, never eligible, never planned."""

import pytest

from ivfhir.knowledge.actions import walk_actions
from ivfhir.knowledge.load import load_protocol

LABEL = "extension, not in the seed: "
ORGANS = (
    "airway",
    "bile duct",
    "superior vena cava",
    "duodenum and gastric outlet",
    "colon",
)


@pytest.fixture(scope="module")
def stent():
    return load_protocol("STENT")


def test_each_carries_its_label_and_is_disabled(stent):
    documents = {
        each["label"]: each["display"]
        for each in stent.plan_definition["relatedArtifact"]
        if each["type"] == "documentation"
    }
    found = {name.removeprefix(LABEL) for name in documents if name.startswith(LABEL)}
    assert found == set(ORGANS)
    for organ in ORGANS:
        assert "Disabled: never eligible and never planned" in documents[LABEL + organ]


def test_no_action_places_a_stent_anywhere_else(stent):
    placing = {
        action["id"]
        for action in walk_actions(stent.plan_definition)
        if "placement" in action["title"].lower() and "definitionCanonical" in action
    }
    assert placing == {"STENT-A02"}
    sites = {
        site["text"]
        for each in stent.activity_definitions.values()
        for site in each.get("bodySite", [])
    }
    assert sites == {"Oesophagus, at the tumour or the fistula"}
