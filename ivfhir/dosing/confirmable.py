"""What no record here tells, so that a clinician has to say it for this patient."""

from collections.abc import Collection, Mapping
from typing import Final

from ivfhir.errors import ParameterError

OVER_A_LIFE: Final = "cumulative-dose"
"""The statement of the dose over a life."""

STATEMENTS: Final[Mapping[str, str]] = {
    "hearing": "no hearing loss of grade 2 or more",
    "neuropathy": "no neuropathy of grade 2 or more",
    "nyha": "no heart failure of NYHA class III or IV",
    "platinum-allergy": "no allergy to platinum compounds",
    "histology": "the histology is the one that the regimen is for",
    "folate-b12": "at least 5 doses of folate within the 7 days before, and vitamin B12 within "
    "the week before",
    "lvef": "left ventricular ejection fraction of 50 % or more, within 90 days",
    OVER_A_LIFE: "the dose over the patient's life stays within its limit, with this plan",
    "dpd": "no known DPD deficiency",
    "ugt1a1": "no UGT1A1*28/*28, or the dose is reduced for it",
    "portal-hypertension": "no portal hypertension",
    "hit": "no heparin-induced thrombocytopenia",
    "brain-lesions": "no brain lesion that is prone to bleed",
    "varices": "no varices at risk of bleeding",
    "coagulopathy": "no coagulopathy that cannot be corrected",
}
"""Id, as `confirmed` takes it -> what it says."""


def check_confirmed(confirmed: Collection[str]) -> frozenset[str]:
    """Return the ids that were confirmed.

    Raises:
        ParameterError: one is unknown.
    """
    unknown = sorted(set(confirmed) - set(STATEMENTS))
    if unknown:
        raise ParameterError(
            f"confirmed holds {', '.join(unknown)}, which means nothing here; it may hold "
            f"{', '.join(STATEMENTS)}."
        )
    return frozenset(confirmed)
