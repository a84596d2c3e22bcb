"""Body surface area, body mass index and ideal weight."""

from decimal import Decimal

from ivfhir.dosing.plausible import SEXES, check, check_word
from ivfhir.dosing.units import CM_PER_INCH
from ivfhir.errors import ParameterError

LARGE_BSA_M2 = Decimal("2.2")
"""The area is never capped; above this one a warning stands beside it (D.2, `design`)."""

DEVINE_FROM_CM = 60 * CM_PER_INCH
"""Devine counts inches above sixty; a shorter patient's weight is extrapolated."""

_DEVINE_KG = {"male": Decimal(50), "female": Decimal("45.5")}
_DEVINE_KG_PER_INCH = Decimal("2.3")
_ADJUSTED_SHARE = Decimal("0.4")


def bsa_mosteller_m2(*, height_cm: Decimal, weight_kg: Decimal) -> Decimal:
    """Return the body surface area by Mosteller in m2, unrounded and not capped.

    Raises:
        ParameterError: height or weight is implausible (E-08).

    Source: CALC-01 [R34]; the default of every dose.
    """
    check("height_cm", height_cm)
    check("weight_kg", weight_kg)
    return (height_cm * weight_kg / 3600).sqrt()


def bsa_du_bois_m2(*, height_cm: Decimal, weight_kg: Decimal) -> Decimal:
    """Return the body surface area by Du Bois in m2, unrounded and not capped.

    Raises:
        ParameterError: height or weight is implausible (E-08).

    Source: CALC-02 [R34]
    """
    check("height_cm", height_cm)
    check("weight_kg", weight_kg)
    return Decimal("0.007184") * height_cm ** Decimal("0.725") * weight_kg ** Decimal("0.425")


def large_bsa_note(bsa_m2: Decimal) -> str | None:
    """Return the warning of an area above 2.2 m2; None at 2.2 or below."""
    if bsa_m2 <= LARGE_BSA_M2:
        return None
    return (
        f"The body surface area is above {LARGE_BSA_M2} m2 and is not capped: look at the dose "
        "again."
    )


def bmi_kg_m2(*, height_cm: Decimal, weight_kg: Decimal) -> Decimal:
    """Return the body mass index in kg/m2.

    Raises:
        ParameterError: height or weight is implausible (E-08).
    """
    check("height_cm", height_cm)
    check("weight_kg", weight_kg)
    return weight_kg * 10000 / (height_cm * height_cm)


def ideal_weight_kg(*, height_cm: Decimal, sex: str) -> dict[str, Decimal]:
    """Return the ideal weight by Devine in kg, for each sex that may be meant.

    Args:
        height_cm: below 152.4 cm the line is extrapolated.
        sex: male or female gives one weight; other and unknown give both.

    Raises:
        ParameterError: the height is implausible (E-08), or so is the weight that it gives.

    Source: CALC-08
    """
    check("height_cm", height_cm)
    inches = height_cm / CM_PER_INCH - 60
    weights = {each: _DEVINE_KG[each] + _DEVINE_KG_PER_INCH * inches for each in sexes_meant(sex)}
    for weight in weights.values():
        try:
            check("weight_kg", weight, name="The ideal weight")
        except ParameterError:
            raise ParameterError(
                f"height_cm is {height_cm}, for which Devine's formula gives no weight that can "
                "be meant; weigh by another method."
            ) from None
    return weights


def adjusted_weight_kg(*, ideal_kg: Decimal, actual_kg: Decimal) -> Decimal:
    """Return the ideal weight and 40 % of what the actual one is above it, in kg.

    Source: general knowledge; CALC-03 names the adjusted weight and not its formula.
    """
    return ideal_kg + _ADJUSTED_SHARE * (actual_kg - ideal_kg)


def sexes_meant(sex: str) -> tuple[str, ...]:
    """Return the sexes whose formula may be meant: one, or both where it is other or unknown.

    Raises:
        ParameterError: it is no administrative gender.
    """
    check_word("sex", sex, SEXES)
    return (sex,) if sex in _DEVINE_KG else tuple(_DEVINE_KG)
