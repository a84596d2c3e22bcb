"""The dose over a life: what was given, what is planned, and the limit of both."""

from collections.abc import Collection
from decimal import Decimal

from ivfhir.dosing.calculator import four_digits
from ivfhir.dosing.exclusions import UNCONFIRMED, Finding, excluded
from ivfhir.dosing.inputs import Inputs, Lack
from ivfhir.knowledge.dosing_rules import OVER_A_LIFE, dosing_rules
from ivfhir.knowledge.regimen import RegimenDrug


def cumulative_finding(
    drug: RegimenDrug, planned_mg_m2: Decimal, inputs: Inputs, *, confirmed: Collection[str]
) -> Finding | None:
    """Return why the dose over a life keeps a drug from being selected; None where it does not.

    The lower limit holds after cardiotoxic treatment, and where nobody knows of any. A limit that
    is just reached is kept ("would pass").

    Args:
        drug: a drug, with or without such a limit.
        planned_mg_m2: all that the plan gives.
        inputs: what is known of the patient.
        confirmed: ids of the statements that a clinician confirmed.

    Source: AG-DOX [R10], AG-MMC
    """
    if drug.cumulative_highest is None:
        return None
    highest, lower = drug.cumulative_highest
    earlier = inputs.exact(f"cumulative_{drug.counts_as}_mg_m2")
    total = planned_mg_m2 + (Decimal(0) if isinstance(earlier, Lack) else earlier)
    cardiotoxic = inputs.flag("cardiotoxic_treatment")
    limit = lower if cardiotoxic is True else highest
    rule = drug.own_rule
    if total > limit:
        said = "" if isinstance(earlier, Lack) else f" with the {earlier} given so far"
        return excluded(
            rule,
            drug,
            f"{four_digits(planned_mg_m2)} mg/m2 planned{said} pass {limit} mg/m2 over a life; "
            "choose another drug, or plan fewer courses.",
        )
    safe = total <= lower or cardiotoxic is False
    if OVER_A_LIFE in confirmed or (safe and not isinstance(earlier, Lack)):
        return None
    said = dosing_rules().statements[OVER_A_LIFE]
    after = f", {lower} after cardiotoxic treatment" if lower < highest else ""
    return Finding(
        rule,
        drug.title,
        UNCONFIRMED,
        f"{said}: {four_digits(planned_mg_m2)} mg/m2 are planned, {highest} are the limit{after}",
        OVER_A_LIFE,
    )
