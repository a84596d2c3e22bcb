"""The receipt of a plan that was written, and of one that was not."""

from datetime import UTC, date, datetime

import pytest

from ivfhir.write_back import WriteReceipt
from ivfhir.writing.earlier import Ended
from ivfhir.writing.read_back import Compared
from smart_app.pages.receipt import files_page, rival_words, unwritten_page, written_page
from smart_app.pages.standing import Standing
from smart_app.visit.overriding import Override
from smart_app.visit.sending import receipt_body
from tests.smart_app.pages.conftest import sample

ACTIVE = Standing("active")
WHEN = datetime(2025, 3, 3, 8, 51, tzinfo=UTC)
SAME = Compared("d1.LUNG-A02.1", "ServiceRequest", "ServiceRequest/7", "1", ())


def page_of(*entries, override=None, gap="", replaced=(), rivals=None, standing=ACTIVE, **more):
    body = receipt_body(WriteReceipt(entries, already_there=False, **more), written_at=WHEN)
    return written_page(
        {**body, "replaced": list(replaced), "rivals": rivals},
        sample("halloran").care_plan("2025-03-03"),
        signer="Dr Voss",
        accepted_at="2025-03-03T08:51:00+00:00",
        server="Riverside EHR",
        today=date(2025, 3, 3),
        link=lambda reference: f"/record/{reference}",
        how="All entries went to Test EHR as one transaction.",
        standing=standing,
        override=override,
        gap=gap,
    )


def test_everything_is_the_same():
    page = page_of(SAME)
    assert page.title == "Written: 1 of 1 entries, read back and the same"
    assert page.text[0].startswith("Accepted by Dr Voss on 3 Mar 2025, 08:51.")
    (place,) = page.places
    (link,) = place.links
    assert link.what == "Safety check, segment 1, 2 Mar 2025"
    assert link.href == "/record/ServiceRequest/7"
    assert place.compared == "Same"


def test_an_overridden_plan_is_not_green():
    override = Override("The board asks for it.", "Tumour-board decision")
    page = page_of(SAME, override=override, gap="cannot tell, INR is missing")
    assert (page.style, page.shape) == ("warn", "warn")
    assert page.title == ("Written: 1 of 1 entries, read back and the same; made by override")
    assert page.override == override
    assert page.gap == "cannot tell, INR is missing"


def test_an_earlier_plan_that_was_not_seen_to_end_is_not_green():
    earlier = {"reference": "CarePlan/1", "parts": []}
    page = page_of(SAME, replaced=[earlier], ended=(Ended("CarePlan/1", "revoked", "revoked"),))
    assert page.style == "eligible"
    page = page_of(SAME, replaced=[earlier], ended=(Ended("CarePlan/1", "revoked", "active"),))
    assert page.style == "warn"
    assert page.replacement.doubtful == ("CarePlan/1: it was to become revoked, and reads active",)


def test_a_difference_is_listed():
    other = Compared("d1.x", "Goal", "Goal/9", "1", ("note is missing",))
    page = page_of(SAME, other)
    assert page.title == "Written: 2 of 2 entries, 1 of them read back and the same"
    assert page.places[1].differences == ("Goal/9: note is missing",)
    assert page.style == "ask"


def test_what_could_not_be_read_back_is_said():
    page = page_of(Compared("d1.x", "Goal", "Goal/9", "", None))
    assert page.places[0].differences == ("Goal/9: could not be read back",)


def test_copies_are_told():
    page = page_of(SAME, withdrawn=("CarePlan/8",), left_over=("CarePlan/9",))
    assert any("1 copy" in sentence for sentence in page.text)
    assert any("CarePlan/9" in sentence for sentence in page.text)
    assert page.style == "warn"
    page = page_of(SAME, copies_unknown=True)
    assert any("could not be looked up" in sentence for sentence in page.text)
    assert page.style == "ask"


def test_the_next_steps_come_first():
    steps = page_of(SAME).next_steps
    assert steps[0].when == "Planned for Sun 2 Mar 2025, until Mon 3 Mar 2025"
    assert steps[0].title == "Safety check, segment 1"
    assert steps[0].late


def test_a_plan_that_can_be_sent_again():
    problem = {"title": "the EHR did not answer", "message": "No answer.", "again": "yes"}
    page = unwritten_page(problem, review_href="/r", match_href="/m")
    assert page.title == "Not written: the EHR did not answer"
    assert page.send_again == "Send again"
    assert "never twice" in page.text[1]


def test_a_plan_that_must_be_reviewed_again():
    problem = {"title": "the EHR does not allow it", "message": "No.", "again": "no"}
    page = unwritten_page(problem, review_href="/r", match_href="/m")
    assert page.send_again == ""
    assert page.links[0] == ("Review again", "/r")


def test_whose_words_the_details_are_is_said():
    problem = {"title": "x", "message": "No.", "again": "no", "details": "d"}
    said = [
        unwritten_page(each, review_href="/r", match_href="/m").details_title
        for each in (problem, problem | {"by": "ivfhir"})
    ]
    assert said == ["What the EHR said", "What the app's own check found"]


def test_what_the_ehr_held_and_is_not_valid_is_told_to_technical_staff():
    page = page_of(SAME, warnings=("It is not valid FHIR R4: a", "b"))
    assert page.details == "It is not valid FHIR R4: a\nb"
    assert page.details_title == "What the app's own check found"
    assert page_of(SAME).details == ""


def test_the_plan_that_was_stored_first_stays_and_the_receipt_says_so():
    rivals = {
        "own": "CarePlan/1",
        "stays": "CarePlan/1",
        "author": "Dr Voss",
        "revoked": ["CarePlan/2", "CarePlan/3"],
        "left": ["CarePlan/4"],
    }
    assert rival_words(rivals) == [
        "Another session accepted a plan of this protocol for this patient at the same time. "
        "Yours was stored first and stayed.",
        "Revoked with their draft orders: CarePlan/2 and CarePlan/3.",
        "Not seen to be revoked: CarePlan/4. Look in the EHR, and revoke there what is still "
        "active.",
    ]


def test_a_plan_that_gave_way_is_not_called_written():
    rivals = {
        "own": "CarePlan/2",
        "stays": "CarePlan/1",
        "author": "Dr Okafor",
        "revoked": ["CarePlan/2"],
        "left": [],
    }
    page = page_of(SAME, rivals=rivals)
    assert page.style == "warn"
    assert page.title.startswith("Withdrawn again: another plan was accepted at the same time")
    assert page.text[-1] == (
        "Another session's plan of this protocol (CarePlan/1, accepted by Dr Okafor) was stored "
        "first and stayed. Yours was revoked with its draft orders; both can be read in the EHR."
    )


def test_two_active_plans_are_said_when_one_could_not_be_revoked():
    rivals = {
        "own": "CarePlan/2",
        "stays": "CarePlan/1",
        "author": "",
        "revoked": [],
        "left": ["CarePlan/2"],
    }
    (sentence,) = rival_words(rivals)
    assert sentence.endswith("look in the EHR, and revoke one of them while both are active.")


def test_a_failed_look_for_other_plans_is_said():
    (sentence,) = rival_words({"unknown": True})
    assert "could not be looked up" in sentence
    assert rival_words(None) == []


@pytest.mark.parametrize(
    ("standing", "title", "words"),
    [
        (
            Standing("revoked", replaced_by=("CarePlan/9",)),
            "Revoked since it was written: 1 of 1 entries, read back and the same",
            "In Riverside EHR the plan's status is now revoked, replaced by CarePlan/9.",
        ),
        (
            Standing("on-hold"),
            "On hold since it was written: 1 of 1 entries, read back and the same",
            "In Riverside EHR the plan's status is now on-hold.",
        ),
        (
            Standing("unknown"),
            "Now unknown in the EHR: 1 of 1 entries, read back and the same",
            "In Riverside EHR the plan's status is now unknown.",
        ),
        (
            Standing(gone=True),
            "No longer shown by the EHR: 1 of 1 entries, read back and the same",
            "Riverside EHR was asked for the plan just now and shows none of that id.",
        ),
    ],
)
def test_a_plan_that_is_over_since_is_said_and_has_no_next_steps(standing, title, words):
    page = page_of(SAME, standing=standing)
    assert page.title == title
    assert words in page.text[0]
    assert "The plan is in" not in page.text[0]
    assert (page.style, page.next_steps) == ("warn", ())


def test_a_plan_whose_standing_cannot_be_read_is_not_called_active():
    page = page_of(SAME, standing=Standing())
    assert page.title == "Written: 1 of 1 entries, read back and the same"
    assert "How it stands there now could not be read" in page.text[0]
    assert (page.style, page.next_steps) == ("ask", ())


def test_a_plan_that_waits_for_a_sign_in_is_not_said_to_be_sent_by_itself():
    problem = {"title": "it waits", "message": "The access is over.", "again": "yes"}
    waiting = unwritten_page(problem, review_href="/r", match_href="/m", by_itself=False)
    assert waiting.text[1] == "Your accepted plan is kept and sent again, never twice."


def test_the_name_of_the_ehr_begins_its_sentence_with_a_capital():
    body = {"signer": "Dr A", "acceptedAt": "2026-11-28T10:00:00+00:00"}
    page = files_page(body, server="the ward's EHR", files=())
    assert ". The ward's EHR takes no plan from this app" in page.text[0]
