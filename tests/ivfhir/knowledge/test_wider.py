"""A site's regimen beyond ours: each way is told, and what stays within says nothing."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from ivfhir.knowledge.regimen import Bounds, Regimen
from ivfhir.knowledge.regimens import load_regimens
from ivfhir.knowledge.wider import wider_drug, wider_regimen

OURS = [*load_regimens().values()]


def ours(name: str) -> Regimen:
    return load_regimens()[name]


def told(regimen: Regimen) -> dict[str, str]:
    return dict(wider_regimen(regimen, OURS))


@pytest.mark.parametrize("regimen", OURS, ids=lambda each: each.id)
def test_none_of_ours_goes_beyond_ours(regimen: Regimen) -> None:
    assert told(regimen) == {}
    assert [why for drug in regimen.drugs for why in wider_drug(drug, OURS)] == []


@pytest.mark.parametrize(
    ("change", "matter", "said"),
    [
        (
            lambda r: replace(r, interval_days=(Decimal(20), Decimal(35))),
            "interval_days",
            "shorter than 28 days",
        ),
        (lambda r: replace(r, interval_days=None), "interval_days", "shorter than 28 days"),
        (
            lambda r: replace(r, reference_interval_days=Decimal(14)),
            "reference_interval_days",
            "not measured against 21 days",
        ),
        (
            lambda r: replace(r, reference_interval_days=None),
            "reference_interval_days",
            "not measured against 21 days",
        ),
        (lambda r: replace(r, confirm=()), "confirm", "it lacks the confirmation histology"),
    ],
)
def test_what_goes_beyond_each_of_ours_is_told(
    change: Callable[[Regimen], Regimen], matter: str, said: str
) -> None:
    only_etoposide = replace(ours("RG-LU6"), choices=(), drugs=ours("RG-LU6").drugs[-1:])
    found = told(change(only_etoposide))
    assert list(found) == [matter]
    assert said in found[matter]


def test_a_longer_interval_and_fewer_courses_are_narrower() -> None:
    longer = replace(ours("RG-LU6"), interval_days=(Decimal(35), Decimal(42)), max_courses=3)
    assert told(longer) == {}


def test_where_one_of_ours_leaves_it_open_the_site_may_too() -> None:
    """Doxorubicin into the artery: RG-LI1 is given on demand, RG-LI2 every 60 to 90 days."""
    assert told(replace(ours("RG-LI2"), interval_days=None, reference_interval_days=None)) == {}


def test_courses_beyond_those_of_every_regimen_with_the_drug() -> None:
    limited = [replace(ours("RG-LI3"), max_courses=6)]
    more = replace(ours("RG-LI3"), max_courses=8)
    assert dict(wider_regimen(more, limited)) == {
        "max_courses": "it may be given more than 6 times"
    }
    assert dict(wider_regimen(replace(more, max_courses=None), limited))
    assert dict(wider_regimen(replace(more, max_courses=4), limited)) == {}


def test_parts_of_one_drug_are_counted_together() -> None:
    folfox = ours("RG-LI3")
    [total] = folfox.totals
    higher = replace(total, bounds=Bounds(Decimal(1600), Decimal(3000)))
    # The parts alone come to 2800, so a higher total by itself lets nothing more in.
    assert told(replace(folfox, totals=(higher,))) == {}
    drugs = tuple(
        replace(drug, bounds=Bounds(None, Decimal(2400)))
        if drug.id == "fluorouracil-bolus"
        else drug
        for drug in folfox.drugs
    )
    assert (
        "fluorouracil may come to more than 2800 mg/m2 in all"
        in told(replace(folfox, drugs=drugs, totals=()))["total"]
    )
    assert told(replace(folfox, drugs=drugs)) == {}


def test_a_referral_gives_no_dose_and_widens_nothing() -> None:
    assert told(replace(ours("RG-LM6"), max_courses=None, interval_days=None)) == {}
