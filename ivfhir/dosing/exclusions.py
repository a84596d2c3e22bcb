"""Which drugs a patient must not get: the rules of section C, a row each.

A rule excludes a drug, never a patient: it says to choose another drug, not to reject the protocol.
What a rule needs and nobody knows makes the drug not selectable; what no record here
tells has to be confirmed. A drug that the record excludes stays excluded, whatever is confirmed.
"""

import operator
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from ivfhir.dosing.calculator import four_digits
from ivfhir.dosing.confirmable import OVER_A_LIFE, STATEMENTS
from ivfhir.dosing.inputs import KNOWN, Inputs, Lack
from ivfhir.dosing.plausible import BOUNDS
from ivfhir.dosing.renal import cockcroft_gault_ml_min
from ivfhir.knowledge.regimen import RegimenDrug

Compare = Callable[[Decimal, Decimal], bool]

EXCLUDED, UNKNOWN, UNCONFIRMED = "excluded", "unknown", "unconfirmed"
CLEARANCE = "clearance_ml_min"
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
    """

    rule: str
    drug: str
    kind: str
    sentence: str
    confirm: str = ""


@dataclass(frozen=True)
class Test:
    """A condition that excludes.

    Attributes:
        fact: the input that it asks; '' where only a clinician can say it.
        words: what excludes, in words.
        mark: where it comes from.
        compared: how a number is compared with the limit; None where the fact is no number.
        limit: the limit.
        allowed: the words that do not exclude, where the fact is a word.
        confirm: the statement that stands in where the fact is not known; '' for none.
    """

    fact: str
    words: str
    mark: str
    compared: Compare | None = None
    limit: Decimal = Decimal(0)
    allowed: tuple[str, ...] = ()
    confirm: str = ""


_SAID: Final[Mapping[Compare, str]] = {
    operator.lt: "below",
    operator.le: "at most",
    operator.gt: "above",
    operator.ge: "at least",
}


def _when(
    fact: str,
    compared: Compare,
    limit: str,
    mark: str,
    confirm: str = "",
) -> Test:
    words = f"{_called(fact)} {_SAID[compared]} {limit} {_unit(fact)}".rstrip()
    return Test(fact, words, mark, compared, Decimal(limit), confirm=confirm)


def _yes(fact: str, mark: str, confirm: str = "") -> Test:
    return Test(fact, KNOWN[fact].words, mark, confirm=confirm)


def _say(confirm: str, mark: str) -> Test:
    return Test("", STATEMENTS[confirm], mark, confirm=confirm)


def _called(fact: str) -> str:
    return KNOWN[fact].words if fact in KNOWN else "clearance"


def _unit(fact: str) -> str:
    return "" if BOUNDS[fact].unit == "1" else BOUNDS[fact].unit


_R7, _R9, _R14, _R21 = (f"lit-conf [{source}]" for source in ("R7", "R9", "R14", "R21"))
_GK = "lit-GK"

RULES: Final[Mapping[str, tuple[Test, ...]]] = {
    "AG-CIS": (
        _when(CLEARANCE, operator.lt, "60", _R7),
        _when("ecog", operator.ge, "2", _R7),
        _yes("platinum_allergy", _R7, "platinum-allergy"),
        _yes("pregnant", _R7),
        _say("hearing", _R7),
        _say("neuropathy", _R7),
        _say("nyha", _R7),
    ),
    "AG-CARBO": (
        _yes("platinum_allergy", _GK, "platinum-allergy"),
        _when("platelets_10e9_l", operator.lt, "100", _GK),
    ),
    "platinum-allergy": (_yes("platinum_allergy", "design", "platinum-allergy"),),
    "AG-PEM": (
        _when(CLEARANCE, operator.lt, "45", _R9),
        _yes("squamous", _R9, "histology"),
        _say("folate-b12", _R9),
    ),
    "AG-DOX": (
        _when("lvef_pct", operator.lt, "50", _GK, "lvef"),
        _when("bilirubin_mg_dl", operator.gt, "3", _GK),
    ),
    "AG-FLUORO": (_yes("dpd_deficiency", _GK, "dpd"),),
    "AG-IRI": (
        _when("bilirubin_mg_dl", operator.gt, "2", _GK),
        _say("ugt1a1", _GK),
    ),
    "AG-FUDR": (
        _when("bilirubin_mg_dl", operator.ge, "1.5", _R14),
        _when("ecog", operator.gt, "1", _R14),
        Test("portal_vein", "portal vein not patent", _R14, allowed=("patent",)),
        _say("portal-hypertension", _R14),
    ),
    "AG-PHP": (
        _when("weight_kg", operator.lt, "35", _R21),
        _when("haemoglobin_g_dl", operator.lt, "10", _R21),
        _when("platelets_10e9_l", operator.lt, "100", _R21),
        _when("neutrophils_10e9_l", operator.le, "2.0", _R21),
        _when("burden_pct", operator.ge, "50", _R21),
        _yes("hit", _R21, "hit"),
        _say("brain-lesions", _R21),
        _yes("varices", _R21, "varices"),
        _say("coagulopathy", _R21),
    ),
    "AG-MMC": (_when("creatinine_mg_dl", operator.gt, "1.7", _GK),),
}
"""Id of a rule -> what excludes. Limits of the dose (AG-CIS-MAX, dose over a life) and reductions
belong to the dose: `levels.py`, `cumulative.py`, `amounts.py`."""


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
        least = str(drug.neutrophils_at_least)
        tests.append((regimen_id, _when("neutrophils_10e9_l", operator.lt, least, "")))
    found = [_finding(rule, drug, test, inputs, confirmed) for rule, test in tests]
    return [each for each in found if each is not None]


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


def _tests(drug: RegimenDrug) -> list[tuple[str, Test]]:
    tests = [(rule, test) for rule in drug.exclusions for test in RULES.get(rule, ())]
    return tests + [(drug.exclusions[0], _say(each, "design")) for each in drug.confirm]


def _finding(
    rule: str, drug: RegimenDrug, test: Test, inputs: Inputs, confirmed: Collection[str]
) -> Finding | None:
    excludes = _excludes(test, inputs)
    if excludes is False:
        return None
    if excludes is True:
        known = "; ".join(_shown(inputs, test.fact))
        sentence = f"{rule} excludes {drug.title}: {test.words} ({known}); choose another drug."
        return Finding(rule, drug.title, EXCLUDED, sentence)
    if test.confirm in confirmed:
        return None
    if test.confirm:
        return Finding(rule, drug.title, UNCONFIRMED, STATEMENTS[test.confirm], test.confirm)
    sentence = f"{drug.title} is not selectable ({rule}): {excludes.sentence}"
    return Finding(rule, drug.title, UNKNOWN, sentence)


def _excludes(test: Test, inputs: Inputs) -> bool | Lack:
    """Return whether a test excludes, or why that is not known."""
    if not test.fact:
        return Lack("", "")
    if test.allowed:
        word = inputs.word(test.fact)
        return word if isinstance(word, Lack) else word not in test.allowed
    if test.compared is None:
        return inputs.flag(test.fact)
    ends = clearance_ends(inputs) if test.fact == CLEARANCE else inputs.ends(test.fact)
    if isinstance(ends, Lack):
        return ends
    answers = {test.compared(end, test.limit) for end in ends}
    if len(answers) > 1:
        low, high = (four_digits(end) for end in ends)
        said = f"{_called(test.fact)} lies between {low} and {high}, so that {test.words} is open"
        return Lack(test.fact, f"{said}; settle it.")
    return answers.pop()


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
        f"{KNOWN[each.name].words} {each.value} {each.unit if each.unit != '1' else ''}".rstrip()
        + (f" of {each.date}" if each.date else "")
        for each in inputs.used(*names)
    ]
