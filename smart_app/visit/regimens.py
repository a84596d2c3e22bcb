"""Regimens in a draft: what was chosen among the settings, and what each would give."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from ivfhir.dosing.calculator import four_digits
from ivfhir.dosing.inputs import Used
from ivfhir.dosing.levels import in_words
from ivfhir.dosing.offer import Offer, choices_of, drugs_to_choose
from ivfhir.dosing.proposal import DoseProposal, DrugDose
from ivfhir.fhir.types import Resource
from ivfhir.knowledge.dosing_rules import dosing_rules
from ivfhir.knowledge.load import ClinicalProtocol
from ivfhir.knowledge.regimen import ARTERIAL, Bounds, Regimen, RegimenDrug
from ivfhir.knowledge.regimens import load_regimen
from ivfhir.prescribe import (
    CONFIRMED,
    REGIMEN,
    Prescription,
    is_level,
    is_of_regimen,
    site_regimens,
    split_prescription,
)
from smart_app.visit.dosage import dose_of

PUMP = {
    "pump_reservoir_ml": ("Pump reservoir", "mL; only with the pump's flow"),
    "pump_flow_ml_per_day": ("Pump flow", "mL a day; only with its reservoir"),
}


def split_values(
    protocol: ClinicalProtocol, values: Mapping[str, str]
) -> tuple[dict[str, str], Prescription | None]:
    """Return the protocol's own settings, and what was chosen of a regimen.

    Without a regimen its doses and confirmations say nothing yet and are left out.

    Raises:
        ParameterError: a dose is no number.
        UnknownProtocolError: there is no such regimen.
    """
    if values.get(REGIMEN):
        own, prescription = split_prescription(protocol, values)
        return own, None if prescription is None else _own_choices(protocol, prescription)
    own = {name: text for name, text in values.items() if not is_of_regimen(name)}
    own.pop(REGIMEN, None)
    return own, None


def _own_choices(protocol: ClinicalProtocol, prescription: Prescription) -> Prescription:
    """Return it without the doses that were chosen for other regimens of the page."""
    taken = choices_of(load_regimen(prescription.regimen, beside=site_regimens(protocol)))
    own = {name: level for name, level in prescription.choices.items() if name in taken}
    return replace(prescription, choices=own)


def confirmed_in(values: Mapping[str, str]) -> tuple[str, ...]:
    """Return the ids of the statements that the settings confirm."""
    return tuple(filter(None, values.get(CONFIRMED, "").split(",")))


def statement_words(confirmed: Iterable[str]) -> tuple[str, ...]:
    """Return statements with what a clinician says with each."""
    said = dosing_rules().statements
    return tuple(f"{each} ({said[each]})" for each in confirmed)


def doses_of(care_plan: Resource) -> dict[str, str]:
    """Return the doses of a plan's requests, in words, by drug; a dose that is given often once."""
    found: dict[str, list[str]] = {}
    for each in care_plan.get("contained", ()):
        dose = dose_of(each)
        if dose is None:
            continue
        words = f"{dose.said} ({dose.before_rounding})"
        if words not in found.setdefault(dose.drug, []):
            found[dose.drug].append(words)
    return {drug: "; ".join(words) for drug, words in found.items()}


def levels_in(values: Mapping[str, str]) -> dict[str, Decimal]:
    """Return the doses that the settings choose, as far as they are numbers."""
    chosen = {name: text for name, text in values.items() if is_of_regimen(name)}
    chosen.pop(CONFIRMED, None)
    return {name: Decimal(text) for name, text in chosen.items() if is_level(text)}


def offer_rows(offers: Iterable[Offer]) -> tuple[dict[str, Any], ...]:
    """Return what a draft keeps of each regimen that serves it, in JSON values."""
    return tuple(_row(each) for each in offers)


def _row(offer: Offer) -> dict[str, Any]:
    regimen, proposal = offer.regimen, offer.proposal
    doses = {each.drug.id: each for each in proposal.doses} if proposal else {}
    lines = [(drug.route, _line(drug, doses.get(drug.id), proposal)) for drug in regimen.drugs]
    return {
        "id": regimen.id,
        "title": regimen.title,
        "purpose": regimen.purpose,
        "proposal": regimen.proposal,
        "reviewed": regimen.reviewed.isoformat(),
        "reviewedBy": regimen.reviewed_by,
        "arterial": [line for route, line in lines if route == ARTERIAL],
        "vein": [line for route, line in lines if route != ARTERIAL],
        "intensity": _intensity(doses),
        "against": list(offer.plain),
        "confirm": dict(offer.to_confirm),
        "choose": offer.to_choose,
        "excluded": offer.is_excluded,
        "fields": _fields(regimen),
        "alternatives": bool(regimen.choices),
        "sources": _sources(regimen),
        "says": regimen.says,
        "notes": list(proposal.notes) if proposal else [],
        "numbers": [_numbers(each) for each in doses.values()],
    }


def _line(
    drug: RegimenDrug, dose: DrugDose | None, proposal: DoseProposal | None
) -> dict[str, str]:
    """Return a drug with its dose; without one what is published."""
    if dose is not None:
        amounts = {each.rounded_mg for each in dose.administrations}
        level = in_words(Bounds(dose.level, dose.level), drug.unit)
        before = " and ".join(
            dict.fromkeys(four_digits(each.unrounded_mg) for each in dose.administrations)
        )
        amount = " and ".join(f"{each} mg" for each in sorted(amounts))
        return {"drug": drug.title, "dose": amount, "says": f"{level}, {before} before rounding"}
    if drug.published is None:
        return {"drug": drug.title, "dose": "", "says": "no dose is published for it here"}
    published = f"published as {in_words(Bounds(*drug.published), drug.unit)}"
    left_out = "; not chosen" if proposal is not None and proposal.doses else ""
    return {"drug": drug.title, "dose": "", "says": published + left_out}


def _intensity(doses: Mapping[str, DrugDose]) -> list[dict[str, str]]:
    return [
        {
            "drug": each.drug.title,
            "share": f"{(each.relative_intensity * 100).quantize(Decimal(1))} %",
        }
        for each in doses.values()
        if each.relative_intensity is not None
    ]


def _fields(regimen: Regimen) -> list[dict[str, str]]:
    """Return what is to be chosen within a regimen: a published range has no default."""
    fields = [
        {
            "name": drug.choice,
            "label": f"{drug.title}, {drug.unit}",
            "hint": in_words(Bounds(*drug.published), drug.unit) if drug.published else "",
        }
        for drug in drugs_to_choose(regimen)
    ]
    taken = choices_of(regimen)
    return fields + [
        {"name": name, "label": label, "hint": hint}
        for name, (label, hint) in PUMP.items()
        if name in taken
    ]


def _sources(regimen: Regimen) -> list[str]:
    """Return where the numbers come from: of what is published, and of what the design chose."""
    every = [regimen.marks, *(drug.marks for drug in regimen.drugs)]
    doses = [marks[name] for marks in every for name in ("dose", "interval_days") if name in marks]
    return list(dict.fromkeys(part for mark in doses for part in mark.split("; ")))


def _numbers(dose: DrugDose) -> dict[str, Any]:
    ordered = [
        f"day {each.day}: {each.rounded_mg} mg, {four_digits(each.unrounded_mg)} before rounding"
        for each in dose.administrations
    ]
    pump = (
        [f"pump: {four_digits(dose.pump_fill_mg)} mg, drawn up as {dose.pump_fill_rounded_mg} mg"]
        if dose.pump_fill_mg is not None
        else []
    )
    return {
        "drug": dose.drug.title,
        "amounts": [*ordered, *pump],
        "steps": list(dose.steps),
        "used": [_used(each) for each in dose.used],
        "notes": list(dose.notes),
        "check": dose.two_person_check,
    }


def _used(each: Used) -> dict[str, str]:
    return {
        "name": each.name,
        "value": each.said,
        "date": each.date.isoformat() if each.date else "",
        "reference": each.reference or "",
    }
