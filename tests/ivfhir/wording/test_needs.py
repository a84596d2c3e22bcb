"""What has to be obtained, one line a need."""

import re

import pytest

from ivfhir.wording.concepts import CONCEPTS
from ivfhir.wording.needs import Need, named, needs


def lines(*keys):
    return [(need.heading, need.how) for need in needs(keys)]


def test_either_of_two_is_one_need():
    assert lines("creatinine", "egfr", "inr") == [
        ("Creatinine or eGFR", "a blood result"),
        ("INR", "a blood result"),
    ]
    assert lines("egfr") == [("eGFR", "a creatinine or eGFR result")]


def test_one_blood_count_gives_all_its_facts():
    assert lines("platelets", "inr", "anc") == [
        ("Blood count", "with platelets and neutrophils"),
        ("INR", "a blood result"),
    ]
    assert lines("platelets") == [("Platelets", "a blood count")]


def test_weight_and_height_are_one_need_and_an_earlier_weight_another():
    headings = [heading for heading, _ in lines("weight", "height", "weight-loss-6m-pct")]
    assert headings == ["Weight and height", "Earlier weight"]


def test_windows_stand_in_the_protocol_alone():
    """A number of days, weeks or months here would be a second copy of the CQL's."""
    said = [need.how for need in (*needs(CONCEPTS), *(needs([key])[0] for key in CONCEPTS))]
    assert not [how for how in said if re.search(r"\d+ (day|week|month)", how)]


def test_diagnoses_that_no_code_rules_out_are_one_problem_list():
    assert lines("bleeding-disorder", "active-infection") == [
        (
            "Coded problem list",
            "entries with codes, to look for bleeding disorder and active infection",
        )
    ]
    assert lines("haemoptysis")[0][0] == "Coded problem list"


def test_the_history_of_chemotherapy_is_one_need():
    [(heading, how)] = lines("chemosensitivity", "prior-chemo-lines", "last-chemo-response")
    assert heading == "Chemotherapy history"
    assert "the earlier lines with the response to the last" in how
    assert lines("prior-chemo-lines")[0][0] == "Earlier lines of chemotherapy"


def test_an_unknown_fact_reads_well_enough():
    assert lines("new-fact") == [("New fact", "")]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (("inr",), "INR is missing"),
        (("platelets",), "platelets are missing"),
        (("platelets", "anc"), "blood count is missing"),
        (("inr", "ecog"), "INR and ECOG performance status are missing"),
        (("inr", "ecog", "contrast-allergy", "sex"), "4 facts are missing"),
    ],
)
def test_what_is_missing_is_named_or_counted(keys, words):
    assert named(needs(keys), at_most=3) == words


def test_a_need_that_several_criteria_have_is_named_once():
    assert needs(["inr", "inr"]) == (Need("INR", "a blood result"),)
