"""Pieces of sentences."""

from ivfhir.wording.sentences import count, decapitalise, join


def test_counts_and_lists():
    assert count(1, "fact") == "1 fact"
    assert count(0, "fact") == "no facts"
    assert count(2, "criterion", "criteria") == "2 criteria"
    assert join(["a", "b", "c"]) == "a, b and c"
    assert decapitalise("ECOG 2") == "ECOG 2"
    assert decapitalise("Severe bleeding") == "severe bleeding"
