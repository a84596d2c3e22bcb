"""The first page, for the sample patients of 3 March 2025."""

from smart_app.pages.answers import read_answer
from smart_app.pages.match import match_page
from smart_app.pages.words import UNITS
from tests.smart_app.pages.conftest import sample


def page_of(name, *, empty=False, culprit=None):
    patient = sample(name)
    blocks = read_answer(patient.entry, patient.card, patient.writer).blocks
    culprits = [fact for each in blocks for fact in each.facts if fact.key == culprit]
    answered = read_answer(patient.entry, patient.card, patient.writer, culprits)
    return match_page(patient.decision, [answered], problem_list_empty=empty)


def test_eligible():
    page = page_of("halloran")
    assert page.headline.title == "Eligible for 1 protocol: lung"
    assert page.counts[0] == ("eligible", 1, "eligible")
    (entry,) = page.entries
    assert entry.lines == (
        "All 13 conditions are met",
        "No caution applies; 1 of 10 could not be assessed: fast-growing or progressing tumour",
    )
    assert (entry.card.strength, entry.card.squares) == ("very low", 1)
    assert "chemoradiotherapy" in entry.card.standard_care


def test_undecided():
    page = page_of("lindqvist")
    assert page.headline.title == "Cannot tell yet for lung: 1 fact is missing"
    assert page.entries[0].obtain == (("INR", "a blood result"),)


def test_ineligible():
    page = page_of("duarte", culprit="platelets")
    assert page.headline.title == f"Not eligible for lung: platelets 45 {UNITS['10*9/L']}"
    assert page.entries[0].lines[0] == f"Blocks: platelets 45 {UNITS['10*9/L']}"
    assert page.entries[0].action == "See what blocks"


def test_the_dead():
    page = page_of("ferris")
    assert page.headline.title.startswith("Recorded as died on")
    assert page.entries[0].action == "See the answers"


def test_an_empty_problem_list():
    page = page_of("halloran", empty=True)
    assert page.headline.title == "The problem list is empty: no protocol can be judged"


def test_the_six_others_are_not_yet_computable():
    rest = page_of("halloran").rest
    assert [row.status for row in rest] == ["Not yet computable"] * 6
