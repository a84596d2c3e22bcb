"""Remarks name entries in the entries' own words, as links."""

import pytest

from ivfhir.wording.words import unread_reason
from smart_app.pages.notes import NotePart, linked
from smart_app.pages.sources import Citation, read_sources

ENTRIES = {
    "Condition/c.1": {
        "resourceType": "Condition",
        "code": {"text": "Mass in the lung"},
        "recordedDate": "2025-02-03",
    },
    "Observation/o": {"resourceType": "Observation", "effectiveDateTime": "2025-02-28"},
}


def parts(note):
    return linked(note, ENTRIES, lambda reference: f"/record/{reference}")


def test_an_entry_that_leaves_a_criterion_open_is_a_link_in_its_own_words():
    assert parts("Condition/c.1 leaves open whether there is lung cancer: it is not confirmed") == (
        NotePart("\u201cMass in the lung\u201d of 3 Feb 2025", "/record/Condition/c.1"),
        NotePart(" leaves open whether there is lung cancer: it is not confirmed"),
    )


def test_an_entry_without_words_says_what_it_is():
    found = parts("see Observation/o.")
    assert [part.text for part in found] == ["See ", "a result of 28 Feb 2025", "."]
    found = parts("Condition/gone was left out")
    assert found[0] == NotePart("An entry of the problem list", "/record/Condition/gone")


def test_a_note_without_a_reference_stays_one_sentence():
    assert parts("no record found of haemoptysis") == (NotePart("No record found of haemoptysis"),)
    assert parts("") == (NotePart(""),)


@pytest.mark.parametrize(
    ("note", "words"),
    [
        ("Observation was not read: it was refused.", "Results and measurements were not read: "),
        ("Condition was not read: it was refused.", "The problem list was not read: "),
        ("Condition/x was left out", "Condition/x was left out"),
        ("nothing", "nothing"),
    ],
)
def test_reasons_name_parts_of_the_record(note, words):
    assert unread_reason(note).startswith(words)


def test_marks_of_sources_become_citations_that_can_be_opened():
    citations = {
        "R7": Citation("Galsky 2011", "https://doi.org/10.1200/x"),
        "R9": Citation("Label"),
        "S3": Citation("One author"),
    }
    one, two = read_sources("seed: S3-13; lit-conf: label and table [R7, R9]", citations)
    assert (one.text, one.citations) == ("", (citations["S3"],))
    assert two.text == "label and table"
    assert two.citations == (citations["R7"], citations["R9"])
    [plain] = read_sources("lit-GK: contrast manuals", citations)
    assert (plain.text, plain.citations) == ("contrast manuals", ())
