"""What a value may be at all; one outside its bounds is refused, never computed with.

Rule E-08 gives the bounds of what a laboratory or a scale tells. Those that it does not name are
ours (`design`): they refuse slips of the pen, not patients.
"""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from ivfhir.errors import ParameterError

SEXES = ("male", "female", "other", "unknown")
"""FHIR's administrative genders."""


@dataclass(frozen=True)
class Bounds:
    """The lowest and the highest value that is believed, both allowed.

    Attributes:
        low: the lowest.
        high: the highest.
        unit: UCUM code of both; `1` for none.
        whole: whether only whole numbers can be meant.
        by: the rule that gives them.
    """

    low: Decimal
    high: Decimal
    unit: str
    whole: bool = False
    by: str = "E-08"


def _by_rule(low: str, high: str, unit: str, *, whole: bool = False) -> Bounds:
    return Bounds(Decimal(low), Decimal(high), unit, whole)


def _ours(low: str, high: str, unit: str, *, whole: bool = False) -> Bounds:
    return Bounds(Decimal(low), Decimal(high), unit, whole, by="design")


BOUNDS = {
    "platelets_10e9_l": _by_rule("1", "3000", "10*9/L"),
    "neutrophils_10e9_l": _by_rule("0", "200", "10*9/L"),
    "haemoglobin_g_dl": _by_rule("2", "25", "g/dL"),
    "inr": _by_rule("0.5", "20", "1"),
    "creatinine_mg_dl": _by_rule("0.1", "30", "mg/dL"),
    "bilirubin_mg_dl": _by_rule("0.05", "60", "mg/dL"),
    "albumin_g_dl": _by_rule("0.5", "7", "g/dL"),
    "weight_kg": _by_rule("20", "350", "kg"),
    "height_cm": _by_rule("100", "250", "cm"),
    "ecog": _by_rule("0", "5", "1", whole=True),
    "burden_pct": _by_rule("0", "100", "%"),
    "lvef_pct": _by_rule("5", "90", "%"),
    "age_years": _ours("18", "120", "a", whole=True),
    "auc": _ours("0.5", "10", "mg.min/mL"),
    "gfr_ml_min": _ours("1", "300", "mL/min"),
    "clearance_ml_min": _ours("0.1", "100000", "mL/min"),
    "flow_ml_min": _ours("0.1", "10000", "mL/min"),
    "extraction": _ours("0", "1", "1"),
    "dose_mg": _ours("0.001", "20000", "mg"),
    "duration_min": _ours("1", "40320", "min"),
    "diameter_mm": _ours("0", "500", "mm"),
    "volume_ml": _ours("0.001", "20000", "mL"),
    "interval_days": _ours("1", "3660", "d", whole=True),
    "pump_reservoir_ml": _ours("1", "100", "mL"),
    "pump_flow_ml_per_day": _ours("0.1", "10", "mL/d"),
    "count": _ours("1", "60", "1", whole=True),
}
"""Name of a quantity, with its unit -> its bounds. Adults only, as every source used here."""


def check(quantity: str, value: Decimal, *, name: str | None = None) -> Decimal:
    """Return the value when it can be meant.

    Args:
        quantity: a name of `BOUNDS`.
        value: in that name's unit.
        name: what the refusal calls it; the quantity by default.

    Raises:
        ParameterError: it lies outside its bounds, is no whole number where one is needed, or is no
            number at all.
    """
    bounds, name = BOUNDS[quantity], name or quantity
    if not value.is_finite() or not bounds.low <= value <= bounds.high:
        unit = "" if bounds.unit == "1" else f" {bounds.unit}"
        raise ParameterError(
            f"{name} is {value}{unit}, which cannot be meant: it lies between {bounds.low} and "
            f"{bounds.high}{unit} ({bounds.by}); look at the value and its unit."
        )
    if bounds.whole and value != value.to_integral_value():
        raise ParameterError(f"{name} is {value}; it must be a whole number.")
    return value


def check_word(name: str, word: str, words: Collection[str]) -> str:
    """Return the word when it is one of those that are known.

    Raises:
        ParameterError: it is none.
    """
    if word not in words:
        raise ParameterError(f"{name} is '{word}'; it must be one of {', '.join(words)}.")
    return word
