"""A newer plan takes an older one's place only when it surely is newer and nothing outranks it."""

import pytest

from ivfhir.sync.created import created_key
from ivfhir.sync.supersede import judge_rivals

OLD = {"resourceType": "CarePlan", "id": "o", "status": "draft", "intent": "proposal"}


def judged(ours, theirs):
    rivals = judge_rivals(OLD | {"id": "n"} | ours, [OLD | theirs])
    assert bool(rivals.older) is not bool(rivals.refusal)
    return bool(rivals.older)


@pytest.mark.parametrize(
    ("ours", "theirs", "newer"),
    [
        ("2025-03-04", "2025-03-03", True),
        ("2025-03-03", "2025-03-03", False),
        ("2025-03-03", "2025-03-04", False),
        ("2025-03-03T10:00:00Z", "2025-03-03T11:00:00+01:00", False),
        ("2025-03-03T10:00:01Z", "2025-03-03T11:00:00+01:00", True),
        ("2025-03-03T10:00:00Z", "2025-03-03", False),
        ("2025-03", "2025-03-01", False),
        ("2025-04", "2025-03-01", True),
        ("2026", "2025-12-31", True),
        (None, "2025-03-03", False),
        ("2025-03-03", None, False),
        ("tomorrow", "2025-03-03", False),
    ],
)
def test_later_means_surely_later(ours, theirs, newer):
    plans = [{} if each is None else {"created": each} for each in (ours, theirs)]
    assert judged(*plans) is newer


@pytest.mark.parametrize(
    ("ours", "theirs", "may"),
    [
        ({}, {"status": "active"}, False),
        ({}, {"status": "on-hold"}, False),
        ({"status": "active"}, {"status": "active"}, True),
        ({"status": "active"}, {"status": "active", "intent": "plan"}, False),
        ({"status": "active", "intent": "plan"}, {"status": "active", "intent": "plan"}, True),
        ({}, {"intent": "plan"}, False),
    ],
)
def test_a_lesser_plan_ends_no_greater_one(ours, theirs, may):
    later, earlier = {"created": "2025-03-04"}, {"created": "2025-03-03"}
    assert judged(ours | later, theirs | earlier) is may


def test_a_plan_that_is_over_ends_none():
    over = judge_rivals(OLD | {"status": "completed"}, [OLD])
    assert (over.older, over.refusal) == ((), "")


def test_plans_go_in_the_order_in_which_they_were_made():
    texts = ["2025-03-03T12:00:00+02:00", "2025-03-03", "2025-03-03T10:30:00Z", "2024", ""]
    ordered = sorted(texts, key=lambda text: created_key({"created": text}))
    assert ordered == ["", "2024", "2025-03-03", texts[0], texts[2]]
