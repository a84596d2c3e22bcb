"""Which drugs a patient must not get: the rules of section C, a row each.

A rule excludes a drug, never a patient: it says to choose another drug, not to reject the protocol.
What a rule needs and nobody knows makes the drug not selectable; what no record here
tells has to be confirmed. A drug that the record excludes stays excluded, whatever is confirmed.
"""

import operator
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from ivfhir.dosing.calculator import four_digits
from ivfhir.dosing.inputs import Inputs, Lack, unit_of
from ivfhir.dosing.renal import cockcroft_gault_ml_min
from ivfhir.knowledge.dosing_rules import (
    ABOVE,
    AT_LEAST,
    AT_MOST,
    BELOW,
    CLEARANCE,
    OVER_A_LIFE,
    Condition,
    dosing_rules,
)
from ivfhir.knowledge.regimen import Regimen, RegimenDrug

EXCLUDED, UNKNOWN, UNCONFIRMED = "excluded", "unknown", "unconfirmed"
RENAL = ("creatinine_mg_dl", "age_years", "weight_kg", "sex")
"""The inputs of the clearance."""


@dataclass(frozen=True)
class Finding:
    """Why a drug is not selectable.

    Attributes:
        rule: id of the rule, such as AG-CIS.
        drug: the drug in words; '' for the whole regimen.
        kind: excluded, unknown or unconfirmed.
        sentence: what is so, and what to do; of a statement what it says.
        confirm: the statement to confirm; '' where none helps.
        plain: the sentence without ids of rules, for people who do not know them; '' where it has
            none.
    """

    rule: str
    drug: str
    kind: str
    sentence: str
    confirm: str = ""
    plain: str = ""

    @property
    def in_words(self) -> str:
        """The sentence without ids of rules."""
        return self.plain or self.sentence


_COMPARED: Final[Mapping[str, Callable[[Decimal, Decimal], bool]]] = {
    BELOW: operator.lt,
    AT_MOST: operator.le,
    ABOVE: operator.gt,
    AT_LEAST: operator.ge,
}


def findings(
    drug: RegimenDrug, inputs: Inputs, *, confirmed: Collection[str], regimen_id: str
) -> list[Finding]:
    """Return why a drug is not selectable; empty when it is.

    Args:
        drug: the drug.
        inputs: what is known of the patient.
        confirmed: ids of the statements that a clinician confirmed.
        regimen_id: for a limit that belongs to the regimen itself.
    """
    tests = _tests(drug)
    if drug.neutrophils_at_least is not None:
        least = Condition("neutrophils_10e9_l", "", BELOW, drug.neutrophils_at_least)
        tests.append((regimen_id, least))
    found = [_finding(rule, drug, test, inputs, confirmed) for rule, test in tests]
    return [each for each in found if each is not None]


def findings_of(
    regimen: Regimen, drugs: Iterable[RegimenDrug], inputs: Inputs, *, confirmed: Collection[str]
) -> list[Finding]:
    """Return what its rules and those of some of its drugs find, the regimen's statements first.

    Args:
        regimen: the regimen.
        drugs: those of its drugs that count.
        inputs: what is known of the patient.
        confirmed: ids of the statements that a clinician confirmed.
    """
    said = dosing_rules().statements
    found = [
        Finding(regimen.id, "", UNCONFIRMED, said[each], each)
        for each in regimen.confirm
        if each not in confirmed
    ]
    for drug in drugs:
        found += findings(drug, inputs, confirmed=confirmed, regimen_id=regimen.id)
    return found


def statements_of(drug: RegimenDrug) -> tuple[str, ...]:
    """Return the statements that a clinician may have to confirm for a drug, each once."""
    of_rules = [test.confirm for _, test in _tests(drug) if test.confirm]
    over_a_life = [OVER_A_LIFE] if drug.cumulative_highest is not None else []
    return tuple(dict.fromkeys([*of_rules, *over_a_life]))


def facts_of(drug: RegimenDrug) -> tuple[str, ...]:
    """Return the names of the inputs that the rules of a drug ask, each once."""
    asked = [test.fact for _, test in _tests(drug) if test.fact]
    if drug.neutrophils_at_least is not None:
        asked.append("neutrophils_10e9_l")
    if drug.cumulative_highest is not None:
        asked += [f"cumulative_{drug.counts_as}_mg_m2", "cardiotoxic_treatment"]
    names = (each for fact in asked for each in (RENAL if fact == CLEARANCE else (fact,)))
    return tuple(dict.fromkeys(names))


def _tests(drug: RegimenDrug) -> list[tuple[str, Condition]]:
    rules = dosing_rules().rules
    tests = [(rule, test) for rule in drug.exclusions for test in rules[rule]]
    said = [Condition("", "design", confirm=each) for each in drug.confirm]
    return tests + [(drug.own_rule, each) for each in said]


def _finding(
    rule: str, drug: RegimenDrug, test: Condition, inputs: Inputs, confirmed: Collection[str]
) -> Finding | None:
    excludes = _excludes(test, inputs)
    if excludes is False:
        return None
    if excludes is True:
        known = "; ".join(_shown(inputs, test.fact))
        return excluded(rule, drug, f"{_words(test)} ({known}); choose another drug.")
    if test.confirm in confirmed:
        return None
    if test.confirm:
        said = dosing_rules().statements[test.confirm]
        return Finding(rule, drug.title, UNCONFIRMED, said, test.confirm)
    sentence = f"{drug.title} is not selectable ({rule}): {excludes.sentence}"
    plain = f"{drug.title} is not selectable: {excludes.sentence}"
    return Finding(rule, drug.title, UNKNOWN, sentence, plain=plain)


def excluded(rule: str, drug: RegimenDrug, why: str) -> Finding:
    """Return that a rule excludes a drug; `why` ends the sentence."""
    sentence, plain = f"{rule} excludes {drug.title}: {why}", f"{drug.title} is excluded: {why}"
    return Finding(rule, drug.title, EXCLUDED, sentence, plain=plain)


def _excludes(test: Condition, inputs: Inputs) -> bool | Lack:
    """Return whether a test excludes, or why that is not known."""
    if not test.fact:
        return Lack("", "")
    if test.allowed:
        word = inputs.word(test.fact)
        return word if isinstance(word, Lack) else word not in test.allowed
    if not test.compared:
        return inputs.flag(test.fact)
    ends = clearance_ends(inputs) if test.fact == CLEARANCE else inputs.ends(test.fact)
    if isinstance(ends, Lack):
        return ends
    answers = {_COMPARED[test.compared](end, test.limit) for end in ends}
    if len(answers) > 1:
        low, high = (four_digits(end) for end in ends)
        said = f"{_called(test.fact)} lies between {low} and {high}, so that {_words(test)} is open"
        return Lack(test.fact, f"{said}; settle it.")
    return answers.pop()


def _words(test: Condition) -> str:
    """Return what excludes, in words."""
    if not test.compared:
        return test.words or _called(test.fact)
    unit = unit_of(test.fact)
    said = f"{_called(test.fact)} {test.compared.replace('_', ' ')} {test.limit}"
    return said if unit in ("", "1") else f"{said} {unit}"


def _called(fact: str) -> str:
    return "clearance" if fact == CLEARANCE else dosing_rules().inputs[fact].words


def clearance_ends(inputs: Inputs) -> tuple[Decimal, Decimal] | Lack:
    """Return the ends of the Cockcroft-Gault clearance in mL/min, or why there is none.

    With another sex than male or female they are those of both formulas (CALC-03).
    """
    sex = inputs.word("sex")
    if isinstance(sex, Lack):
        return sex
    known = {}
    for name in ("age_years", "weight_kg", "creatinine_mg_dl"):
        ends = inputs.ends(name)
        if isinstance(ends, Lack):
            return Lack(name, f"the clearance cannot be computed: {ends.sentence}")
        known[name] = ends
    # It falls with age and creatinine, and rises with weight.
    both = [
        cockcroft_gault_ml_min(
            age_years=known["age_years"][old],
            weight_kg=known["weight_kg"][1 - old],
            creatinine_mg_dl=known["creatinine_mg_dl"][old],
            sex=sex,
        )
        for old in (1, 0)
    ]
    return min(both[0].values()), max(both[1].values())


def _shown(inputs: Inputs, fact: str) -> list[str]:
    """Return what is known of a fact, for a sentence."""
    if fact == CLEARANCE:
        ends = clearance_ends(inputs)
        numbers = [] if isinstance(ends, Lack) else map(four_digits, dict.fromkeys(ends))
        return [f"clearance {' to '.join(numbers)} mL/min", *_shown_inputs(inputs, *RENAL)]
    return _shown_inputs(inputs, fact)


def _shown_inputs(inputs: Inputs, *names: str) -> list[str]:
    return [
        f"{_called(each.name)} {each.said}" + (f" of {each.date}" if each.date else "")
        for each in inputs.used(*names)
    ]
