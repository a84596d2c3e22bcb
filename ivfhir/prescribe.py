"""Stage 3b, prescribe: the drugs and doses of a chosen regimen, put into a draft plan's requests.

Which requests are for which drugs is said by the plan: an action's code holds `regimen-arterial` or
`regimen-systemic`. Nothing here knows a protocol, a drug or a dose.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import pairwise
from types import MappingProxyType
from typing import Any, TypedDict

from ivfhir.dosing.calculator import four_digits
from ivfhir.dosing.inputs import Input, Used
from ivfhir.dosing.levels import PUMP_CHOICES
from ivfhir.dosing.offer import Offer, offer_regimen
from ivfhir.dosing.proposal import Administration, DoseProposal, DrugDose
from ivfhir.dosing.propose import NoDoseError, propose_doses
from ivfhir.errors import ParameterError
from ivfhir.evaluate import Evaluation
from ivfhir.fhir.types import UCUM, Resource
from ivfhir.knowledge.dosing_rules import NUMBER, WORD, dosing_rules
from ivfhir.knowledge.load import ClinicalProtocol
from ivfhir.knowledge.regimen import ARTERIAL, INTRAVENOUS, Regimen, RegimenDrug
from ivfhir.knowledge.regimens import load_regimen, load_regimens
from ivfhir.wording import dates

RATE_TYPE = "http://terminology.hl7.org/CodeSystem/dose-rate-type"
PARTS = {"regimen-arterial": ARTERIAL, "regimen-systemic": INTRAVENOUS}
"""Code of an action -> route of the regimen's drugs that it is for."""

REGIMEN, CONFIRMED = "regimen", "confirmed"
_OF_REGIMEN = re.compile("|".join([r"dose_\w+", "auc", CONFIRMED, *PUMP_CHOICES]))
"""Parameters that choose within a regimen, and that no protocol declares."""

_SMALLEST_MG = Decimal("0.0001")
_NUMBER = re.compile(r"\d{1,6}(\.\d{1,6})?", re.ASCII)
_NO_DOSE = "; no dose proposed"
BEFORE_ROUNDING = " mg before rounding; "
"""What stands before the level in the dosage of a regimen's drug."""

UNDOSED = "; no dose is published for it here"
"""What the dosage of a regimen's drug without a dose ends with."""
_NOTHING_CHOSEN = " No drug and no dose is chosen here."
_PREGNANT = "PregnancyStatus"
_RECORDED = {"hit": "HeparinThrombocytopenia", "varices": "HighRiskVarices"}
"""Input of a dose -> define of a fact that excludes where recorded; else a clinician confirms."""

_UNREAD = (
    "results could not be read to their end, so what a dose rests on is not known. Read the record "
    "again, or plan without a regimen."
)
_WITHOUT_DATE = ("age_years", "height_cm", "sex")


@dataclass(frozen=True)
class Prescription:
    """What a clinician chose of a regimen.

    Attributes:
        regimen: its id, `RG-LU1`.
        choices: `dose_<drug>`, `auc` and the pump's numbers -> value.
        confirmed: ids of the statements that are confirmed.
    """

    regimen: str
    choices: Mapping[str, Decimal] = field(default_factory=dict)
    confirmed: tuple[str, ...] = ()


class _Rhythm(TypedDict):
    interval_days: Decimal | None
    courses: int


@dataclass(frozen=True)
class _Slot:
    """A request for drugs of the regimen, with its action and the actions beside that."""

    action: Resource
    siblings: list[Resource]
    route: str
    day: int
    request: Resource


def is_of_regimen(name: str) -> bool:
    """Tell whether a parameter chooses within a regimen."""
    return _OF_REGIMEN.fullmatch(name) is not None


def is_level(text: str) -> bool:
    """Tell whether a text is a number that a dose may be chosen by."""
    return _NUMBER.fullmatch(text) is not None


def split_prescription(
    protocol: ClinicalProtocol, raw: Mapping[str, str]
) -> tuple[dict[str, str], Prescription | None]:
    """Return the protocol's own parameters, and what was chosen of a regimen; None where nothing.

    Args:
        protocol: whose parameters they are.
        raw: name → text, as the user gave them.

    Raises:
        ParameterError: a dose without a regimen, or a dose that is no number.
    """
    doses = {name: text for name, text in raw.items() if is_of_regimen(name)}
    own = {name: text for name, text in raw.items() if name not in doses}
    if REGIMEN not in own or REGIMEN not in protocol.declared:
        if doses and REGIMEN in protocol.declared:
            raise ParameterError(
                f"{', '.join(doses)} needs a regimen beside it; give regimen=RG-…, too."
            )
        return dict(raw), None
    confirmed = tuple(filter(None, (each.strip() for each in doses.pop(CONFIRMED, "").split(","))))
    choices = {}
    for name, text in doses.items():
        if not is_level(text):
            said = f"{name} is a number; '{text}' is none."
            raise ParameterError(said, about={name: said})
        choices[name] = Decimal(text)
    return own, Prescription(own[REGIMEN], choices, confirmed)


def prescribe(
    care_plan: Resource,
    evaluation: Evaluation,
    prescription: Prescription,
    *,
    as_of: date,
    asked: Mapping[str, object],
) -> DoseProposal:
    """Put the drugs and doses of a regimen into a draft plan; return what was proposed.

    Args:
        care_plan: a draft with all it holds contained; it is changed.
        evaluation: of its protocol, for what the record tells of the patient.
        prescription: what was chosen.
        as_of: the day of the evaluation.
        asked: the plan's parameters: mode and site must be those that the regimen serves.

    Raises:
        ParameterError: the regimen does not serve this plan, a choice is missing or out of bounds.
        NoDoseError: a drug is excluded, an input is missing or stale, or a statement is to be
            confirmed.
    """
    regimen = load_regimen(prescription.regimen, beside=site_regimens(evaluation.protocol))
    protocol = evaluation.protocol.id
    served = _served(asked)
    if not regimen.serves(protocol, mode=served.get("mode"), site=served.get("site")):
        wanted = " ".join([protocol, *served.values()])
        served_by_it = ", ".join([*regimen.protocols, *regimen.modes, *regimen.sites])
        raise ParameterError(
            f"The regimen (regimen) {regimen.id} is not for {wanted}; it is for {served_by_it}."
        )
    if "Observation" in unread_types(evaluation):
        raise NoDoseError(f"{regimen.id} gives no dose: {_UNREAD}")
    slots = list(_slots(care_plan))
    proposal = propose_doses(
        regimen,
        inputs_of(evaluation),
        as_of=as_of,
        choices=prescription.choices,
        confirmed=prescription.confirmed,
        **_rhythm(slots),
    )
    for slot in slots:
        _fill(care_plan, slot, proposal)
    care_plan["note"] = [
        *care_plan.get("note", []),
        *({"text": t} for t in _notes(proposal, slots)),
    ]
    return proposal


def offers_of(
    care_plan: Resource,
    evaluation: Evaluation,
    *,
    as_of: date,
    asked: Mapping[str, object],
    choices: Mapping[str, Decimal] = MappingProxyType({}),
    confirmed: Collection[str] = (),
) -> tuple[Offer, ...]:
    """Return what each regimen that serves a draft plan would give; the plan stays as it is.

    A plan without requests for drugs has none: some protocols ask for drugs with a regimen alone.

    Args:
        care_plan: a draft with all it holds contained, no regimen put into it.
        evaluation: of its protocol.
        as_of: the day of the evaluation.
        asked: the plan's parameters, of which mode and site count.
        choices: `dose_<drug>`, `auc` and the pump's numbers; each regimen takes its own.
        confirmed: ids of the statements that are confirmed.
    """
    slots = list(_slots(care_plan))
    if not slots:
        return ()
    regimens = regimens_for(evaluation.protocol, asked)
    if "Observation" in unread_types(evaluation):
        return tuple(Offer(each, None, (_UNREAD,), (_UNREAD,), {}, "") for each in regimens)
    inputs = inputs_of(evaluation)
    return tuple(
        offer_regimen(
            each, inputs, as_of=as_of, choices=choices, confirmed=confirmed, **_rhythm(slots)
        )
        for each in regimens
    )


def regimens_for(protocol: ClinicalProtocol, asked: Mapping[str, object]) -> list[Regimen]:
    """Return the regimens that serve a plan, in order, the site's own last.

    Args:
        protocol: the plan's; one without the parameter `regimen` has none.
        asked: the plan's parameters, of which mode and site count.
    """
    if REGIMEN not in protocol.declared:
        return []
    served = _served(asked)
    every = {**load_regimens(), **site_regimens(protocol)}
    return [
        each
        for each in every.values()
        if each.serves(protocol.id, mode=served.get("mode"), site=served.get("site"))
    ]


def site_regimens(protocol: ClinicalProtocol) -> Mapping[str, Regimen]:
    """Return the regimens that a site's overlay adds, by id."""
    return {} if protocol.overlay is None else protocol.overlay.regimens


def _served(asked: Mapping[str, object]) -> dict[str, str]:
    return {name: str(asked[name]) for name in ("mode", "site") if asked.get(name) is not None}


def _rhythm(slots: Sequence[_Slot]) -> _Rhythm:
    """Return how many courses the plan has, and the shortest interval between two."""
    days = sorted({each for slot in slots if slot.route == ARTERIAL for each in _days(slot)})
    gaps = [(later - earlier).days for earlier, later in pairwise(days)]
    interval_days = Decimal(min(gaps)) if gaps else None
    return {"interval_days": interval_days, "courses": max(len(days), 1)}


def inputs_of(evaluation: Evaluation) -> dict[str, Input | None]:
    """Return what the shared facts tell of a patient for a dose; absent where nothing is known."""
    found: dict[str, Input | None] = {}
    told = {name: each for name, each in dosing_rules().inputs.items() if each.fact}
    for name, each in told.items():
        fact = _fact(evaluation, each.fact)
        if each.kind == NUMBER and fact["known"] and fact["low"] is not None:
            low, high = fact["low"], fact["high"]
            found[name] = _input(name, fact, Decimal(low), None if low == high else Decimal(high))
        elif each.kind == WORD and fact["known"] and len(fact["codes"]) == 1:
            found[name] = _input(name, fact, fact["codes"][0])
    allergic = _fact(evaluation, "PlatinumAllergy")
    if allergic is not None and "AllergyIntolerance" not in unread_types(evaluation):
        found["platinum_allergy"] = Input(allergic)
    if _fact(evaluation, "SquamousLungCancer"):
        found["squamous"] = Input(value=True)
    for name, define in _RECORDED.items():
        fact = _fact(evaluation, define)
        if fact["present"]:
            found[name] = _input(name, fact, value=True)
    status = _fact(evaluation, _PREGNANT)
    if status["known"] and len(status["codes"]) == 1:
        found["pregnant"] = _input("pregnant", status, status["codes"][0] == "pregnant")
    return found


def unread_types(evaluation: Evaluation) -> frozenset[str]:
    """Return the types that a criterion of the protocol needs and that were not read to the end."""
    return frozenset(kind for each in evaluation.decision.criteria for kind in each.unread)


def _fact(evaluation: Evaluation, define: str) -> Any:  # noqa: ANN401 - a CQL tuple
    return evaluation.session.value(define, evaluation.protocol.facts)


def _input(
    name: str, fact: Mapping[str, Any], value: Decimal | bool | str, high: Decimal | None = None
) -> Input:
    evidence: Mapping[str, Any] = next(iter(fact["evidence"] or ()), {})
    moment = None if name in _WITHOUT_DATE else evidence.get("date")
    day = None if moment is None else date(*moment.parts[:3])
    return Input(value, high, day, evidence.get("reference"))


def _slots(care_plan: Resource) -> Iterator[_Slot]:
    """Yield the requests that a regimen fills, in the order of the plan."""
    contained = {f"#{each['id']}": each for each in care_plan["contained"]}
    groups = [each for each in contained.values() if each["resourceType"] == "RequestGroup"]
    waiting = [(group, action) for group in groups for action in group.get("action", [])]
    while waiting:
        parent, action = waiting.pop(0)
        waiting = [*((action, each) for each in action.get("action", [])), *waiting]
        codes = [c.get("code") for each in action.get("code", []) for c in each.get("coding", [])]
        part = next((code for code in codes if code in PARTS), None)
        request = contained.get(action.get("resource", {}).get("reference", ""))
        if part is not None and request is not None:
            route = PARTS[part]
            day = 0 if route == ARTERIAL else int(action["id"].rpartition(".")[2])
            yield _Slot(action, parent["action"], route, day, request)


def _days(slot: _Slot) -> list[date]:
    timing = slot.request["dosageInstruction"][0]["timing"]
    return [date.fromisoformat(each[:10]) for each in timing["event"]]


def _fill(care_plan: Resource, slot: _Slot, proposal: DoseProposal) -> None:
    """Put the slot's first drug into its request, and each further one into one of its own."""
    drugs = [*(each.drug for each in proposal.doses), *proposal.undosed]
    doses = {each.drug.id: each for each in proposal.doses}
    wanted = [each for each in drugs if each.route == slot.route and _is_of(slot, each)]
    template = _copied(slot.request)
    for number, drug in enumerate(wanted):
        request, action = slot.request, slot.action
        if number:
            request, action = _copied(template), _copied(slot.action)
            request["id"] = action["id"] = f"{slot.action['id']}.{drug.id}"
            action["resource"] = {"reference": f"#{request['id']}"}
            slot.siblings.insert(slot.siblings.index(slot.action) + number, action)
            care_plan["contained"].insert(_place(care_plan, slot.request) + number, request)
        given = _given(doses.get(drug.id), slot.day)
        action["title"] = f"{drug.title}{given}: {action['title']}"
        if "description" in action:
            action["description"] = action["description"].removesuffix(_NOTHING_CHOSEN)
        _prescribed(request, drug, doses.get(drug.id), slot.day)


def _given(dose: DrugDose | None, day: int) -> str:
    """Return ` 135 mg`, what is given on a day; '' where there is no dose."""
    return "" if dose is None else f" {_amount_on(dose, day).rounded_mg} mg"


def _amount_on(dose: DrugDose, day: int) -> Administration:
    every = dose.administrations
    return next((each for each in every if each.day == day), every[0])


def _is_of(slot: _Slot, drug: RegimenDrug) -> bool:
    """Whether a drug is given by this request: all that goes into the artery, or that of a day."""
    return slot.route == ARTERIAL or slot.day in drug.days


def _place(care_plan: Resource, request: Resource) -> int:
    return next(n for n, each in enumerate(care_plan["contained"]) if each is request)


def _copied(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict):
        return {name: _copied(each) for name, each in value.items()}
    return [_copied(each) for each in value] if isinstance(value, list) else value


def _prescribed(request: Resource, drug: RegimenDrug, dose: DrugDose | None, day: int) -> None:
    request["medicationCodeableConcept"] = _copied(drug.concept)
    dosage = request["dosageInstruction"][0]
    if drug.method:  # A bolus and an infusion of one drug.
        dosage["method"] = {"text": drug.method}
    way = dosage.get("text", "").removesuffix(_NO_DOSE)
    notes = [{"text": f"{drug.title}: {text}"} for text in ([drug.says] if drug.says else [])]
    if dose is None:
        dosage["text"] = f"{drug.title}: {way}{UNDOSED}"
    else:
        amount = _amount_on(dose, day)
        more = f", {len(dose.administrations)} times" if len(dose.administrations) > 1 else ""
        repeated = more if drug.route == ARTERIAL else ""
        dosage["text"] = (
            f"{drug.title} {amount.rounded_mg} mg ({four_digits(amount.unrounded_mg)}"
            f"{BEFORE_ROUNDING}{dose.level} {drug.unit}){repeated}: {way}"
        )
        dosage["doseAndRate"] = [
            _amount("ordered", "Ordered", amount.rounded_mg),
            _amount("calculated", "Calculated", amount.unrounded_mg),
        ]
        notes = [{"text": text} for text in _grounds(dose)]
        references = dict.fromkeys(each.reference for each in dose.used if each.reference)
        request["supportingInformation"] = [{"reference": each} for each in references]
    if notes:
        request["note"] = [*request.get("note", []), *notes]


def _amount(code: str, display: str, mg: Decimal) -> Resource:
    """Return an amount; of its digits those that any server keeps, a ten-thousandth of a mg."""
    mg = mg.quantize(_SMALLEST_MG).normalize()
    mg = mg.quantize(Decimal(1)) if mg == mg.to_integral_value() else mg
    coding = {"system": RATE_TYPE, "code": code, "display": display}
    quantity = {"value": mg, "unit": "mg", "system": UCUM, "code": "mg"}
    return {"type": {"coding": [coding]}, "doseQuantity": quantity}


def _grounds(dose: DrugDose) -> list[str]:
    """Return how a dose came about, what it rests on, and who has to check it."""
    lines = [f"How it came about: {'; '.join(dose.steps)}."] if dose.steps else []
    lines.append(f"Rests on: {'; '.join(map(_used, dose.used))}.")
    if dose.relative_intensity is not None:
        share = (dose.relative_intensity * 100).quantize(Decimal(1))
        lines.append(f"Dose intensity: {share} % of the published one.")
    if dose.pump_fill_mg is not None:
        drawn_up = f"drawn up as {dose.pump_fill_rounded_mg} mg"
        lines.append(f"Pump: {four_digits(dose.pump_fill_mg)} mg, {drawn_up}.")
    if dose.two_person_check:
        lines.append("Cytotoxic: two people check drug, dose and route.")
    return [*lines, *dose.notes]


def _used(each: Used) -> str:
    known = dosing_rules().inputs.get(each.name)
    when = f" of {each.date}" if each.date else ""
    where = f" ({each.reference})" if each.reference else ""
    return f"{known.words if known else each.name} {each.said}{when}{where}"


def _notes(proposal: DoseProposal, slots: Sequence[_Slot]) -> list[str]:
    """Return what the plan says of the regimen, and which of its drugs it has no request for."""
    regimen = proposal.regimen
    notes = [
        f"Regimen {regimen.id} {regimen.version}: {regimen.title}; reviewed "
        f"{dates.day(regimen.reviewed)} ({regimen.reviewed_by})."
    ]
    if proposal.confirmed:
        statements = dosing_rules().statements
        said = "; ".join(f"{each} ({statements[each]})" for each in proposal.confirmed)
        notes.append(f"Confirmed by the clinician: {said}.")
    drugs = [*(each.drug for each in proposal.doses), *proposal.undosed]
    missed = [d.title for d in drugs if not any(s.route == d.route and _is_of(s, d) for s in slots)]
    if missed:
        names = ", ".join(missed)
        notes.append(f"Not among the requests of this plan, to be prescribed in the EHR: {names}.")
    return [*notes, *proposal.notes]
