"""The specification's baseline patient B0 as a dose asks for him, and one who differs."""

from datetime import date
from decimal import Decimal

from ivfhir.dosing.inputs import Input

AS_OF = date(2025, 3, 3)
LABS, EXAMINED, IMAGED = date(2025, 2, 28), date(2025, 2, 26), date(2025, 2, 10)


def number(text: str, day: date | None = None, *, high: str | None = None) -> Input:
    """Return a number of the record."""
    return Input(
        Decimal(text),
        high=None if high is None else Decimal(high),
        date=day,
        reference=None if day is None else "Observation/x",
    )


B0 = {
    "age_years": number("62"),
    "sex": Input("male"),
    "height_cm": number("170", date(2020, 1, 1)),
    "weight_kg": number("68", EXAMINED),
    "creatinine_mg_dl": number("0.9", LABS),
    "bilirubin_mg_dl": number("0.7", LABS),
    "platelets_10e9_l": number("220", LABS),
    "neutrophils_10e9_l": number("4.2", LABS),
    "haemoglobin_g_dl": number("12.8", LABS),
    "ecog": number("1", EXAMINED),
    "burden_pct": number("20", IMAGED),
    "portal_vein": Input("patent", date=IMAGED),
    "platinum_allergy": Input(value=False),
}

V12 = B0 | {
    "age_years": number("71"),
    "sex": Input("female"),
    "height_cm": number("158", date(2020, 1, 1)),
    "weight_kg": number("52.5", EXAMINED),
    "creatinine_mg_dl": number("0.8", LABS),
}
"""Vignette V12: reduced clearance."""

CISPLATIN = ("hearing", "neuropathy", "nyha")
PEMETREXED = ("histology", "folate-b12")
DOXORUBICIN = ("lvef", "cumulative-dose")
FLOXURIDINE = ("dpd", "portal-hypertension")
