"""Concepts in words."""

from ivfhir.wording.concepts import CONCEPTS, OBTAIN, concept, concept_inside


def test_an_unknown_concept_reads_well_enough():
    assert concept("new-fact") == "New fact"
    assert concept_inside("platelets") == "platelets"
    assert concept_inside("inr") == "INR"


def test_whatever_can_be_obtained_has_a_name():
    assert set(OBTAIN) <= set(CONCEPTS)
