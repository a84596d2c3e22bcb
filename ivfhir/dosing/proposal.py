"""What a regimen proposes for one patient: doses by drug and day, each with its grounds."""

from dataclasses import dataclass
from decimal import Decimal

from ivfhir.dosing.inputs import Used
from ivfhir.dosing.rounding import rounded_mg
from ivfhir.knowledge.regimen import Regimen, RegimenDrug


@dataclass(frozen=True)
class Administration:
    """One dose on one day.

    Attributes:
        day: day of the regimen, as `RegimenDrug.days` counts it.
        unrounded_mg: after reductions, caps and what went into an artery already.
        rounded_mg: as it is drawn up.
    """

    day: int
    unrounded_mg: Decimal
    rounded_mg: Decimal


@dataclass(frozen=True)
class DrugDose:
    """What is proposed of one drug.

    Attributes:
        drug: the drug.
        level: the dose level, in the drug's unit.
        administrations: one a day.
        steps: how the amount came about, a line each.
        used: every input that it rests on.
        relative_intensity: share of the published dose intensity; None where there is none.
        pump_fill_mg: what fills the pump, unrounded; None where no pump is told.
        two_person_check: whether two people have to check it (E.6): every cytotoxic drug.
        notes: warnings.
    """

    drug: RegimenDrug
    level: Decimal
    administrations: tuple[Administration, ...]
    steps: tuple[str, ...]
    used: tuple[Used, ...]
    relative_intensity: Decimal | None
    pump_fill_mg: Decimal | None
    two_person_check: bool
    notes: tuple[str, ...]

    @property
    def pump_fill_rounded_mg(self) -> Decimal | None:
        """What fills the pump, as it is drawn up."""
        return None if self.pump_fill_mg is None else rounded_mg(self.pump_fill_mg)


@dataclass(frozen=True)
class DoseProposal:
    """What a regimen proposes for one patient.

    Attributes:
        regimen: the regimen.
        doses: the drugs with a dose; empty for a referral, or where the tumour board decides.
        undosed: the drugs whose dose is published nowhere here.
        confirmed: the statements that were confirmed and are needed.
        notes: warnings about the regimen.
    """

    regimen: Regimen
    doses: tuple[DrugDose, ...]
    undosed: tuple[RegimenDrug, ...]
    confirmed: tuple[str, ...]
    notes: tuple[str, ...]
