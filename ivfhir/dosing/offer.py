"""What a regimen would give a patient, and what stands before it, so that regimens can be compared.

An offer is no dose: `propose_doses` alone gives one, and refuses what an offer only tells.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from ivfhir.dosing.exclusions import UNCONFIRMED, findings_of
from ivfhir.dosing.inputs import Input, Inputs
from ivfhir.dosing.levels import PUMP_CHOICES
from ivfhir.dosing.proposal import DoseProposal
from ivfhir.dosing.propose import NoDoseError, propose_doses
from ivfhir.errors import ParameterError
from ivfhir.knowledge.dosing_rules import dosing_rules
from ivfhir.knowledge.regimen import Regimen, RegimenDrug


@dataclass(frozen=True)
class Offer:
    """A regimen for one patient.

    Attributes:
        regimen: the regimen.
        proposal: what it would give once everything is confirmed; None where there is no dose, or
            something is still to be chosen.
        against: why a drug must not be given, or its dose cannot be computed; a sentence each.
        plain: the same without ids of rules.
        to_confirm: statements that nobody confirmed yet -> what a clinician says with each.
        to_choose: what is to be chosen, or was chosen wrongly; '' for nothing.
    """

    regimen: Regimen
    proposal: DoseProposal | None
    against: tuple[str, ...]
    plain: tuple[str, ...]
    to_confirm: Mapping[str, str]
    to_choose: str

    @property
    def is_excluded(self) -> bool:
        """Whether nothing that can be chosen or confirmed makes it possible."""
        return self.proposal is None and bool(self.against) and not self.to_choose


def offer_regimen(
    regimen: Regimen,
    given: Mapping[str, Input | None],
    *,
    as_of: date,
    choices: Mapping[str, Decimal],
    confirmed: Collection[str],
    interval_days: Decimal | None,
    courses: int,
) -> Offer:
    """Return what a regimen would give.

    Args:
        regimen: the regimen.
        given: as for `propose_doses`.
        as_of: the day of the evaluation.
        choices: as for `propose_doses`; what the regimen leaves nobody to choose is left out.
        confirmed: ids of the statements that a clinician confirmed.
        interval_days: from one course to the next; None where there is one course.
        courses: how many the plan has.
    """
    statements = dosing_rules().statements
    taken = choices_of(regimen)
    found = findings_of(regimen, regimen.drugs, Inputs(given, as_of=as_of), confirmed=confirmed)
    proposal, to_choose = None, ""
    try:
        proposal = propose_doses(
            regimen,
            given,
            as_of=as_of,
            choices={name: level for name, level in choices.items() if name in taken},
            confirmed=statements.keys(),
            interval_days=interval_days,
            courses=courses,
        )
        # Of drugs that stand for each other only the one that is chosen counts.
        given_drugs = {"", *(each.drug.title for each in proposal.doses)}
        found = [each for each in found if each.drug in given_drugs or not proposal.doses]
    except NoDoseError as error:
        found += [each for each in error.findings if each not in found]
    except ParameterError as error:
        to_choose = error.message.removeprefix(f"{regimen.id}: ")
    reasons = [each for each in found if each.kind != UNCONFIRMED]
    return Offer(
        regimen,
        proposal,
        tuple(dict.fromkeys(each.sentence for each in reasons)),
        tuple(dict.fromkeys(each.in_words for each in reasons)),
        {each.confirm: statements[each.confirm] for each in found if each.kind == UNCONFIRMED},
        to_choose,
    )


def drugs_to_choose(regimen: Regimen) -> tuple[RegimenDrug, ...]:
    """Return the drugs whose dose has no default: a published range, or one drug for another."""
    alternatives = {name for choice in regimen.choices for name in choice.of}
    return tuple(
        drug
        for drug in regimen.drugs
        if drug.published is not None
        and (drug.published[0] != drug.published[1] or drug.id in alternatives)
    )


def choices_of(regimen: Regimen) -> frozenset[str]:
    """Return the parameters that have to be chosen within a regimen; those of a pump may be."""
    pump = PUMP_CHOICES if any(drug.pump for drug in regimen.drugs) else ()
    return frozenset({drug.choice for drug in drugs_to_choose(regimen)}.union(pump))
