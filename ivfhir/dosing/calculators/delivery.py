"""What regional delivery may add, how dense doses are, and on which days they fall."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ivfhir.dosing import delivery, intensity
from ivfhir.dosing.calculator import Calculator, Outcome
from ivfhir.dosing.keys import DAY, NUMBERS, Given, Key
from ivfhir.dosing.schedule import schedule
from ivfhir.errors import ParameterError

_DOSE = Key("dose", "dose", "mg", "mg")
_MODEL = (
    Key("clearance", "total-body clearance of the drug", "ml_min", "mL/min"),
    Key("flow", "flow of the artery", "ml_min", "mL/min"),
    Key("extraction", "first-pass extraction of the region, 0 to 1"),
)
_INTENSITY_KEYS = (
    Key("dose", "the dose, or all doses given", "mg_m2", "mg/m2", kind=NUMBERS),
    Key("interval", "after one dose", "days", "d", required=False),
    Key("elapsed", "first dose to end of the last interval", "days", "d", required=False),
    Key("reference_dose", "dose of the reference", "mg_m2", "mg/m2", required=False),
    Key("reference_interval", "interval of the reference", "days", "d", required=False),
)
_SCHEDULE_KEYS = (
    Key("start", "day 0 of the first", kind=DAY),
    Key("interval", "from one day 0 to the next", "days", "d"),
    Key("segments", "how many"),
)


def _utilisation(given: Given) -> Outcome:
    found = delivery.utilisation(**given.values)
    result = {
        "iv_to_liver": found.iv_to_liver_mg,
        "iv_elsewhere": found.iv_elsewhere_mg,
        "arterial_first_pass": found.arterial_first_pass_mg,
        "break_even_arterial": found.break_even_arterial_mg,
    }
    notes = (
        "A teaching figure about first-pass delivery, not a measured tumour dose.",
        "Resting liver flow is about a quarter of cardiac output, about 30 % of it arterial; the "
        "1/6 is the source's own round figure and ignores recirculation.",
    )
    return Outcome({**result, "ratio": found.ratio}, dict.fromkeys(result, "mg"), notes=notes)


def _regional_advantage(given: Given) -> Outcome:
    found = delivery.regional_advantage(**given.values)
    result = {"target_ratio": found.target_ratio, "systemic_ratio": found.systemic_ratio}
    if found.advantage is None:
        return Outcome(result, "1", notes=("No systemic exposure predicted.",))
    return Outcome({**result, "advantage": found.advantage}, "1")


def _infusion(given: Given) -> Outcome:
    found = delivery.infusion(**given.values)
    result = {
        "rate": found.rate_mg_min,
        "added_local": found.added_local_ug_ml,
        "systemic_arterial": found.systemic_arterial_ug_ml,
        "systemic_intravenous": found.systemic_intravenous_ug_ml,
    }
    return Outcome(result, {**dict.fromkeys(result, "ug/mL"), "rate": "mg/min"})


def _dose_intensity(given: Given) -> Outcome:
    values = given.values
    doses = values["dose_mg_m2"]
    found = intensity.dose_intensity(doses, days=_days(values, len(doses)))
    dose, days = (values.get(f"reference_{name}") for name in ("dose_mg_m2", "interval_days"))
    if dose is None and days is None:
        return Outcome({"intensity": found}, {"intensity": "mg/m2/wk"})
    if dose is None or days is None:
        raise ParameterError(
            "Give reference_dose_mg_m2 and reference_interval_days together, or neither."
        )
    reference = intensity.dose_intensity([dose], days=days)
    share = intensity.relative_intensity(found, reference)
    return Outcome(
        {"intensity": found, "reference": reference, "relative": share},
        {"intensity": "mg/m2/wk", "reference": "mg/m2/wk", "relative": "1"},
        notes=("Above 100 % of the reference: a plan stops there (E.6).",) if share > 1 else (),
    )


def _days(values: Mapping[str, Any], doses: int) -> Decimal:
    """Return the days that the doses stand for: an interval for one, what elapsed for several."""
    wanted, other = ("interval_days", "elapsed_days")[:: 1 if doses == 1 else -1]
    if other in values or wanted not in values:
        raise ParameterError(
            "dose-intensity needs interval_days for one dose, elapsed_days for several: from the "
            "first dose to the end of the last interval."
        )
    days: Decimal = values[wanted]
    return days


def _schedule(given: Given) -> Outcome:
    values = given.values
    for name in ("interval_days", "segments"):
        if values[name] != values[name].to_integral_value():
            raise ParameterError(f"{name} is {values[name]}; it must be a whole number.")
    found = schedule(
        start=values["start"],
        interval_days=int(values["interval_days"]),
        segments=int(values["segments"]),
    )
    result = {"day0": [day.isoformat() for day in found.day0], "end": found.end.isoformat()}
    return Outcome(result, {}, notes=("No weekend or holiday is shifted (E-11).",))


UTILISATION = Calculator(
    "utilisation",
    "where a dose goes by vein and by artery, as the seed teaches it",
    "CALC-12; S0-15, S0-16",
    (_DOSE,),
    _utilisation,
)
REGIONAL_ADVANTAGE = Calculator(
    "regional-advantage",
    "arterial against intravenous infusion, in steady state",
    "CALC-13; Eckman 1974, Collins 1984 [R24]; algebra of the specification",
    _MODEL,
    _regional_advantage,
)
INFUSION = Calculator(
    "infusion",
    "rate and levels of an infusion",
    "CALC-14",
    (_DOSE, Key("duration", "how long it runs", "min", "min"), *_MODEL),
    _infusion,
)
DOSE_INTENSITY = Calculator(
    "dose-intensity",
    "dose a week, and as a share of a reference",
    "CALC-15; Hryniuk and Bush 1984 [R35]",
    _INTENSITY_KEYS,
    _dose_intensity,
)
SCHEDULE = Calculator(
    "schedule",
    "day 0 of each segment, and the end of the cycle",
    "CALC-16",
    _SCHEDULE_KEYS,
    _schedule,
)
