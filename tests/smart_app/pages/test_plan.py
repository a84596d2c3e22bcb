"""The plan: its board, list and settings, for vignettes V01 and V12's schedule."""

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest

from ivfhir.knowledge.parameters import read_parameters
from smart_app.pages.agenda import agenda, to_settle
from smart_app.pages.board import LEFT, RIGHT, draw_board
from smart_app.pages.lanes import stem_of
from smart_app.pages.parameters import (
    errors_by_field,
    given_values,
    not_numbers,
    proposed_start,
    read_fields,
)
from smart_app.pages.plan import plan_title
from smart_app.pages.plan_items import plan_items, round_starts
from tests.smart_app.pages.conftest import sample

TODAY = date(2025, 3, 3)


@pytest.fixture(scope="module")
def items():
    return plan_items(sample("halloran").care_plan("2025-03-03"))


@pytest.fixture(scope="module")
def six():
    plan = sample("halloran").care_plan("2025-03-03", segments=6, segment_interval_days=35)
    return plan_items(plan)


def day_of(items, action_id):
    (item,) = [item for item in items if item.action_id == action_id]
    return item.planned, item.low, item.high


def test_v01_has_its_days(items):
    assert list(round_starts(items).values()) == [
        date(2025, 3, 3),
        date(2025, 3, 31),
        date(2025, 4, 28),
        date(2025, 5, 26),
    ]
    assert day_of(items, "LUNG-A05.1.1") == (
        date(2025, 3, 4),
        date(2025, 3, 4),
        date(2025, 3, 6),
    )
    assert day_of(items, "LUNG-A14") == (
        date(2025, 2, 17),
        date(2025, 2, 3),
        date(2025, 3, 2),
    )
    assert day_of(items, "LUNG-A11") == (date(2025, 7, 7), date(2025, 6, 23), date(2025, 7, 21))


def test_the_title_says_segments_interval_and_start():
    patient = sample("halloran")
    title = plan_title(plan_items(patient.care_plan("2025-03-03")), patient.card)
    assert title == "Lung: 4 segments every 28 days from Mon 3 Mar 2025"


def test_the_board_puts_four_segments_on_the_prototypes_scale(items):
    board = draw_board(items, title="t", today=TODAY)
    names = [text.words for text in board.texts if text.css == "head"]
    assert names == ["Before", *(f"Segment {k}" for k in range(1, 5)), "After", "Today, 3 Mar"]
    assert "from 1 Feb 2025 to 27 Jul 2025" in board.description
    first = next(mark for mark in board.marks if mark.lane == "infusion")
    assert first.title == "Segment 1: Angiography and arterial platinum infusion, Mon 3 Mar 2025"
    assert first.x == pytest.approx(274.1, abs=1)
    assert all(LEFT <= mark.x <= RIGHT for mark in board.marks)


def test_the_board_labels_marks_as_the_prototype_does(items):
    words = {text.words for text in draw_board(items, title="t", today=TODAY).texts}
    assert {"all but one", "complete", "10, 17 Mar", "CT 21 Apr", "CT and MDT 23 Jun"} <= words
    assert "start 7 Jul" in words
    assert "Later: follow-up CT 21 Sep, 20 Dec 2025, 20 Mar, 18 Jun 2026" in words


def test_segments_five_and_six_are_by_vein_only(six):
    board = draw_board(six, title="t", today=TODAY)
    texts = [text.words for text in board.texts]
    assert texts.count("by vein only") == 2
    assert "21, 22 Jul" in texts


def test_a_round_without_any_drug_is_not_by_vein_only(six):
    without = tuple(
        replace(item, step=replace(item.step, lane="labs"))
        if (item.round, item.step.lane) == (6, "systemic")
        else item
        for item in six
    )
    texts = [text.words for text in draw_board(without, title="t", today=TODAY).texts]
    assert texts.count("by vein only") == 1


def test_the_list_groups_by_segment_and_says_things_once(items):
    parts = agenda(items, TODAY)
    assert parts[0].heading == "Before the first segment"
    assert parts[1].heading.startswith("Segment 1, 3 Mar 2025: ")
    assert parts[-1].heading == "After the cycle"
    first, second = (
        next(row for row in part.rows if row.title == "Safety check") for part in parts[1:3]
    )
    assert first.late == "today is the last day"
    assert second.details == "As in segment 1."
    labs = [row for row in parts[1].rows if row.title.startswith("Toxicity")]
    assert [row.days for row in labs] == [("Mon 10 Mar 2025",), ("Mon 17 Mar 2025",)]
    assert [row.allowed for row in labs] == ["10 to 12 Mar", "17 to 19 Mar"]
    assert [re.search(r"\d+ days", row.details)[0] for row in labs] == ["7 days", "14 days"]


@pytest.mark.parametrize("settings", [{}, {"segments": 6, "segment_interval_days": 35}])
def test_what_a_row_says_of_its_day_is_so(settings):
    """Each text that counts days counts them from what it names to the row's own day."""
    given = {"ccs_start_offset_days": 3, "response_offset_days": 42, **settings}
    items = plan_items(sample("halloran").care_plan("2025-03-03", **given))
    starts = round_starts(items)
    [end] = [item.planned for item in items if item.stem == "LUNG-A10"]
    counted = 0
    for item in items:
        for days, since in re.findall(
            r"(\d+) days? after (day 0|the end-of-cycle CT)", item.details
        ):
            day0 = starts[item.round or max(starts)]
            told = (day0 if since == "day 0" else end) + timedelta(days=int(days))
            assert item.planned == told, (item.action_id, item.details)
            counted += 1
    assert counted > 3 * len(starts)


def test_what_is_late_is_said_before_accepting(items):
    lines = to_settle(items, TODAY)
    assert "Safety check of segment 1: today is its last allowed day." in lines
    baseline = "Baseline assessment: its days ended on 2 Mar 2025."
    assert any(line.startswith(baseline) for line in lines)
    assert lines[-1] == (
        "6 planned days are on a weekend: Sun 2 Mar 2025: safety check (segment 1); "
        "Sun 30 Mar 2025: safety check (segment 2); Sun 27 Apr 2025: safety check (segment 3); "
        "Sun 25 May 2025: safety check (segment 4); Sun 21 Sep 2025: follow-up CT; "
        "Sat 20 Dec 2025: follow-up CT. Any allowed day will do."
    )


def test_a_step_that_no_weekday_is_allowed_for_needs_another_start():
    """8 March 2025 is a Saturday: infusions keep it, safety checks may be on the Friday before."""
    items = plan_items(sample("halloran").care_plan("2025-03-08"))
    line = to_settle(items, date(2025, 3, 3))[-1]
    assert "Sat 8 Mar 2025: " in line
    assert line.endswith(
        ": choose another start or interval. For the others any allowed day will do."
    )
    [fixed] = re.findall(r"No weekday is allowed for (.*?): choose", line)
    assert "angiography and arterial platinum infusion" in fixed
    assert "safety check" not in fixed


def test_a_fact_that_runs_out_is_named_with_the_day_of_its_result(items):
    """A 14-day INR of 28 February counts until 14 March: 28 February + 14 days."""
    [line] = [
        line
        for line in to_settle(items, TODAY, expiring=[("inr", "2025-03-14", "2025-02-28")])
        if line.startswith("Too old")
    ]
    assert line == (
        "Too old on the day of the start: INR of 28 Feb 2025, counted until Fri 14 Mar 2025. "
        "Obtain them anew before it."
    )


def test_facts_that_run_out_are_named_by_their_last_day(items):
    expiring = [("inr", "2025-03-14"), ("platelets", "2025-03-14"), ("ecog", "2025-03-28")]
    lines = to_settle(items, TODAY, warnings=["75 %."], expiring=expiring)
    assert lines[:3] == (
        "75 %.",
        "Too old on the day of the start: INR and platelets, counted until Fri 14 Mar 2025. "
        "Obtain them anew before it.",
        "Too old on the day of the start: ECOG performance status, counted until "
        "Fri 28 Mar 2025. Obtain them anew before it.",
    )


@pytest.mark.parametrize(
    ("action", "stem"),
    [
        ("LUNG-A07.2.14", "LUNG-A07"),
        ("LUNG-A03.2.drug", "LUNG-A03.drug"),
        ("LUNG-A10", "LUNG-A10"),
        ("other", "other"),
    ],
)
def test_stems(action, stem):
    assert stem_of(action) == stem


@pytest.mark.parametrize(
    ("as_of", "start"),
    [
        (date(2025, 3, 3), date(2025, 3, 10)),
        (date(2025, 3, 1), date(2025, 3, 10)),
        (date(2025, 3, 2), date(2025, 3, 10)),
        (date(2025, 3, 7), date(2025, 3, 14)),
    ],
)
def test_the_start_is_the_first_working_day_at_least_a_week_ahead(as_of, start):
    assert proposed_start(as_of) == start


def bound(name: str, value: int) -> dict[str, object]:
    return {"url": f"http://hl7.org/fhir/StructureDefinition/{name}", "valueInteger": value}


FORM = {
    "resourceType": "Questionnaire",
    "item": [
        {
            "linkId": "segments",
            "text": "Segments",
            "type": "integer",
            "answerOption": [
                {"valueInteger": 4, "initialSelected": True},
                {"valueInteger": 5},
                {"valueInteger": 6},
            ],
        },
        {
            "linkId": "segment_interval_days",
            "text": "Days between segments",
            "type": "integer",
            "extension": [bound("minValue", 28), bound("maxValue", 35)],
            "initial": [{"valueInteger": 28}],
            "item": [{"linkId": "h", "type": "display", "text": "Other values are refused."}],
        },
        {
            "linkId": "further",
            "type": "group",
            "item": [
                {
                    "linkId": "complete_embolisation_segment",
                    "text": "Complete embolisation, segment",
                    "type": "integer",
                    "readOnly": True,
                    "initial": [{"valueInteger": 4}],
                }
            ],
        },
    ],
}


PARAMETERS = read_parameters(FORM)


def test_fields_come_from_the_protocol_s_questionnaire():
    fields = read_fields(PARAMETERS, {"segments": "6"}, {"segments": "No."})
    assert [field.name for field in fields] == [
        "segments",
        "segment_interval_days",
        "complete_embolisation_segment",
    ]
    assert fields[0].choices == ("4", "5", "6")
    assert (fields[0].value, fields[0].error) == ("6", "No.")
    assert fields[1].hint == "28 to 35. Other values are refused."
    assert fields[0].hint == "4 to 6"
    assert fields[2].fixed
    assert [field.main for field in fields] == [True, True, False]


def test_only_what_differs_from_the_default_is_given():
    fields = read_fields(PARAMETERS, {})
    form = {"segments": "4", "segment_interval_days": " 35 ", "complete_embolisation_segment": "3"}
    assert given_values(form, fields) == {"segment_interval_days": "35"}


def test_an_emptied_box_is_not_the_default():
    fields = read_fields(PARAMETERS, {})
    values = given_values({"segment_interval_days": " ", "segments": "4"}, fields)
    assert values == {"segment_interval_days": ""}
    assert not_numbers(values, fields) == {
        "segment_interval_days": "Days between segments is empty; the protocol's default is 28."
    }
    assert read_fields(PARAMETERS, values)[1].value == ""


def test_a_refusal_is_told_at_its_field():
    message = (
        "Days between segments (segment_interval_days) must be 28 to 35; you gave 21. "
        "The start (Start) must not be before the day of evaluation; choose 2025-03-03 or later."
    )
    assert errors_by_field(message) == {
        "segment_interval_days": "Days between segments must be 28 to 35; you gave 21.",
        "Start": "The start must not be before the day of evaluation; choose 3 Mar 2025 or later.",
    }


def test_numbers_are_checked_before_the_rules_are_asked():
    fields = read_fields(PARAMETERS, {})
    assert not_numbers({"segments": "many"}, fields) == {
        "segments": "Segments must be a whole number; you gave many."
    }
    assert not_numbers({"segments": "6"}, fields) == {}
