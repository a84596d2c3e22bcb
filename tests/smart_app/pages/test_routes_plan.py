"""Settings in, dates out; drafts are kept, and nothing is written to the EHR."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from ivfhir.wording.words import UNITS
from tests.smart_app.conftest import new_client
from tests.smart_app.pages.conftest import Clinician, csrf_token


def day_after(days: int) -> dict[str, str]:
    day = datetime.now(UTC).date() + timedelta(days=days)
    return {"start-day": str(day.day), "start-month": str(day.month), "start-year": str(day.year)}


def test_the_first_working_day_a_week_ahead_is_proposed(clinician: Clinician):
    page = clinician.open("plan/LUNG").text
    start = re.search(r"every 28 days from (\w{3}) (\d+ \w{3} \d{4})", page)
    assert start.group(1) not in ("Sat", "Sun")
    ahead = (
        datetime.strptime(f"{start.group(2)} +0000", "%d %b %Y %z").date()
        - datetime.now(UTC).date()
    )
    assert 7 <= ahead.days <= 9


def test_looking_keeps_no_draft(clinician: Clinician, app):
    clinician.open("plan/LUNG")
    assert app.extensions["ivfhir"].store.drafts(clinician.launched.launch_id) == []


def test_new_settings_give_new_dates_and_a_draft_in_the_address(clinician: Clinician):
    fields = {"next": "plan", "segments": "6", "segment_interval_days": "35", **day_after(10)}
    answer = clinician.send("plan/LUNG", fields)
    assert answer.status_code == 303
    page = clinician.open(answer.headers["Location"]).text
    assert "Lung: 6 segments every 35 days" in page
    assert "by vein only" in page
    assert re.search(r'value="6"[^>]* checked', page)
    assert "Draft kept" in page


def test_a_value_out_of_bounds_is_told_at_the_field_and_kept(clinician: Clinician):
    answer = clinician.send("plan/LUNG", {"segment_interval_days": "21", **day_after(10)})
    assert answer.status_code == 422
    text = "Days between segments must be 28 to 35; you gave 21."
    assert answer.text.count(text) == 2
    assert re.search(r'id="segment_interval_days"[^>]*value="21"', answer.text)
    assert 'href="#segment_interval_days"' in answer.text


@pytest.mark.parametrize("name", ["segment_interval_days", "ia_infusion_minutes"])
def test_an_emptied_number_is_an_error_in_summary_and_field_and_stays_empty(
    clinician: Clinician, app, name
):
    answer = clinician.send("plan/LUNG", {name: "", **day_after(10)})
    assert answer.status_code == 422
    assert answer.text.count("is empty; the protocol&#39;s default is") == 2
    assert re.search(rf'id="{name}"[^>]*value=""', answer.text)
    assert f'href="#{name}"' in answer.text
    assert app.extensions["ivfhir"].store.drafts(clinician.launched.launch_id) == []


def test_every_wrong_value_is_told_at_once(clinician: Clinician):
    fields = {"segment_interval_days": "21", "ia_infusion_minutes": "5", **day_after(10)}
    answer = clinician.send("plan/LUNG", fields)
    assert "2 things to put right" in answer.text
    assert "must be 20 to 240; you gave 5." in answer.text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {"segment_interval_days": "often", **day_after(10)},
            "must be a whole number; you gave often.",
        ),
        ({"start-day": "31", "start-month": "2", "start-year": "2030"}, "The start must be a date"),
        (day_after(-1), "must not be before the day of evaluation"),
    ],
)
def test_what_cannot_be_meant_is_refused(clinician: Clinician, fields, words):
    answer = clinician.send("plan/LUNG", fields)
    assert answer.status_code == 422
    assert words in answer.text


def test_a_draft_can_be_changed(clinician: Clinician):
    draft_id = clinician.make_draft()
    page = clinician.open(f"plan/LUNG?draft={draft_id}")
    version = re.search(r'name="version" value="(\d+)"', page.text).group(1)
    fields = {"segments": "5", "version": version, **day_after(10)}
    answer = clinician.send(f"plan/LUNG?draft={draft_id}", fields, token=csrf_token(page))
    assert answer.status_code == 303
    assert draft_id in answer.headers["Location"]
    assert "5 segments" in clinician.open(f"review/{draft_id}").text


def test_a_draft_that_changed_in_another_window_is_not_overwritten(clinician: Clinician):
    draft_id = clinician.make_draft()
    answer = clinician.send(f"plan/LUNG?draft={draft_id}", {"version": "99", **day_after(10)})
    assert answer.status_code == 409
    assert "another window" in answer.text


def test_an_override_needs_a_reason(clinician_for):
    clinician = clinician_for("duarte")
    page = clinician.open("plan/LUNG")
    assert "Plan anyway?" in page.text
    assert f"45 {UNITS['10*9/L']}" in page.text
    answer = clinician.send("plan/LUNG", {"override-reason": "  "}, token=csrf_token(page))
    assert answer.status_code == 422
    assert "Write why a plan is made all the same." in answer.text
    assert "Choose what the override rests on." in answer.text


@pytest.mark.parametrize("reason", ["Platelets are given", "  Platelets  \n are   given  "])
def test_an_override_needs_twenty_characters_and_keeps_what_was_written(clinician_for, reason, app):
    clinician = clinician_for("duarte")
    page = clinician.open("plan/LUNG")
    fields = {"override-reason": reason, "override-kind": "judgement"}
    answer = clinician.send("plan/LUNG", fields, token=csrf_token(page))
    assert answer.status_code == 422
    assert "must have at least 20 characters; you gave 19." in answer.text
    assert 'href="#override-reason"' in answer.text
    assert "(OverrideReason)" not in answer.text
    assert re.search(r'value="judgement"[^>]* checked', answer.text)
    assert "Platelets" in answer.text.partition("<textarea")[2]
    assert app.extensions["ivfhir"].store.drafts(clinician.launched.launch_id) == []


def test_a_kind_that_does_not_exist_is_refused(clinician_for):
    clinician = clinician_for("duarte")
    page = clinician.open("plan/LUNG")
    fields = {"override-reason": "Platelets will be given before.", "override-kind": "whim"}
    answer = clinician.send("plan/LUNG", fields, token=csrf_token(page))
    assert answer.status_code == 422
    assert "Choose what the override rests on." in answer.text


def test_a_start_too_far_ahead_is_told_at_its_field(clinician, app):
    answer = clinician.send("plan/LUNG", day_after(181))
    assert answer.status_code == 422
    assert re.search(r"more than 180 days ahead; choose \d+ \w{3} \d{4} or earlier", answer.text)
    assert 'href="#start-day"' in answer.text
    assert clinician.send("plan/LUNG", day_after(180)).status_code == 303


def test_settings_reach_the_page_and_what_they_miss_is_said(clinician):
    fields = {"ia_infusion_minutes": "120", "response_offset_days": "35", "embolic_min_um": "500"}
    draft_id = clinician.make_draft(**fields)
    for page in (f"plan/LUNG?draft={draft_id}", f"review/{draft_id}"):
        text = clinician.open(page).text
        assert "radiotherapy within 42 days" in text
        assert "planned on day 49" in text
        assert "gives 75 % of the dose intensity" in text
    plan = clinician.open(f"plan/LUNG?draft={draft_id}").text
    assert "over 120 minutes" in plan
    assert "at least 500 micrometres" in plan
    assert "over 60 minutes" not in plan
    assert "by default" not in plan


def test_the_reason_of_an_override_stands_in_plan_and_review(clinician_for):
    clinician = clinician_for("duarte")
    reason = "Platelets will be <given> before the session."
    draft_id = clinician.make_draft(**{"override-reason": reason})
    review = clinician.open(f"review/{draft_id}").text
    assert "Override: nothing is written yet" in review
    assert "Platelets will be &lt;given&gt; before the session." in review
    assert "blocked by severe bleeding tendency" in review


def test_not_applicable_cannot_be_overridden(clinician_for):
    clinician = clinician_for("nowak")
    assert clinician.open("plan/LUNG").request.path.endswith("/why/LUNG")


def test_a_form_without_its_token_is_refused(clinician: Clinician, app):
    answer = clinician.send("plan/LUNG", day_after(10), token="forged")
    assert answer.status_code == 403
    assert app.extensions["ivfhir"].store.drafts(clinician.launched.launch_id) == []


def test_drafts_that_were_left_are_offered(clinician: Clinician):
    draft_id = clinician.make_draft()
    page = clinician.open("match").text
    assert "Drafts you left" in page
    assert f"/review/{draft_id}" in page


def test_a_draft_of_an_earlier_window_is_offered_in_its_own_launch(clinician_for):
    earlier = clinician_for("halloran")
    draft_id = earlier.make_draft()
    page = clinician_for("halloran").open("match").text
    assert earlier.launched.url(f"review/{draft_id}") in page
    assert draft_id not in clinician_for("lindqvist").open("match").text


def test_a_draft_of_another_browser_is_not_offered(clinician: Clinician, app, launch_for):
    draft_id = clinician.make_draft()
    other = new_client(app)
    assert draft_id not in Clinician(other, launch_for(other)).open("match").text


def test_the_ehr_is_not_written_to_by_planning(clinician: Clinician, repository):
    before = len(repository.search("CarePlan", {}))
    clinician.open(f"review/{clinician.make_draft()}")
    assert len(repository.search("CarePlan", {})) == before
