"""The reasons, for the sample patients of 3 March 2025."""

from dataclasses import replace

import pytest

from ivfhir.evaluate import evaluate
from ivfhir.expressions.values import DateTime
from ivfhir.knowledge.load import load_protocol
from ivfhir.wording.needs import Need
from ivfhir.wording.words import UNITS, record_part
from smart_app.pages.answers import read_answer
from smart_app.pages.facts import Fact
from smart_app.pages.why import why_page
from tests.smart_app.pages.conftest import AS_OF, sample


def page_of(name, culprits=()):
    patient = sample(name)
    answered = read_answer(patient.entry, patient.card, patient.writer, culprits)
    return why_page(patient.decision, answered)


def test_eligible():
    page = page_of("halloran")
    assert page.headline.title == "Lung: eligible"
    assert page.may_plan
    assert not page.may_override
    assert [group.title for group in page.groups] == [
        "5 of 5 requirements met",
        "8 of 8 contraindications ruled out",
        "9 of 10 cautions looked for, not applying",
    ]
    assert page.groups[0].open
    assert page.counts[-1] == ("eligible", "13", "of 13 met", False)
    assert [finding.id for finding in page.cautions] == ["LUNG-K01"]


def test_a_fact_has_value_unit_date_and_age():
    page = page_of("halloran")
    reserve = next(
        each for group in page.groups for each in group.findings if each.id == "LUNG-I02"
    )
    platelets = next(fact for fact in reserve.facts if fact.key == "platelets")
    assert platelets == Fact(
        key="platelets",
        name="Platelets",
        value=f"220 {UNITS['10*9/L']}",
        when="28 Feb 2025, 3 days old",
        href="/record/Observation/halloran-platelets",
        reference="Observation/halloran-platelets",
    )


def test_undecided_says_what_is_missing_and_what_to_obtain():
    page = page_of("lindqvist")
    assert page.headline.title == "Lung: cannot tell, INR is missing"
    assert [finding.id for finding in page.missing] == ["X-BLEED"]
    assert page.missing[0].needs == (Need("INR", "a blood result"),)
    assert page.may_override
    assert not page.may_plan
    assert not page.groups[0].open


def test_ineligible_names_the_conditions_when_no_fact_can_be_told():
    page = page_of("duarte")
    assert page.headline.title == (
        "Lung: not eligible, severe bleeding tendency and "
        "marrow reserve for a platinum doublet not fulfilled"
    )
    assert {finding.id for finding in page.blocks} == {"X-BLEED", "LUNG-I02"}


def test_the_dead_can_neither_be_planned_nor_overridden():
    page = page_of("ferris")
    assert page.headline.title.startswith("Lung: recorded as died on")
    assert not page.may_plan
    assert not page.may_override
    assert page.headline.style == "off"
    assert (*page.blocks, *page.missing, *page.unread, *page.cautions, *page.counts) == ()
    [group] = page.groups
    assert len(group.findings) == 23
    assert not group.open


def test_not_applicable():
    page = page_of("nowak")
    assert not page.concerns
    assert page.headline.title == "Lung: does not apply"
    assert "Active lung cancer: not fulfilled." in page.headline.text
    assert [finding.id for finding in page.reasons] == ["LUNG-I01"]
    assert (*page.blocks, *page.missing, *page.cautions, *page.counts) == ()


def unread_page(*types, without=()):
    """Return the page of the eligible patient when these types could not be read."""
    patient = sample("halloran")
    kept = [each for each in patient.record.resources if each["id"] not in without]
    record = replace(
        patient.record,
        resources=tuple(each for each in kept if each["resourceType"] not in types),
        unread={name: f"{name} was not read: the server answered 500." for name in types},
    )
    decision = evaluate(record, [load_protocol("LUNG")], as_of=DateTime.parse(AS_OF)).to_json()
    answered = read_answer(decision["protocols"][0], patient.card, patient.writer)
    return decision["protocols"][0], why_page(decision, answered)


@pytest.mark.parametrize(
    "types",
    [
        ("Observation",),
        ("Condition",),
        ("AllergyIntolerance",),
        ("Condition", "Observation"),
        ("AllergyIntolerance", "Condition", "Observation"),
    ],
)
def test_what_could_not_be_read_is_no_missing_fact(types):
    entry, page = unread_page(*types)
    assert page.headline.title.startswith("Lung: cannot tell, ")
    assert page.headline.title.endswith(" could not be read")
    assert all(record_part(each) in page.headline.title for each in types)
    assert page.unread
    assert page.missing == ()
    for finding in (*page.unread, *(each for each in page.cautions if each.unread)):
        assert finding.needs == finding.lacks == ()
        assert finding.verdict.endswith("could not be read")
    for criterion in entry["criteria"]:
        if "unread" in criterion:
            assert set(criterion["unread"]) <= set(types)
            assert (criterion["truth"], criterion["missing"]) == (None, [])
    shown = {row[2]: row[1] for row in page.counts}
    assert shown["not read"] == str(len(page.unread))
    assert shown["cannot be judged"] == "0"


def test_an_unread_allergy_list_and_a_missing_inr_are_told_apart():
    _, page = unread_page("AllergyIntolerance", without=("halloran-inr",))
    assert page.headline.title == (
        "Lung: cannot tell, the allergy list could not be read and INR is missing"
    )
    assert [finding.id for finding in page.unread] == ["X-CONTRAST"]
    assert [finding.id for finding in page.missing] == ["X-BLEED"]
    assert page.missing[0].needs == (Need("INR", "a blood result"),)


def test_creatinine_or_egfr_is_one_need():
    patient = sample("halloran")
    kept = [each for each in patient.record.resources if each["id"] != "halloran-creatinine"]
    record = replace(patient.record, resources=tuple(kept))
    decision = evaluate(record, [load_protocol("LUNG")], as_of=DateTime.parse(AS_OF)).to_json()
    page = why_page(decision, read_answer(decision["protocols"][0], patient.card, patient.writer))
    assert page.headline.title == "Lung: cannot tell, creatinine or eGFR is missing"
    assert page.missing[0].needs == (Need("creatinine or eGFR", "a blood result"),)
