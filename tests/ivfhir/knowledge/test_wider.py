"""A site's regimen beyond ours: each way is told, and what stays within says nothing."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from ivfhir.knowledge.regimen import DOSED, Bounds, Choice, Regimen, RegimenDrug
from ivfhir.knowledge.regimens import load_regimens
from ivfhir.knowledge.wider import wider_drug, wider_regimen

OURS = [*load_regimens().values()]


def ours(name: str) -> Regimen:
    return load_regimens()[name]


def told(regimen: Regimen) -> dict[str, str]:
    return dict(wider_regimen(regimen, OURS))


def told_of_drugs(regimen: Regimen) -> dict[str, list[str]]:
    found = {drug.id: list(wider_drug(drug, regimen, OURS)) for drug in regimen.drugs}
    return {name: reasons for name, reasons in found.items() if reasons}


def with_drug(regimen: Regimen, name: str, **changes: object) -> Regimen:
    drugs = (replace(d, **changes) if d.id == name else d for d in regimen.drugs)  # type: ignore[arg-type]
    return replace(regimen, drugs=tuple(drugs))


def drug_of(regimen: str, name: str) -> RegimenDrug:
    return next(each for each in ours(regimen).drugs if each.id == name)


@pytest.mark.parametrize("regimen", OURS, ids=lambda each: each.id)
def test_none_of_ours_goes_beyond_ours(regimen: Regimen) -> None:
    assert told(regimen) == {}
    assert told_of_drugs(regimen) == {}


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


BOLUS, INFUSION = "fluorouracil-bolus", "fluorouracil-infusion"


@pytest.mark.parametrize("name", ["RG-LI3", "RG-LM4"])
def test_a_bolus_is_compared_with_a_bolus(name: str) -> None:
    """400 mg/m2 of fluorouracil as a bolus, 2400 as an infusion: swapped, it is another regimen."""
    swapped = with_drug(ours(name), BOLUS, method="infusion", over=drug_of(name, INFUSION).over)
    swapped = with_drug(swapped, INFUSION, method="bolus", over="")
    assert told_of_drugs(swapped) == {
        INFUSION: [
            "its highest dose is above 400 mg/m2",
            "its dose intensity is not measured against 400 mg/m2 or less",
        ]
    }


@pytest.mark.parametrize("method", ["", "Bolus", "push"])
def test_a_method_that_ours_does_not_say_is_another_way(method: str) -> None:
    told_of = told_of_drugs(with_drug(ours("RG-LI3"), BOLUS, method=method))
    said = f" ({method})" if method else ", bolus or infusion unsaid"
    assert told_of == {
        BOLUS: [f"no regimen of the specification gives fluorouracil this way{said}"]
    }


@pytest.mark.parametrize("over", ["5 minutes", ""])
def test_an_infusion_that_runs_another_time_is_another_way(over: str) -> None:
    told_of = told_of_drugs(with_drug(ours("RG-LM4"), INFUSION, over=over))
    assert told_of == {INFUSION: ["it runs otherwise than over 46 hours"]}


def test_where_ours_does_not_say_how_long_the_site_may() -> None:
    assert told_of_drugs(with_drug(ours("RG-LI3"), BOLUS, over="5 minutes")) == {}


def test_where_ours_leaves_the_method_open_the_site_may_say_one() -> None:
    port = with_drug(ours("RG-PO1"), "fluorouracil", method="infusion")
    assert told_of_drugs(port) == {}


def test_a_referral_gives_no_dose_and_widens_nothing() -> None:
    assert told(replace(ours("RG-LM6"), max_courses=None, interval_days=None)) == {}


@pytest.mark.parametrize(
    ("regimen", "drug", "published", "said"),
    [
        # Floxuridine 0.12 mg/kg/d is published; bounds to 0.20 do not raise the 100 % of E.6.
        ("RG-PO2", "floxuridine", ("0.20", "0.20"), ["against 0.12 mg/kg/d or less"]),
        ("RG-PO2", "floxuridine", None, ["against 0.12 mg/kg/d or less"]),
        ("RG-PO2", "floxuridine", ("0.10", "0.10"), []),
        # In LUNG vinorelbine is published with 25, bounded by 30.
        ("RG-LU5", "vinorelbine", ("25", "30"), ["against 25 mg/m2 or less"]),
        # In LUNG cisplatin is published with up to 75, bounded by 80.
        ("RG-LU1", "cisplatin", ("75", "80"), ["against 75 mg/m2 or less"]),
        ("RG-LU2", "cisplatin", ("75", "75"), []),
    ],
)
def test_what_dose_intensity_is_a_share_of_is_compared(
    regimen: str, drug: str, published: tuple[str, str] | None, said: list[str]
) -> None:
    ends = None if published is None else tuple(map(Decimal, published))
    found = told_of_drugs(with_drug(ours(regimen), drug, published=ends))
    assert list(found) == [drug] * len(said)
    assert [each in why for each, why in zip(said, found.get(drug, []), strict=True)] == [
        True for _ in said
    ]


@pytest.mark.parametrize(("regimen", "drug"), [("RG-LM6", "melphalan"), ("RG-RE2", "melphalan")])
def test_a_referral_of_ours_is_no_leave_to_dose(regimen: str, drug: str) -> None:
    """Melphalan is for centres that perfuse: the specification doses it nowhere."""
    assert told_of_drugs(replace(ours(regimen), proposal=DOSED)) == {
        drug: [f"no regimen of the specification gives {drug} this way"]
    }


def test_the_weight_that_a_dose_counts_is_compared() -> None:
    actual = with_drug(ours("RG-LM6"), "melphalan", ideal_weight=False)
    assert told_of_drugs(actual) == {"melphalan": ["it does not count ideal weight"]}
    ideal = with_drug(ours("RG-PO2"), "floxuridine", ideal_weight=True)
    assert told_of_drugs(ideal) == {"floxuridine": ["it does not count actual weight"]}


@pytest.mark.parametrize(
    ("protocols", "reasons"),
    [
        # Cisplatin: LUNG up to 80 mg/m2 (RG-LU1), published up to 75; LMET up to 100 (RG-LM5).
        (
            ("LUNG",),
            [
                "its highest dose is above 80 mg/m2",
                "its dose intensity is not measured against 75 mg/m2 or less",
            ],
        ),
        (("LMET",), []),
        (
            ("LMET", "LUNG"),
            [
                "its highest dose is above 80 mg/m2",
                "its dose intensity is not measured against 75 mg/m2 or less",
            ],
        ),
        # None of ours gives it there: it is compared with all of ours.
        (("REGI",), []),
    ],
)
def test_a_dose_of_another_artery_is_no_leave_for_this_one(
    protocols: tuple[str, ...], reasons: list[str]
) -> None:
    site = replace(ours("RG-LM5"), protocols=protocols, drugs=ours("RG-LM5").drugs[:1])
    assert told_of_drugs(site) == ({"cisplatin": reasons} if reasons else {})


def test_an_interval_of_another_protocol_is_no_leave_for_this_one() -> None:
    """Oxaliplatin: through the port every 14 days (RG-PO3), for the liver every 21 (RG-LI3)."""
    faster = replace(
        ours("RG-LI3"),
        interval_days=(Decimal(14), Decimal(21)),
        reference_interval_days=Decimal(14),
    )
    assert told(faster) == {
        "interval_days": "its interval may be shorter than 21 days",
        "reference_interval_days": "its dose intensity is not measured against 21 days or more",
    }
    # Through the port, fluorouracil is bounded by 700 mg/m2 (RG-PO1).
    both = told(replace(faster, protocols=("LIVER", "PORT")))
    assert both == {
        **told(faster),
        "total": "fluorouracil may come to more than 700 mg/m2 in all",
    }


CHOICES: list[tuple[str, tuple[Choice, ...], dict[str, str]]] = [
    # RG-LU6: cisplatin or carboplatin, exactly one.
    ("RG-LU6", (), {"choice": "it may give carboplatin and cisplatin together"}),
    (
        "RG-LU6",
        (Choice("some", ("cisplatin", "carboplatin")),),
        {"choice": "it may give carboplatin and cisplatin together"},
    ),
    (
        "RG-LU6",
        (Choice("one", ("cisplatin", "etoposide")),),
        {"choice": "it may give carboplatin and cisplatin together"},
    ),
    ("RG-LU6", (Choice("one", ("cisplatin", "carboplatin", "etoposide")),), {}),
    # RG-RE1: gemcitabine and/or fluorouracil: both together are ours, too.
    ("RG-RE1", (), {}),
    ("RG-RE1", (Choice("one", ("gemcitabine", "fluorouracil")),), {}),
]


@pytest.mark.parametrize(("regimen", "choices", "said"), CHOICES)
def test_drugs_that_stand_for_each_other_are_not_given_together(
    regimen: str, choices: tuple[Choice, ...], said: dict[str, str]
) -> None:
    assert told(replace(ours(regimen), choices=choices)) == said


def test_drugs_of_which_ours_gives_one_are_told_in_any_protocol() -> None:
    """RG-LU6 is for the lung alone; in LMET, too, none of ours gives both platinums."""
    both = replace(ours("RG-LU6"), protocols=("LMET",), choices=())
    assert told(both)["choice"] == "it may give carboplatin and cisplatin together"
