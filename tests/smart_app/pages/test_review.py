"""The review of a draft, and what changed since."""

from copy import deepcopy
from dataclasses import replace
from datetime import date

from ivfhir.wording.words import UNITS
from smart_app.pages.changes import find_changes
from smart_app.pages.review import gap_words, review_page
from smart_app.visit.accepting import Change
from smart_app.visit.draft import Basis, PlanRequest
from smart_app.visit.overriding import Override
from tests.smart_app.pages.conftest import content_of, sample


def draft_of(**asked):
    patient = sample("halloran")
    return content_of(
        patient,
        versions={"Observation/halloran-platelets": "1"},
        request=PlanRequest({}, "", **asked),
    )


def page_of(draft):
    patient = sample("halloran")
    return review_page(draft, patient.card, patient.writer, why_href="/why", today=date(2025, 3, 3))


def test_every_entry_is_counted_in_words():
    page = page_of(draft_of())
    counts = {line.what: (line.resource_type, line.count) for line in page.lines}
    assert page.total == 48
    assert counts["Safety check"] == ("ServiceRequest", 4)
    assert counts["Toxicity laboratory check"] == ("ServiceRequest", 8)
    assert counts["Platinum, arterial"] == ("MedicationRequest", 4)
    assert counts["Goals"] == ("Goal", 5)
    assert counts["Signature"] == ("Provenance", 1)


def test_an_override_is_named_with_its_kind():
    page = page_of(draft_of(override_kind="trial", override_reason="Trial X-12, arm B."))
    assert page.title == "Override: nothing is written yet"
    assert page.override == Override("Trial X-12, arm B.", "Trial")
    assert page.gap == "eligible"
    assert page_of(draft_of()).override is None


def test_dates_and_late_days_are_said():
    lines = {line.what: line for line in page_of(draft_of()).lines}
    assert lines["Safety check"].content == "2 Mar, 30 Mar, 27 Apr, 25 May 2025"
    assert lines["Conventional radiotherapy"].content == "7 Jul 2025 (23 Jun to 21 Jul 2025)"
    assert lines["Baseline assessment"].late == "ended"
    assert lines["Partner drug, intravenous"].status == "draft proposal, no dose"


def test_nothing_changed():
    assert find_changes(draft_of().basis(), draft_of().basis(), sample("halloran").writer) == []


def test_each_change_is_named_before_and_now():
    before = draft_of().basis()
    decision = deepcopy(before.decision)
    for criterion in decision["criteria"]:
        for evidence in criterion.get("evidence", ()):
            if evidence["concept"] == "platelets":
                evidence["value"] = 45
            evidence["ageDays"] = 99
    decision["status"] = "ineligible"
    now = Basis(
        decision,
        "2025-03-04T10:00:00.000+00:00",
        {**before.subject, "deceased": True},
        {"Observation/halloran-platelets": "2"},
        (),
    )
    unit = UNITS["10*9/L"]
    assert find_changes(draft_of().basis(), now, sample("halloran").writer) == [
        Change("Day of the answers", "3 Mar 2025", "4 Mar 2025"),
        Change("Patient", "alive", "recorded as died"),
        Change("Platelets", f"220 {unit}, 28 Feb 2025", f"45 {unit}, 28 Feb 2025"),
        Change("Answer", "Eligible", "Not eligible"),
        Change(
            "“Platelets [#/volume] in Blood by Automated count” of 28 Feb 2025",
            "version 1",
            "version 2",
        ),
    ]


def test_an_earlier_plan_that_appeared_is_a_change():
    now = replace(draft_of().basis(), earlier=({"reference": "CarePlan/7", "version": "1"},))
    (change,) = find_changes(draft_of().basis(), now, sample("halloran").writer)
    assert change == Change("Active plans of this protocol", "none", "CarePlan/7 version 1")


def test_the_gap_of_an_override():
    undecided, blocked = sample("lindqvist"), sample("duarte")
    assert gap_words(undecided.entry, undecided.writer) == "cannot tell, INR is missing"
    assert gap_words(blocked.entry, blocked.writer) == (
        "not eligible, blocked by severe bleeding tendency and "
        "marrow reserve for a platinum doublet not fulfilled"
    )
