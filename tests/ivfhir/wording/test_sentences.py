"""Pieces of sentences."""

from ivfhir.wording.sentences import capitalise, count, decapitalise, join


def test_an_abbreviation_keeps_its_first_letter():
    assert capitalise("eGFR is computed") == "eGFR is computed"
    assert capitalise("INR") == "INR"
    assert capitalise("platelets") == "Platelets"


def test_counts_and_lists():
    assert count(1, "fact") == "1 fact"
    assert count(0, "fact") == "no facts"
    assert count(2, "criterion", "criteria") == "2 criteria"
    assert join(["a", "b", "c"]) == "a, b and c"
    assert decapitalise("ECOG 2") == "ECOG 2"
    assert decapitalise("Severe bleeding") == "severe bleeding"
