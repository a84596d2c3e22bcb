"""The first page, for the sample patients of 3 March 2025."""

from dataclasses import replace

from ivfhir.evaluate import evaluate
from ivfhir.expressions.values import DateTime
from ivfhir.knowledge.load import load_protocol, load_protocols
from ivfhir.knowledge.planned import planned_protocols
from ivfhir.wording.needs import Need
from ivfhir.wording.words import UNITS
from smart_app.pages.answers import read_answer
from smart_app.pages.match import match_page
from tests.smart_app.pages.conftest import AS_OF, sample


def page_of(name, *, culprit=None):
    patient = sample(name)
    blocks = read_answer(patient.entry, patient.card, patient.writer).blocks
    culprits = [fact for each in blocks for fact in each.facts if fact.key == culprit]
    answered = read_answer(patient.entry, patient.card, patient.writer, culprits)
    return match_page(patient.decision, [answered], problem_list_empty=False)


def test_eligible():
    page = page_of("halloran")
    assert page.headline.title == "Eligible for 1 protocol: lung"
    assert page.counts[0] == ("eligible", 1, "eligible")
    (entry,) = page.entries
    assert entry.lines == (
        "All 13 conditions are met",
        "No caution was raised; 1 of 10 could not be assessed: fast-growing or progressing tumour",
    )
    assert (entry.card.strength, entry.card.squares) == ("very low", 1)
    assert "chemoradiotherapy" in entry.card.standard_care


def test_undecided():
    page = page_of("lindqvist")
    assert page.headline.title == "Cannot tell yet for lung: 1 fact is missing"
    assert page.entries[0].obtain == (Need("INR", "a blood result"),)


def test_ineligible():
    page = page_of("duarte", culprit="platelets")
    assert page.headline.title == f"Not eligible for lung: platelets 45 {UNITS['10*9/L']}"
    assert page.entries[0].lines[0] == f"Blocks: platelets 45 {UNITS['10*9/L']}"
    assert page.entries[0].action == "See what blocks"


def test_the_dead():
    page = page_of("ferris")
    assert page.headline.title.startswith("Recorded as died on")
    assert page.entries[0].action == "See the answers"


def page_without_problem_list(name, *, unread):
    """Return the page when the problem list holds nothing, or could not be read."""
    patient = sample(name)
    kept = [each for each in patient.record.resources if each["resourceType"] != "Condition"]
    unread_types = {"Condition": "no answer"} if unread else {}
    record = replace(patient.record, resources=tuple(kept), unread=unread_types)
    decision = evaluate(record, [load_protocol("LUNG")], as_of=DateTime.parse(AS_OF)).to_json()
    answered = read_answer(decision["protocols"][0], patient.card, patient.writer)
    return match_page(decision, [answered], problem_list_empty=not unread)


def test_an_empty_problem_list():
    page = page_without_problem_list("halloran", unread=False)
    assert page.headline.title == "The problem list is empty: no protocol can be judged"


def test_an_empty_problem_list_hides_nothing_that_blocks():
    page = page_without_problem_list("duarte", unread=False)
    said = f"{page.headline.title} {page.headline.text}"
    assert "severe bleeding tendency" in said
    assert "no protocol can be judged" not in said


def test_an_unread_problem_list_hides_nothing_that_blocks():
    page = page_without_problem_list("duarte", unread=True)
    assert page.headline.title.startswith("Not eligible for lung: marrow reserve")


def test_an_unread_problem_list_where_nothing_fails():
    page = page_without_problem_list("halloran", unread=True)
    assert "No condition that could be judged fails." in page.headline.text
    assert "Nothing found" not in page.headline.text, "an INR of 9 would be found, and not judged"


def test_what_is_planned_is_named_and_nothing_is_planned_any_more():
    assert planned_protocols(load_protocols()) == []
    assert page_of("halloran").rest == ()


TUMOUR = {"id": "TINY", "version": "0.1.0"}


def failed_page(code, *, other=True):
    """Return the page where a second protocol has failed; without `other`, where it is alone."""
    patient = sample("halloran")
    message = "TINY: X_BLEED: ValueError while evaluating"
    issue = {"severity": "error", "code": code, "diagnostics": message}
    outcome = {"resourceType": "OperationOutcome", "issue": [issue]}
    entries = [*patient.decision["protocols"][: int(other)], {**TUMOUR, "outcome": outcome}]
    answers = [read_answer(patient.entry, patient.card, patient.writer)][: int(other)]
    decision = {**patient.decision, "protocols": entries}
    return match_page(
        decision, answers, problem_list_empty=False, titles={"TINY": "A tiny protocol"}
    )


def test_a_protocol_that_failed_has_a_card_in_its_place_and_stops_no_other():
    page = failed_page("processing")
    assert page.headline.title == "Eligible for 1 protocol: lung"
    (card,) = page.failed
    assert (card.title, card.rules) == ("A tiny protocol", "TINY 0.1.0")
    assert card.text == (
        "Its rules could not be worked out for this record, so nothing is said about this patient. "
        "Tell whoever runs this app."
    )
    assert page_of("halloran").failed == ()


def test_a_protocol_that_could_not_be_loaded_says_so():
    (card,) = failed_page("not-supported").failed
    assert card.text.startswith("Its rules could not be loaded, so nothing is said")


def test_where_every_protocol_failed_nothing_is_said_to_apply_or_not():
    page = failed_page("processing", other=False)
    assert page.headline.title == "No protocol could be checked"
    assert (page.counts, page.entries, len(page.failed)) == ((), (), 1)
