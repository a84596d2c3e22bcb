"""In what a site's regimen goes beyond the specification's: each needs a named sign-off.

It is compared with those of ours that give the same drug the same way; where one of them leaves
something open, the site may, too.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from ivfhir.knowledge.regimen import DOSED, Regimen, RegimenDrug


def wider_drug(drug: RegimenDrug, regimens: Sequence[Regimen]) -> Iterator[str]:
    """Yield in what a site's drug goes beyond every regimen of ours that holds it, in words.

    Args:
        drug: of the site's regimen.
        regimens: ours.
    """
    same = [
        each
        for regimen in regimens
        for each in regimen.drugs
        if (each.drug, each.route) == (drug.drug, drug.route)
    ]
    if not same:
        yield f"no regimen of the specification gives {drug.drug} this way"
        return
    counted = [_highest(each) for each in same if each.unit == drug.unit]
    known_doses = [each for each in counted if each is not None]
    highest = _highest(drug)
    if drug.unit and not known_doses:
        yield f"no regimen of the specification counts {drug.drug} in {drug.unit}"
    elif known_doses and (highest is None or highest > max(known_doses)):
        yield f"its highest dose is above {max(known_doses)} {drug.unit}"
    caps = [each.cap_mg for each in same if each.unit == drug.unit]
    if caps and None not in caps and _above(drug.cap_mg, [each for each in caps if each]):
        yield f"its cap is above {max(each for each in caps if each)} mg"
    if len(drug.days) * drug.for_days > max(len(each.days) * each.for_days for each in same):
        yield "it is given on more days"
    for said, own, theirs in (
        ("dose a course", drug.course_highest, [each.course_highest for each in same]),
        (
            "dose over a life",
            (drug.cumulative_highest or (None,))[0],
            [(each.cumulative_highest or (None,))[0] for each in same],
        ),
    ):
        bounds = [each for each in theirs if each is not None]
        if bounds and _above(own, bounds):
            yield f"its {said} may go above {max(bounds)} mg/m2"
    for said, mine, every in (
        ("exclusion", drug.exclusions, [each.exclusions for each in same]),
        ("confirmation", drug.confirm, [each.confirm for each in same]),
    ):
        missing = sorted(frozenset.intersection(*map(frozenset, every)) - set(mine))
        if missing:
            yield f"it lacks the {said} {', '.join(missing)}"
    needs = [each.neutrophils_at_least for each in same]
    asked = [each for each in needs if each is not None]
    if asked and len(asked) == len(needs):
        own_needs = drug.neutrophils_at_least
        if own_needs is None or own_needs < min(asked):
            yield f"it asks for fewer neutrophils than {min(asked)}"


def _highest(drug: RegimenDrug) -> Decimal | None:
    """Return the highest dose that may be chosen; None where none is said."""
    doses = list(drug.variants)
    if drug.bounds is not None:
        doses.append(drug.bounds.high)
    elif drug.published is not None:
        doses.append(drug.published[1])
    return max(doses, default=None)


def _above(own: Decimal | None, bounds: Sequence[Decimal]) -> bool:
    return own is None or own > max(bounds)


def wider_regimen(regimen: Regimen, regimens: Sequence[Regimen]) -> Iterator[tuple[str, str]]:
    """Yield in what a site's regimen as a whole goes beyond ours: what it is, and why, in words.

    Args:
        regimen: the site's.
        regimens: ours.
    """
    given = {(drug.drug, drug.route) for drug in regimen.drugs}
    same = [
        each
        for each in regimens
        if each.proposal == DOSED and given & {(drug.drug, drug.route) for drug in each.drugs}
    ]
    if regimen.proposal != DOSED or not same:
        return
    shortest = [each.interval_days[0] for each in same if each.interval_days is not None]
    own = None if regimen.interval_days is None else regimen.interval_days[0]
    if len(shortest) == len(same) and (own is None or own < min(shortest)):
        yield "interval_days", f"its interval may be shorter than {min(shortest)} days"
    references = [
        each.reference_interval_days for each in same if each.reference_interval_days is not None
    ]
    measured = regimen.reference_interval_days
    if len(references) == len(same) and (measured is None or measured < min(references)):
        yield (
            "reference_interval_days",
            f"its dose intensity is not measured against {min(references)} days or more",
        )
    counts = [each.max_courses for each in same if each.max_courses is not None]
    most = regimen.max_courses
    if len(counts) == len(same) and (most is None or most > max(counts)):
        yield "max_courses", f"it may be given more than {max(counts)} times"
    higher = list(_higher_totals(regimen, same))
    if higher:
        yield "total", "; ".join(higher)
    wanted = frozenset.intersection(*(frozenset(each.confirm) for each in same))
    missing = sorted(wanted - set(regimen.confirm))
    if missing:
        yield "confirm", f"it lacks the confirmation {', '.join(missing)}"


def _higher_totals(regimen: Regimen, same: Sequence[Regimen]) -> Iterator[str]:
    """Yield which drug is given more of in all than by any of ours, its parts added."""
    for name, route, unit in dict.fromkeys((d.drug, d.route, d.unit) for d in regimen.drugs):
        parts = [d for d in regimen.drugs if (d.drug, d.route, d.unit) == (name, route, unit)]
        theirs = [total for each in same if (total := _total(each, name, route, unit)) is not None]
        own = _total(regimen, name, route, unit)
        # One part alone is compared as a drug.
        if unit and len(parts) > 1 and theirs and (own is None or own > max(theirs)):
            yield f"{name} may come to more than {max(theirs)} {unit} in all"


def _total(regimen: Regimen, name: str, route: str, unit: str) -> Decimal | None:
    """Return the highest dose of a drug in all; None where it is not given, or has no bound."""
    parts = [d for d in regimen.drugs if (d.drug, d.route, d.unit) == (name, route, unit)]
    bounds = [total.bounds.high for total in regimen.totals if {d.id for d in parts} <= {*total.of}]
    doses = [_highest(each) for each in parts]
    known = [each for each in doses if each is not None]
    if len(known) == len(parts) and known:
        bounds.append(sum(known, Decimal(0)))
    return min(bounds, default=None)
