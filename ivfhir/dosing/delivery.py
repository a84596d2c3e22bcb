"""What regional delivery may add: a teaching figure, and two models in steady state."""

from dataclasses import dataclass
from decimal import Decimal

from ivfhir.dosing.plausible import check

SEED_SHARE = 6
"""S0-15: one sixth of an intravenous dose reaches the liver. The seed's own round figure."""

_UG_PER_MG = 1000


@dataclass(frozen=True)
class Utilisation:
    """What the seed says becomes of a dose, in mg."""

    iv_to_liver_mg: Decimal
    iv_elsewhere_mg: Decimal
    arterial_first_pass_mg: Decimal
    break_even_arterial_mg: Decimal
    ratio: int = SEED_SHARE


def utilisation(*, dose_mg: Decimal) -> Utilisation:
    """Return where a dose goes by vein and by artery, as the seed teaches it.

    Raises:
        ParameterError: the dose is implausible.

    Source: CALC-12, S0-15 to S0-18: "A teaching figure about first-pass delivery, not a measured
    tumour dose." (E.4)
    """
    check("dose_mg", dose_mg)
    share = dose_mg / SEED_SHARE
    return Utilisation(
        iv_to_liver_mg=share,
        iv_elsewhere_mg=dose_mg - share,
        arterial_first_pass_mg=dose_mg,
        break_even_arterial_mg=share,
    )


@dataclass(frozen=True)
class Advantage:
    """Arterial against intravenous infusion in steady state.

    Attributes:
        target_ratio: exposure of the target, arterial to intravenous.
        systemic_ratio: exposure of the body, arterial to intravenous.
        advantage: their quotient; None where no systemic exposure is predicted.
    """

    target_ratio: Decimal
    systemic_ratio: Decimal
    advantage: Decimal | None


def regional_advantage(
    *, clearance_ml_min: Decimal, flow_ml_min: Decimal, extraction: Decimal
) -> Advantage:
    """Return the regional advantage.

    Args:
        clearance_ml_min: total-body clearance of the drug.
        flow_ml_min: flow of the artery.
        extraction: first-pass extraction of the region, 0 to 1.

    Raises:
        ParameterError: an input is implausible.

    Source: CALC-13 [R24]. S0-17 speaks of tens of times; by CALC-12 it is 6, and more needs a drug
    whose clearance is many times the arterial flow.
    """
    check("clearance_ml_min", clearance_ml_min)
    check("flow_ml_min", flow_ml_min)
    check("extraction", extraction)
    escaping = 1 - extraction
    quotient = clearance_ml_min / flow_ml_min
    return Advantage(
        target_ratio=quotient + escaping,
        systemic_ratio=escaping,
        advantage=1 + quotient / escaping if escaping else None,
    )


@dataclass(frozen=True)
class Infusion:
    """The rate of an infusion in mg/min, and the levels that it gives in ug/mL."""

    rate_mg_min: Decimal
    added_local_ug_ml: Decimal
    systemic_arterial_ug_ml: Decimal
    systemic_intravenous_ug_ml: Decimal


def infusion(
    *,
    dose_mg: Decimal,
    duration_min: Decimal,
    flow_ml_min: Decimal,
    clearance_ml_min: Decimal,
    extraction: Decimal,
) -> Infusion:
    """Return rate and steady levels of an infusion.

    Args:
        dose_mg: the dose.
        duration_min: how long it runs.
        flow_ml_min: flow of the artery.
        clearance_ml_min: total-body clearance of the drug.
        extraction: first-pass extraction of the region, 0 to 1.

    Raises:
        ParameterError: an input is implausible.

    Source: CALC-14, S0-21 to S0-23: what a smaller dose or a longer infusion does to the levels.
    """
    check("dose_mg", dose_mg)
    check("duration_min", duration_min)
    check("flow_ml_min", flow_ml_min)
    check("clearance_ml_min", clearance_ml_min)
    check("extraction", extraction)
    rate = dose_mg / duration_min
    systemic = rate / clearance_ml_min * _UG_PER_MG
    return Infusion(
        rate_mg_min=rate,
        added_local_ug_ml=rate / flow_ml_min * _UG_PER_MG,
        systemic_arterial_ug_ml=systemic * (1 - extraction),
        systemic_intravenous_ug_ml=systemic,
    )
