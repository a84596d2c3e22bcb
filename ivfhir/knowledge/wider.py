"""In what a site's regimen goes beyond the specification's: each needs a named sign-off.

It is compared with those of ours that give the same drug the same way, in the same protocol where
one does; where one of them leaves something open, the site may, too.
"""

from collections.abc import Iterator, Sequence, Set
from decimal import Decimal
from itertools import combinations

from ivfhir.knowledge.regimen import DOSED, Regimen, RegimenDrug


def wider_drug(drug: RegimenDrug, regimen: Regimen, regimens: Sequence[Regimen]) -> Iterator[str]:
    """Yield in what a site's drug goes beyond every regimen of ours that holds it, in words.

    Args:
        drug: of the site's regimen.
        regimen: the site's regimen that it is of.
        regimens: ours.
    """
    given = (drug.drug, drug.route)
    reasons: dict[str, None] = {}
    for ours in _compared_with({given}, regimen, regimens):
        every = [each for one in ours for each in one.drugs if (each.drug, each.route) == given]
        # A bolus is compared with a bolus; where ours says neither, the site may choose.
        same = [each for each in every if each.method in ("", drug.method)]
        if same:
            reasons |= dict.fromkeys((*_higher_doses(drug, same), *_fewer_limits(drug, same)))
            continue
        said = f" ({drug.method})" if drug.method else ", bolus or infusion unsaid"
        way = f"this way{said if every else ''}"
        reasons[f"no regimen of the specification gives {drug.drug} {way}"] = None
    yield from reasons


def _compared_with(
    given: Set[tuple[str, str]], regimen: Regimen, regimens: Sequence[Regimen]
) -> Iterator[list[Regimen]]:
    """Yield, for each protocol of a site's regimen, which of ours it is compared with.

    Those that give one of its drugs the same way, in that protocol where any does; a regimen with
    doses only with such.
    """
    same = [
        each
        for each in regimens
        if given & _ways(each) and (regimen.proposal != DOSED or each.proposal == DOSED)
    ]
    for protocol in regimen.protocols:
        yield [each for each in same if protocol in each.protocols] or same


def _ways(regimen: Regimen) -> set[tuple[str, str]]:
    """Return each drug of a regimen with its route."""
    return {(drug.drug, drug.route) for drug in regimen.drugs}


def _higher_doses(drug: RegimenDrug, same: Sequence[RegimenDrug]) -> Iterator[str]:
    alike = [each for each in same if each.unit == drug.unit]
    known_doses = [dose for each in alike if (dose := _highest(each)) is not None]
    highest = _highest(drug)
    if drug.unit and not known_doses:
        yield f"no regimen of the specification counts {drug.drug} in {drug.unit}"
    elif known_doses and (highest is None or highest > max(known_doses)):
        yield f"its highest dose is above {max(known_doses)} {drug.unit}"
    # What dose intensity is a share of: a higher one lets a dose be given more often (E.6).
    published = [each.published[1] for each in alike if each.published is not None]
    own = None if drug.published is None else drug.published[1]
    if published and _above(own, published):
        yield f"its dose intensity is not measured against {max(published)} {drug.unit} or less"
    if alike and drug.ideal_weight not in [each.ideal_weight for each in alike]:
        yield f"it does not count {'actual' if drug.ideal_weight else 'ideal'} weight"
    caps = [each.cap_mg for each in alike]
    if caps and None not in caps and _above(drug.cap_mg, [each for each in caps if each]):
        yield f"its cap is above {max(each for each in caps if each)} mg"
    if len(drug.days) * drug.for_days > max(len(each.days) * each.for_days for each in same):
        yield "it is given on more days"
    durations = {each.over for each in same}
    if "" not in durations and drug.over not in durations:  # Words: which is longer is not known.
        yield f"it runs otherwise than over {' or over '.join(sorted(durations))}"
    for said, mine, theirs in (
        ("dose a course", drug.course_highest, [each.course_highest for each in same]),
        (
            "dose over a life",
            (drug.cumulative_highest or (None,))[0],
            [(each.cumulative_highest or (None,))[0] for each in same],
        ),
    ):
        bounds = [each for each in theirs if each is not None]
        if bounds and _above(mine, bounds):
            yield f"its {said} may go above {max(bounds)} mg/m2"


def _fewer_limits(drug: RegimenDrug, same: Sequence[RegimenDrug]) -> Iterator[str]:
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
    if regimen.proposal != DOSED:
        return
    found: dict[str, list[str]] = {}
    for same in _compared_with(_ways(regimen), regimen, regimens):
        for matter, why in _wider_as_a_whole(regimen, same):
            found[matter] = list(dict.fromkeys([*found.get(matter, ()), why]))
    for matter, reasons in found.items():
        yield matter, "; ".join(reasons)
    dosed = [each for each in regimens if each.proposal == DOSED]
    instead = {pair for each in dosed for pair in _pairs(each, together=False)}
    beside = {pair for each in dosed for pair in _pairs(each, together=True)}
    combined = instead & set(_pairs(regimen, together=True)) - beside
    if combined:
        names = sorted(" and ".join(sorted(name for name, _ in pair)) for pair in combined)
        yield "choice", f"it may give {', '.join(names)} together"


def _pairs(regimen: Regimen, *, together: bool) -> Iterator[frozenset[tuple[str, str]]]:
    """Yield which two drugs a regimen may give together, or those that stand for each other."""
    for one, other in combinations(regimen.drugs, 2):
        ways = (one.drug, one.route), (other.drug, other.route)
        instead = any(
            choice.needs == "one" and {one.id, other.id} <= {*choice.of}
            for choice in regimen.choices
        )
        if ways[0] != ways[1] and instead is not together:
            yield frozenset(ways)


def _wider_as_a_whole(regimen: Regimen, same: Sequence[Regimen]) -> Iterator[tuple[str, str]]:
    if not same:
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
