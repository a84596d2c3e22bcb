"""The doses of a regimen for one patient on one day, or why there are none.

A pure function: same regimen, same inputs, same doses. It knows no protocol, no server and no page.
A dose outside its bounds is a hard stop; an excluded drug, a missing or old input, or a statement
that nobody confirmed means no dose at all, for any drug of the regimen.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from ivfhir.dosing.amounts import Amount, amount_of, body_surface_m2, pump_fill_mg
from ivfhir.dosing.calculator import four_digits
from ivfhir.dosing.confirmable import check_confirmed
from ivfhir.dosing.cumulative import cumulative_finding
from ivfhir.dosing.exclusions import (
    EXCLUDED,
    UNCONFIRMED,
    UNKNOWN,
    Finding,
    facts_of,
    findings,
    findings_of,
)
from ivfhir.dosing.inputs import Input, Inputs, Lack
from ivfhir.dosing.levels import PUMP_CHOICES, choose_levels, shares_of_reference
from ivfhir.dosing.plausible import check
from ivfhir.dosing.proposal import Administration, DoseProposal, DrugDose
from ivfhir.dosing.rounding import rounded_mg
from ivfhir.errors import NoPlanError, ParameterError
from ivfhir.knowledge.dosing_rules import dosing_rules
from ivfhir.knowledge.regimen import (
    DOSED,
    FIXED,
    INTRAVENOUS,
    PER_M2,
    REFERRAL,
    Regimen,
    RegimenDrug,
)

REVIEW_MONTHS = 12


class NoDoseError(NoPlanError):
    """The record, or what nobody confirmed, speaks against a drug: there is no dose.

    Args:
        message: every reason, in sentences.
        findings: the reasons one by one.
        plain: the message without ids of rules and statements; the message where it has none.
    """

    def __init__(
        self, message: str, findings: Sequence[Finding] = (), *, plain: str | None = None
    ) -> None:
        """Keep the reasons beside the message."""
        super().__init__(message)
        self.findings = tuple(findings)
        self.plain = message if plain is None else plain


@dataclass(frozen=True)
class _Course:
    """What all doses of one proposal share."""

    regimen: Regimen
    inputs: Inputs
    levels: Mapping[str, Decimal]
    choices: Mapping[str, Decimal]
    confirmed: frozenset[str]
    courses: int
    shares: Mapping[str, Decimal]
    arterial_given_mg: Mapping[str, Decimal]


def propose_doses(
    regimen: Regimen,
    given: Mapping[str, Input | None],
    *,
    as_of: date,
    choices: Mapping[str, Decimal] | None = None,
    confirmed: Collection[str] = (),
    interval_days: Decimal | None = None,
    courses: int = 1,
    arterial_given_mg: Mapping[str, Decimal] | None = None,
) -> DoseProposal:
    """Return the doses of one course.

    Args:
        regimen: the regimen.
        given: name of an input of `dosing_rules` -> what is known of the patient.
        as_of: the day of the evaluation: how old an input is counts from it.
        choices: `dose_<drug>` or `auc` -> level; `pump_reservoir_ml`, `pump_flow_ml_per_day`.
        confirmed: ids of the statements that a clinician confirmed.
        interval_days: from one course to the next in the plan; None where there is one course.
        courses: how many the plan has: the dose over a life counts them all.
        arterial_given_mg: drug -> what went into an artery already in this course; it is taken off
            the drug's dose by vein, never below zero (LUNG-R03).

    Raises:
        ParameterError: a choice is missing or unknown, or a dose, its intensity or the number of
            courses is a hard stop.
        NoDoseError: a drug is excluded, an input is missing or too old, or a statement has to be
            confirmed; the sentence names all of them.
    """
    confirmed = check_confirmed(confirmed)
    choices, arterial = dict(choices or {}), dict(arterial_given_mg or {})
    inputs = Inputs(given, as_of=as_of)
    notes = _regimen_notes(regimen, as_of)
    if regimen.proposal != DOSED:
        return _undosed(regimen, inputs, choices, confirmed, notes)
    _check_courses(regimen, courses, interval_days)
    _check_arterial(regimen, arterial)
    area = body_surface_m2(inputs)
    levels = choose_levels(regimen, choices, area_m2=None if isinstance(area, Lack) else area)
    shares = (
        {}
        if interval_days is None
        else shares_of_reference(regimen, levels, interval_days=interval_days)
    )
    course = _Course(regimen, inputs, levels, choices, confirmed, courses, shares, arterial)
    drugs = [drug for drug in regimen.drugs if drug.id in levels]
    amounts = {drug.id: amount_of(drug, levels[drug.id], inputs) for drug in drugs}
    refused = _refusals(course, drugs, amounts)
    if refused:
        raise _no_dose_at_all(regimen, refused)
    doses = [
        _dose(course, drug, amount)
        for drug in drugs
        if isinstance(amount := amounts[drug.id], Amount)
    ]
    return DoseProposal(
        regimen=regimen,
        doses=tuple(doses),
        undosed=tuple(drug for drug in regimen.drugs if drug.published is None),
        confirmed=_needed(course, drugs),
        notes=(*notes, *_interval_note(regimen, interval_days)),
    )


def _regimen_notes(regimen: Regimen, as_of: date) -> tuple[str, ...]:
    """Return what to know of the regimen; a review of more than twelve months is a warning."""
    notes = [regimen.says] if regimen.says else []
    if regimen.proposal == REFERRAL:
        notes.append("Referral only: no dose is proposed here.")
    due = _months_later(regimen.reviewed, REVIEW_MONTHS)
    if as_of > due:
        notes.append(
            f"{regimen.id} was last reviewed on {regimen.reviewed} ({regimen.reviewed_by}), more "
            f"than {REVIEW_MONTHS} months before the evaluation: review it again."
        )
    return tuple(notes)


def _interval_note(regimen: Regimen, interval_days: Decimal | None) -> list[str]:
    """Return a warning where the plan's interval is none that the regimen is published with."""
    if interval_days is None or regimen.interval_days is None:
        return []
    low, high = regimen.interval_days
    if low <= interval_days <= high:
        return []
    published = f"{low}" if low == high else f"{low} to {high}"
    return [f"{regimen.id} is published every {published} days; the plan has {interval_days}."]


def _months_later(day: date, months: int) -> date:
    """Return the day so many whole years of months later; 29 February becomes the 28th."""
    year = day.year + months // 12
    try:
        return day.replace(year=year)
    except ValueError:
        return day.replace(year=year, day=28)


def _undosed(
    regimen: Regimen,
    inputs: Inputs,
    choices: Mapping[str, Decimal],
    confirmed: frozenset[str],
    notes: tuple[str, ...],
) -> DoseProposal:
    """Return a proposal without doses: a referral, or the board's; what excludes is refused."""
    if choices:
        raise ParameterError(
            f"{regimen.id} proposes no dose, so it takes no choice; leave out {', '.join(choices)}."
        )
    found = [
        finding
        for drug in regimen.drugs
        for finding in findings(drug, inputs, confirmed=confirmed, regimen_id=regimen.id)
    ]
    excluded = [each for each in found if each.kind == EXCLUDED]
    if excluded:
        raise _no_dose_at_all(regimen, excluded)
    to_check = tuple(f"To be checked there: {each.sentence}." for each in found)
    return DoseProposal(regimen, (), regimen.drugs, (), (*notes, *to_check))


def _check_courses(regimen: Regimen, courses: int, interval_days: Decimal | None) -> None:
    check("count", Decimal(courses), name="courses")
    if regimen.max_courses is not None and courses > regimen.max_courses:
        raise ParameterError(
            f"{regimen.id} is given {regimen.max_courses} times at most; {courses} are planned."
        )
    if interval_days is not None:
        check("interval_days", interval_days)
    elif courses > 1 and regimen.reference_interval_days is not None:
        raise ParameterError(
            f"{regimen.id} needs the interval of its {courses} courses, for its dose intensity."
        )


def _check_arterial(regimen: Regimen, arterial: Mapping[str, Decimal]) -> None:
    systemic = {drug.id for drug in regimen.drugs if drug.route == INTRAVENOUS}
    for name, amount in arterial.items():
        if name not in systemic:
            raise ParameterError(
                f"{regimen.id} gives no {name} by vein, from which an arterial amount could be "
                "taken off; leave it out."
            )
        if not amount.is_finite() or amount < 0:
            raise ParameterError(f"{amount} mg of {name} cannot have been given; look again.")


def _refusals(
    course: _Course, drugs: list[RegimenDrug], amounts: Mapping[str, Amount | Lack]
) -> list[Finding]:
    """Return every reason against the doses, each once."""
    lacking = [
        Finding(course.regimen.id, drug.title, UNKNOWN, _no_dose(drug, lack))
        for drug in drugs
        if isinstance(lack := amounts[drug.id], Lack)
    ]
    return list(dict.fromkeys([*_statements(course, drugs), *lacking]))


def _no_dose(drug: RegimenDrug, lack: Lack) -> str:
    return f"{drug.title} has no dose: {lack.sentence}"


def _statements(course: _Course, drugs: list[RegimenDrug]) -> list[Finding]:
    """Return what the rules of regimen and drugs find."""
    found = findings_of(course.regimen, drugs, course.inputs, confirmed=course.confirmed)
    for drug in drugs:
        found += _cumulative(course, drug)
    return found


def _cumulative(course: _Course, drug: RegimenDrug) -> Iterator[Finding]:
    if drug.cumulative_highest is None:
        return
    planned = _planned_mg_m2(course, drug)
    if isinstance(planned, Lack):
        sentence = f"the dose of {drug.title} over a life cannot be counted: {planned.sentence}"
        yield Finding(course.regimen.id, drug.title, UNKNOWN, sentence)
        return
    finding = cumulative_finding(drug, planned, course.inputs, confirmed=course.confirmed)
    if finding is not None:
        yield finding


def _planned_mg_m2(course: _Course, drug: RegimenDrug) -> Decimal | Lack:
    """Return all that the plan gives of a drug in mg/m2, or why that cannot be told."""
    level = course.levels[drug.id]
    if drug.unit == FIXED:
        area = body_surface_m2(course.inputs)
        if isinstance(area, Lack):
            return area
        level = level / area
    elif drug.unit != PER_M2:
        return Lack(drug.id, f"its dose is counted in {drug.unit}, not in mg/m2.")
    return level * len(drug.days) * course.courses


def _no_dose_at_all(regimen: Regimen, refused: list[Finding]) -> NoDoseError:
    return NoDoseError(
        _sentence(regimen, refused, plain=False),
        refused,
        plain=_sentence(regimen, refused, plain=True),
    )


def _sentence(regimen: Regimen, refused: list[Finding], *, plain: bool) -> str:
    """Return every reason in one message: exclusions, what is missing, what is to be confirmed."""
    said = [
        each.in_words if plain else each.sentence
        for kind in (EXCLUDED, UNKNOWN)
        for each in refused
        if each.kind == kind
    ]
    wanted: dict[str, list[Finding]] = {}
    for each in refused:
        if each.kind == UNCONFIRMED:
            wanted.setdefault(each.confirm, []).append(each)
    if wanted:
        statements = "; ".join(_asked(confirm, found) for confirm, found in wanted.items())
        ids = "" if plain else f" (confirmed={','.join(wanted)})"
        said.append(f"To be confirmed by a clinician{ids}: {statements}.")
    return f"{regimen.id} gives no dose. {' '.join(dict.fromkeys(said))}"


def _asked(confirm: str, found: list[Finding]) -> str:
    """Return a statement with the drugs that ask for it."""
    drugs = ", ".join(dict.fromkeys(each.drug for each in found if each.drug))
    return f"{confirm}, {found[0].sentence}{f' ({drugs})' if drugs else ''}"


def _needed(course: _Course, drugs: list[RegimenDrug]) -> tuple[str, ...]:
    """Return the confirmed statements without which there would be no dose, in their order."""
    found = _statements(replace(course, confirmed=frozenset()), drugs)
    needed = {each.confirm for each in found} & course.confirmed
    return tuple(each for each in dosing_rules().statements if each in needed)


def _dose(course: _Course, drug: RegimenDrug, amount: Amount) -> DrugDose:
    taken_off = course.arterial_given_mg.get(drug.id, Decimal(0))
    administrations, steps = _administrations(drug, amount, taken_off)
    level = course.levels[drug.id]
    share = course.shares.get(drug.id)
    cytotoxic = bool(drug.cell_cycle)
    notes = [*amount.notes, *([drug.says] if drug.says else [])]
    if drug.looks_like:
        notes.append(f"Look-alike: {drug.title}, not {drug.looks_like}.")
    return DrugDose(
        drug=drug,
        level=level,
        administrations=administrations,
        steps=(*amount.steps, *steps),
        used=tuple(dict.fromkeys([*amount.used, *course.inputs.used(*facts_of(drug))])),
        relative_intensity=share,
        pump_fill_mg=_pump(course, drug, level),
        two_person_check=cytotoxic,
        notes=tuple(notes),
    )


def _administrations(
    drug: RegimenDrug, amount: Amount, taken_off: Decimal
) -> tuple[tuple[Administration, ...], list[str]]:
    """Return a dose a day; what went into an artery is taken off the first, then the next."""
    left, doses = taken_off, []
    for day in drug.days:
        mg = max(amount.mg - left, Decimal(0))
        left = max(left - amount.mg, Decimal(0))
        doses.append(Administration(day, mg, rounded_mg(mg)))
    if not taken_off:
        return tuple(doses), []
    said = ", ".join(f"day {each.day} {four_digits(each.unrounded_mg)} mg" for each in doses)
    return tuple(doses), [f"less {taken_off} mg given into the artery: {said}"]


def _pump(course: _Course, drug: RegimenDrug, level: Decimal) -> Decimal | None:
    if not drug.pump or not course.choices.keys() >= set(PUMP_CHOICES):
        return None
    reservoir, flow = (course.choices[name] for name in PUMP_CHOICES)
    found = pump_fill_mg(level, course.inputs, reservoir_ml=reservoir, flow_ml_per_day=flow)
    return None if isinstance(found, Lack) else found
