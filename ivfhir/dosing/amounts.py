"""From a dose level to milligrams: by body surface, weight, clearance or session.

Every amount carries the inputs that it rests on and the steps that led to it. What is missing is
told, not guessed.
"""

from dataclasses import dataclass
from decimal import Decimal

from ivfhir.dosing.body import bsa_mosteller_m2, ideal_weight_kg, large_bsa_note
from ivfhir.dosing.calculator import four_digits
from ivfhir.dosing.carboplatin import calvert_mg, is_capped
from ivfhir.dosing.exclusions import RENAL, clearance_ends
from ivfhir.dosing.inputs import Inputs, Lack, Used, unit_of
from ivfhir.errors import ParameterError
from ivfhir.knowledge.dosing_rules import dosing_rules
from ivfhir.knowledge.regimen import AUC, FIXED, PER_M2, RegimenDrug

BODY = ("height_cm", "weight_kg")


@dataclass(frozen=True)
class Amount:
    """What a level comes to, for one administration.

    Attributes:
        mg: unrounded, after reductions and the cap.
        steps: how it came about, a line each.
        used: the inputs that it rests on.
        notes: what else to know.
    """

    mg: Decimal
    steps: tuple[str, ...]
    used: tuple[Used, ...]
    notes: tuple[str, ...] = ()


def amount_of(drug: RegimenDrug, level: Decimal, inputs: Inputs) -> Amount | Lack:
    """Return the amount of one administration in mg, or what is missing for it.

    Args:
        drug: the drug.
        level: in the drug's unit; inside its bounds.
        inputs: what is known of the patient.
    """
    found = _by_unit(drug, level, inputs)
    if isinstance(found, Lack):
        return found
    reduced = _reduced(drug, found, inputs)
    return reduced if isinstance(reduced, Lack) else _capped(drug, reduced)


def body_surface_m2(inputs: Inputs) -> Decimal | Lack:
    """Return the body surface area by Mosteller, or what is missing for it."""
    height = inputs.exact("height_cm")
    if isinstance(height, Lack):
        return height
    weight = inputs.exact("weight_kg")
    if isinstance(weight, Lack):
        return weight
    return bsa_mosteller_m2(height_cm=height, weight_kg=weight)


def _by_unit(drug: RegimenDrug, level: Decimal, inputs: Inputs) -> Amount | Lack:
    if drug.unit == FIXED:
        return Amount(level, (f"{level} mg a session",), ())
    if drug.unit == PER_M2:
        return _by_surface(level, inputs)
    if drug.unit == AUC:
        return _by_clearance(level, inputs)
    return _by_weight(drug, level, inputs)


def _by_surface(level: Decimal, inputs: Inputs) -> Amount | Lack:
    area = body_surface_m2(inputs)
    if isinstance(area, Lack):
        return area
    mg = level * area
    note = large_bsa_note(area)
    step = f"{level} mg/m2 x {four_digits(area)} m2 = {four_digits(mg)} mg"
    return Amount(mg, (step,), inputs.used(*BODY), (note,) if note else ())


def _by_clearance(level: Decimal, inputs: Inputs) -> Amount | Lack:
    ends = clearance_ends(inputs)
    if isinstance(ends, Lack):
        return ends
    low, high = ends
    if low != high:
        return Lack(
            "clearance_ml_min",
            f"the clearance lies between {four_digits(low)} and {four_digits(high)} mL/min, and a "
            "dose by area under the curve needs one.",
        )
    try:
        mg = calvert_mg(auc=level, gfr_ml_min=low)
    except ParameterError as error:
        return Lack("clearance_ml_min", error.message)
    counted = " counts as 125" if is_capped(low) else ""
    step = (
        f"AUC {level} x (clearance {four_digits(low)} mL/min{counted} + 25) = {four_digits(mg)} mg"
    )
    return Amount(mg, (step,), inputs.used(*RENAL))


def _by_weight(drug: RegimenDrug, level: Decimal, inputs: Inputs) -> Amount | Lack:
    weight = _ideal(inputs) if drug.ideal_weight else inputs.exact("weight_kg")
    if isinstance(weight, Lack):
        return weight
    mg = level * weight * drug.for_days
    kind = "ideal weight " if drug.ideal_weight else ""
    days = f" x {drug.for_days} d" if drug.for_days > 1 else ""
    step = f"{level} {drug.unit} x {kind}{four_digits(weight)} kg{days} = {four_digits(mg)} mg"
    names = ("height_cm", "sex") if drug.ideal_weight else ("weight_kg",)
    return Amount(mg, (step,), inputs.used(*names))


def _ideal(inputs: Inputs) -> Decimal | Lack:
    height, sex = inputs.exact("height_cm"), inputs.word("sex")
    if isinstance(height, Lack):
        return height
    if isinstance(sex, Lack):
        return sex
    try:
        weights = set(ideal_weight_kg(height_cm=height, sex=sex).values())
    except ParameterError as error:
        return Lack("height_cm", error.message)
    if len(weights) > 1:
        return Lack("sex", "the ideal weight needs male or female.")
    return weights.pop()


def _reduced(drug: RegimenDrug, amount: Amount, inputs: Inputs) -> Amount | Lack:
    """Return the share of it that the reductions of the drug's rules leave."""
    rules = dosing_rules()
    for each in (rules.reductions[rule] for rule in drug.exclusions if rule in rules.reductions):
        ends = inputs.ends(each.fact)
        if isinstance(ends, Lack):
            return ends
        low, high = ends
        called, unit = rules.inputs[each.fact].words, unit_of(each.fact)
        percent = f"{(each.share * 100).normalize():f} %"
        apart = high < each.low or low > each.high
        if not apart and not each.low <= low <= high <= each.high:
            return Lack(
                each.fact,
                f"{called} lies between {low} and {high} {unit}, and {percent} of the dose is "
                f"given from {each.low} to {each.high}; settle it.",
            )
        mg, steps = amount.mg, amount.steps
        if not apart:
            mg *= each.share
            steps = (*steps, f"{called} {low} {unit}: {percent} of it = {four_digits(mg)} mg")
        amount = Amount(mg, steps, (*amount.used, *inputs.used(each.fact)), amount.notes)
    return amount


def _capped(drug: RegimenDrug, amount: Amount) -> Amount:
    if drug.cap_mg is None or amount.mg <= drug.cap_mg:
        return amount
    step = f"at most {drug.cap_mg} mg a session: {drug.cap_mg} mg"
    note = f"{drug.title} is lowered to the highest dose of a session, {drug.cap_mg} mg."
    return Amount(drug.cap_mg, (*amount.steps, step), amount.used, (*amount.notes, note))


def pump_fill_mg(
    level: Decimal, inputs: Inputs, *, reservoir_ml: Decimal, flow_ml_per_day: Decimal
) -> Decimal | Lack:
    """Return what fills a pump, in mg: dose a day x reservoir / flow, unrounded.

    Args:
        level: in mg/kg/d.
        inputs: what is known of the patient.
        reservoir_ml: what the pump holds.
        flow_ml_per_day: what leaves it.

    Source: RG-PO2
    """
    weight = inputs.exact("weight_kg")
    if isinstance(weight, Lack):
        return weight
    return level * weight * reservoir_ml / flow_ml_per_day
