"""What a regimen says: its drugs, their doses and bounds, and where each number comes from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from ivfhir.fhir.types import Resource

DOSED, BY_BOARD, REFERRAL = "dosed", "by-board", "referral"
ARTERIAL, INTRAVENOUS = "arterial", "intravenous"
PER_M2, PER_KG, PER_KG_A_DAY, FIXED, AUC = "mg/m2", "mg/kg", "mg/kg/d", "mg", "AUC"
"""What a dose is counted in."""


@dataclass(frozen=True)
class Bounds:
    """The doses that are allowed, both ends included; low None where only the highest is stated."""

    low: Decimal | None
    high: Decimal

    def __contains__(self, dose: Decimal) -> bool:
        """Whether the dose is allowed; one of 0 or less never is."""
        return 0 < dose <= self.high and (self.low is None or dose >= self.low)


@dataclass(frozen=True)
class RegimenDrug:
    """A drug of a regimen.

    Attributes:
        id: its name inside the regimen: `cisplatin`, `fluorouracil-bolus`.
        drug: which drug it is: `fluorouracil`.
        title: for people.
        concept: its CodeableConcept.
        route: arterial or intravenous.
        days: days on which it is given: of what goes into an artery days after day 0 of the
            session, of what goes into a vein days of the regimen, from 1.
        unit: what the dose is counted in; '' where no dose is published.
        published: lowest and highest published dose, the same where there is one; None for none.
        variants: other doses that are published beside it.
        bounds: the doses that are allowed.
        cap_mg: the highest amount a session, to which a dose is lowered.
        for_days: days that a dose a day goes on, 1 for any other.
        over: how long it runs, in words: `46 hours`; '' where the regimen does not say.
        ideal_weight: whether a dose a kg counts ideal weight.
        pump: whether it fills an implanted pump.
        optional: whether it may be left out.
        neutrophils_at_least: count in 10*9/L that it needs; None for none.
        cell_cycle: specific or non-specific; '' for what is no cytotoxic drug.
        exclusions: ids of the rules that may exclude it.
        confirm: statements that a clinician has to confirm before it is selectable.
        course_highest: highest dose a course in mg/m2; None for none.
        course_rule: id of the rule that says so; '' for none.
        cumulative_highest: highest dose over a life in mg/m2, and the lower one after cardiotoxic
            treatment; None for none.
        counts_as: the drug whose dose over a life it adds to; '' where none is counted.
        looks_like: the drug that it is mistaken for; '' for none.
        method: how it is given, where the regimen says so: `bolus`; '' for nothing.
        dosage: route and dose in words.
        says: what else to know; '' for nothing.
        marks: number -> where it comes from.
    """

    id: str
    drug: str
    title: str
    concept: Resource
    route: str
    days: tuple[int, ...]
    unit: str = ""
    published: tuple[Decimal, Decimal] | None = None
    variants: tuple[Decimal, ...] = ()
    bounds: Bounds | None = None
    cap_mg: Decimal | None = None
    for_days: int = 1
    over: str = ""
    ideal_weight: bool = False
    pump: bool = False
    optional: bool = False
    neutrophils_at_least: Decimal | None = None
    cell_cycle: str = ""
    exclusions: tuple[str, ...] = ()
    confirm: tuple[str, ...] = ()
    course_highest: Decimal | None = None
    course_rule: str = ""
    cumulative_highest: tuple[Decimal, Decimal] | None = None
    counts_as: str = ""
    looks_like: str = ""
    method: str = ""
    dosage: str = ""
    says: str = ""
    marks: Mapping[str, str] = field(default_factory=dict)

    @property
    def choice(self) -> str:
        """The parameter that chooses its dose."""
        return "auc" if self.unit == AUC else f"dose_{self.id.replace('-', '_')}"

    @property
    def own_rule(self) -> str:
        """What a limit or statement of its own stands under: its first rule, else its name."""
        return self.exclusions[0] if self.exclusions else self.id


@dataclass(frozen=True)
class Choice:
    """Drugs of which exactly one (`one`) or at least one (`some`) is given."""

    needs: str
    of: tuple[str, ...]


@dataclass(frozen=True)
class Total:
    """Bounds of several doses together, in mg/m2."""

    title: str
    of: tuple[str, ...]
    bounds: Bounds


@dataclass(frozen=True)
class Regimen:
    """A regimen, as its PlanDefinition says it.

    Attributes:
        id: `RG-LU1`.
        version: its own.
        title: for people.
        purpose: what it is for.
        proposal: dosed; by-board, where no dose is supported; or referral.
        reviewed: the day of its last review.
        reviewed_by: whose review that was.
        protocols: ids of the protocols that may use it.
        modes: their modes; any where it is empty.
        sites: their sites; any where it is empty.
        primaries: primary sites that it is for; any where it is empty.
        confirm: statements that a clinician has to confirm for the whole of it.
        interval_days: shortest and longest interval; None where it is on demand.
        reference_interval_days: the interval that dose intensity is measured against.
        max_courses: how often it is given at most.
        says: what else to know; '' for nothing.
        drugs: in order.
        choices: drugs that stand for each other.
        totals: bounds of several doses together.
        marks: number -> where it comes from.
    """

    id: str
    version: str
    title: str
    purpose: str
    proposal: str
    reviewed: date
    reviewed_by: str
    protocols: tuple[str, ...]
    modes: tuple[str, ...]
    sites: tuple[str, ...]
    primaries: tuple[str, ...]
    confirm: tuple[str, ...]
    interval_days: tuple[Decimal, Decimal] | None
    reference_interval_days: Decimal | None
    max_courses: int | None
    says: str
    drugs: tuple[RegimenDrug, ...]
    choices: tuple[Choice, ...]
    totals: tuple[Total, ...]
    marks: Mapping[str, str]

    @property
    def has_systemic_specific(self) -> bool:
        """Whether it holds a cell-cycle-specific drug by vein (LUNG-R02)."""
        return any(
            each.route == INTRAVENOUS and each.cell_cycle == "specific" for each in self.drugs
        )

    def serves(
        self,
        protocol: str,
        *,
        mode: str | None = None,
        site: str | None = None,
        primary: str | None = None,
    ) -> bool:
        """Return whether it is for a protocol, and for what else is told of mode and site."""
        asked = ((self.modes, mode), (self.sites, site), (self.primaries, primary))
        return protocol in self.protocols and all(
            wanted is None or not own or wanted in own for own, wanted in asked
        )
