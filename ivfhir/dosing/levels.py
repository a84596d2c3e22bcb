"""The dose level of each drug of a regimen: published or chosen, inside its bounds, or refused.

A published range has no default. What lies outside its bounds is refused, never clamped: these are
hard stops (E.6).
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final, NamedTuple, NoReturn

from ivfhir.dosing.calculator import four_digits
from ivfhir.dosing.plausible import check
from ivfhir.errors import ParameterError
from ivfhir.knowledge.regimen import AUC, PER_M2, Bounds, Regimen, RegimenDrug

PUMP_CHOICES: Final = ("pump_reservoir_ml", "pump_flow_ml_per_day")
"""What the filling of an implanted pump needs."""


class _Problem(NamedTuple):
    """What is wrong, in sentences, and with which parameters."""

    text: str
    names: tuple[str, ...]


def choose_levels(
    regimen: Regimen, choices: Mapping[str, Decimal], *, area_m2: Decimal | None = None
) -> dict[str, Decimal]:
    """Return the level of each drug that is given, in the drug's own unit, in order.

    Args:
        regimen: the regimen.
        choices: parameter (`dose_cisplatin`, `auc`) -> level; of drugs that stand for each other
            the one that is chosen has its level here.
        area_m2: body surface, so that a refusal tells a range in mg too; None where unknown.

    Raises:
        ParameterError: a choice is unknown or missing, or a level lies outside its bounds; the
            sentence says all that is wrong, `about` of which parameter.
    """
    problems = [
        *_unknown(regimen, choices),
        *_alternatives(regimen, choices, area_m2),
        *_pump(choices),
    ]
    levels: dict[str, Decimal] = {}
    for drug in _given(regimen, choices):
        level = _level(drug, choices)
        if level is None:
            text = f"{_asked(drug, area_m2)}, without a default: give {drug.choice}."
            problems.append(_Problem(text, (drug.choice,)))
        else:
            levels[drug.id] = level
            problems += _outside(regimen, drug, level)
    if not problems:
        problems += _totals(regimen, levels)
    if problems:
        _refuse(regimen, problems)
    return levels


def shares_of_reference(
    regimen: Regimen, levels: Mapping[str, Decimal], *, interval_days: Decimal
) -> dict[str, Decimal]:
    """Return the dose intensity of each drug as a share of the published one: 0.75 is 75 %.

    The reference is the published dose that is nearest to the level, every
    `reference_interval_days`; empty where the regimen has no such interval.

    Raises:
        ParameterError: a share is above 1, a hard stop (E.6); `about` says of which dose.

    Source: CALC-15, I-02
    """
    reference_days = regimen.reference_interval_days
    if reference_days is None:
        return {}
    shares, problems = {}, []
    for drug in regimen.drugs:
        if drug.id in levels and drug.published is not None:
            level = levels[drug.id]
            low, high = drug.published
            # Both a week, the sevens cut: multiplied first, so that 100 % is exactly 1.
            given = level * reference_days
            published = min(max(level, low), high) * interval_days
            shares[drug.id] = share = given / published
            if given > published:
                text = (
                    f"{drug.title} {level} {drug.unit} every {interval_days} days is "
                    f"{share * 100:.1f} % of the published dose intensity, more than 100 %."
                )
                problems.append(_Problem(text, (drug.choice,)))
    if problems:
        _refuse(regimen, problems, then=" Lengthen the interval or lower the dose.")
    return shares


def _refuse(regimen: Regimen, problems: Sequence[_Problem], *, then: str = "") -> NoReturn:
    about: dict[str, str] = {}
    for text, names in problems:
        for name in names:
            about[name] = f"{about[name]} {text}" if name in about else text
    said = " ".join(each.text for each in problems)
    raise ParameterError(f"{regimen.id}: {said}{then}", about=about)


def in_words(bounds: Bounds, unit: str) -> str:
    """Return bounds in words: `20 to 80 mg/m2`, `up to 100 mg`, `AUC 4 to 6`."""
    numbers = f"{bounds.low} to {bounds.high}" if bounds.low != bounds.high else f"{bounds.high}"
    said = numbers if bounds.low is not None else f"up to {bounds.high}"
    return f"AUC {said}" if unit == AUC else f"{said} {unit}"


def _given(regimen: Regimen, choices: Mapping[str, Decimal]) -> list[RegimenDrug]:
    """Return the drugs that have a dose and are given: of alternatives those that were chosen."""
    alternatives = {name for choice in regimen.choices for name in choice.of}
    return [
        drug
        for drug in regimen.drugs
        if drug.published is not None and (drug.id not in alternatives or drug.choice in choices)
    ]


def _level(drug: RegimenDrug, choices: Mapping[str, Decimal]) -> Decimal | None:
    if drug.choice in choices:
        return choices[drug.choice]
    if drug.published is None or drug.published[0] != drug.published[1]:
        return None
    return drug.published[0]


def _unknown(regimen: Regimen, choices: Mapping[str, Decimal]) -> list[_Problem]:
    dosed = {drug.choice for drug in regimen.drugs if drug.published is not None}
    undosed = {drug.choice: drug.title for drug in regimen.drugs if drug.published is None}
    if any(drug.pump for drug in regimen.drugs):
        dosed |= set(PUMP_CHOICES)
    problems = []
    for name in choices:
        if name in undosed:
            text = f"It publishes no dose of {undosed[name]}; leave {name} out."
            problems.append(_Problem(text, (name,)))
        elif name not in dosed:
            takes = ", ".join(sorted(dosed)) or "none"
            problems.append(_Problem(f"It has no choice {name}; it takes {takes}.", (name,)))
    return problems


def _pump(choices: Mapping[str, Decimal]) -> list[_Problem]:
    """Return what is wrong with the numbers of a pump: one alone, or one that cannot be meant."""
    told = [name for name in PUMP_CHOICES if name in choices]
    if told and len(told) < len(PUMP_CHOICES):
        return [_Problem(f"Give {' and '.join(PUMP_CHOICES)} together, or neither.", PUMP_CHOICES)]
    problems = []
    for name in told:
        try:
            check(name, choices[name])
        except ParameterError as error:
            problems.append(_Problem(error.message, (name,)))
    return problems


def _alternatives(
    regimen: Regimen, choices: Mapping[str, Decimal], area_m2: Decimal | None
) -> list[_Problem]:
    problems = []
    for choice in regimen.choices:
        drugs = [drug for drug in regimen.drugs if drug.id in choice.of]
        chosen = [drug for drug in drugs if drug.choice in choices]
        wanted = "exactly one of" if choice.needs == "one" else "one or more of"
        if not chosen or (choice.needs == "one" and len(chosen) > 1):
            said = ", ".join(f"{drug.choice} ({_asked(drug, area_m2)})" for drug in drugs)
            names = tuple(drug.choice for drug in drugs)
            problems.append(_Problem(f"Give {wanted} {said}.", names))
    return problems


def _asked(drug: RegimenDrug, area_m2: Decimal | None) -> str:
    """Return the published dose of a drug, in mg too where the body surface is known."""
    if drug.published is None:
        return f"{drug.title} without a dose"
    said = f"{drug.title} is published as {in_words(Bounds(*drug.published), drug.unit)}"
    if drug.unit != PER_M2 or area_m2 is None:
        return said
    mg = " to ".join(four_digits(level * area_m2) for level in dict.fromkeys(drug.published))
    return f"{said} ({mg} mg for this patient)"


def _outside(regimen: Regimen, drug: RegimenDrug, level: Decimal) -> list[_Problem]:
    """Return why a level is a hard stop: its own bounds, and the highest dose of a course."""
    problems = []
    if drug.bounds is None or not level.is_finite() or level not in drug.bounds:
        allowed = "none" if drug.bounds is None else in_words(drug.bounds, drug.unit)
        text = f"{drug.choice} is {level}, but {regimen.id} allows {allowed}."
        problems.append(_Problem(text, (drug.choice,)))
    if not level.is_finite():
        return problems
    highest = drug.course_highest
    if highest is not None and drug.unit == PER_M2 and level * len(drug.days) > highest:
        like = f" Is {drug.looks_like} meant?" if drug.looks_like else ""
        text = (
            f"{drug.title} {level * len(drug.days)} mg/m2 in one course is above {highest} mg/m2 "
            f"({drug.course_rule or 'highest dose'}): a hard stop, to be verified.{like}"
        )
        problems.append(_Problem(text, (drug.choice,)))
    return problems


def _totals(regimen: Regimen, levels: Mapping[str, Decimal]) -> list[_Problem]:
    problems = []
    for total in regimen.totals:
        amount = sum((levels.get(name, Decimal(0)) for name in total.of), Decimal(0))
        if amount not in total.bounds:
            allowed = in_words(total.bounds, PER_M2)
            text = f"{total.title} is {amount} mg/m2, but {regimen.id} allows {allowed}."
            names = tuple(drug.choice for drug in regimen.drugs if drug.id in total.of)
            problems.append(_Problem(text, names))
    return problems
