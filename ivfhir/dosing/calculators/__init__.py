"""The calculations by name; what each takes and gives stands in the file of its kind."""

from collections.abc import Mapping

from ivfhir.dosing.calculator import Calculator
from ivfhir.dosing.calculators.body import (
    BSA_DU_BOIS,
    BSA_MOSTELLER,
    CALVERT,
    CKD_EPI,
    COCKCROFT_GAULT,
    IDEAL_WEIGHT,
)
from ivfhir.dosing.calculators.delivery import (
    DOSE_INTENSITY,
    INFUSION,
    REGIONAL_ADVANTAGE,
    SCHEDULE,
    UTILISATION,
)
from ivfhir.dosing.calculators.liver import ALBI, CHILD_PUGH
from ivfhir.dosing.calculators.tumour import MRECIST, RECIST, VOLUME_DOUBLING_TIME

__all__ = ["CALCULATORS"]

CALCULATORS: Mapping[str, Calculator] = {
    each.name: each
    for each in (
        *(BSA_MOSTELLER, BSA_DU_BOIS, COCKCROFT_GAULT, CKD_EPI, CALVERT, CHILD_PUGH, ALBI),
        *(IDEAL_WEIGHT, VOLUME_DOUBLING_TIME, RECIST, MRECIST, UTILISATION, REGIONAL_ADVANTAGE),
        *(INFUSION, DOSE_INTENSITY, SCHEDULE),
    )
}
"""Name -> calculation, in the order of the specification (CALC-01 to CALC-16)."""
