"""The reasons, for the sample patients of 3 March 2025."""

from smart_app.pages.answers import read_answer
from smart_app.pages.facts import Fact
from smart_app.pages.why import why_page
from smart_app.pages.words import UNITS
from tests.smart_app.pages.conftest import sample


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
        "8 of 8 contraindications absent",
        "9 of 10 cautions looked for and not present",
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
    assert page.missing[0].obtain == (("INR", "a blood result"),)
    assert page.may_override
    assert not page.may_plan
    assert not page.groups[0].open


def test_ineligible_names_the_conditions_when_no_fact_can_be_told():
    page = page_of("duarte")
    assert page.headline.title == (
        "Lung: not eligible, severe bleeding tendency and "
        "marrow reserve for a platinum doublet not met"
    )
    assert {finding.id for finding in page.blocks} == {"X-BLEED", "LUNG-I02"}


def test_the_dead_can_neither_be_planned_nor_overridden():
    page = page_of("ferris")
    assert page.headline.title.startswith("Lung: recorded as died on")
    assert not page.may_plan
    assert not page.may_override


def test_not_applicable():
    page = page_of("nowak")
    assert not page.concerns
    assert page.headline.title == "Lung: does not apply"
    assert "Active lung cancer: not met." in page.headline.text
