"""Stage 3b, prescribe: the drugs and doses of a chosen regimen, put into a draft plan's requests.

Which requests are for which drugs is said by the plan: an action's code holds `regimen-arterial` or
`regimen-systemic`. Nothing here knows a protocol, a drug or a dose.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

from ivfhir.dosing.calculator import four_digits
from ivfhir.dosing.confirmable import STATEMENTS
from ivfhir.dosing.inputs import Input, Used
from ivfhir.dosing.proposal import DoseProposal, DrugDose
from ivfhir.dosing.propose import propose_doses
from ivfhir.errors import NoPlanError, ParameterError
from ivfhir.evaluate import Evaluation
from ivfhir.fhir.types import Resource
from ivfhir.knowledge.load import ClinicalProtocol
from ivfhir.knowledge.regimen import ARTERIAL, INTRAVENOUS, RegimenDrug
from ivfhir.knowledge.regimens import load_regimen

UCUM = "http://unitsofmeasure.org"
RATE_TYPE = "http://terminology.hl7.org/CodeSystem/dose-rate-type"
PARTS = {"regimen-arterial": ARTERIAL, "regimen-systemic": INTRAVENOUS}
"""Code of an action -> route of the regimen's drugs that it is for."""

_OF_REGIMEN = re.compile(r"dose_\w+|auc|confirmed|pump_reservoir_ml|pump_flow_ml_per_day")
"""Parameters that choose within a regimen, and that no protocol declares."""

_NUMBER = re.compile(r"\d{1,6}(\.\d{1,6})?", re.ASCII)
_NO_DOSE = "; no dose proposed"
_NUMBERS = {
    "age_years": "Age",
    "height_cm": "Height",
    "weight_kg": "Weight",
    "creatinine_mg_dl": "Creatinine",
    "bilirubin_mg_dl": "Bilirubin",
    "platelets_10e9_l": "Platelets",
    "neutrophils_10e9_l": "Neutrophils",
    "haemoglobin_g_dl": "Haemoglobin",
    "ecog": "Ecog",
    "burden_pct": "TumourBurden",
}
"""Input of a dose -> define of the shared facts that tells it."""

_WORDS = {"sex": "Sex", "portal_vein": "PortalVein"}
_PREGNANT = "PregnancyStatus"
_RECORDED = {"hit": "HeparinThrombocytopenia", "varices": "HighRiskVarices"}
"""Input of a dose -> define of a fact that excludes where recorded; else a clinician confirms."""

_WITHOUT_WINDOW = ("age_years", "height_cm", "sex")


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


@dataclass(frozen=True)
class _Slot:
    """A request for drugs of the regimen, with its action and the actions beside that."""

    action: Resource
    siblings: list[Resource]
    route: str
    day: int
    request: Resource


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
    doses = {name: text for name, text in raw.items() if _OF_REGIMEN.fullmatch(name)}
    own = {name: text for name, text in raw.items() if name not in doses}
    if "regimen" not in own or "regimen" not in protocol.declared:
        if doses and "regimen" in protocol.declared:
            raise ParameterError(
                f"{', '.join(doses)} needs a regimen beside it; give regimen=RG-…, too."
            )
        return dict(raw), None
    confirmed = tuple(
        filter(None, (each.strip() for each in doses.pop("confirmed", "").split(",")))
    )
    choices = {}
    for name, text in doses.items():
        if _NUMBER.fullmatch(text) is None:
            raise ParameterError(f"{name} is a number; '{text}' is none.")
        choices[name] = Decimal(text)
    return own, Prescription(own["regimen"], choices, confirmed)


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
        NoPlanError: a drug is excluded, an input is missing or stale, or a statement is to be
            confirmed.
    """
    overlay = evaluation.protocol.overlay
    own = {} if overlay is None else overlay.regimens
    regimen = load_regimen(prescription.regimen, beside=own)
    protocol = evaluation.protocol.id
    served = {name: str(asked[name]) for name in ("mode", "site") if asked.get(name) is not None}
    if not regimen.serves(protocol, mode=served.get("mode"), site=served.get("site")):
        wanted = " ".join([protocol, *served.values()])
        served_by_it = ", ".join([*regimen.protocols, *regimen.modes, *regimen.sites])
        raise ParameterError(
            f"The regimen (regimen) {regimen.id} is not for {wanted}; it is for {served_by_it}."
        )
    if "Observation" in unread_types(evaluation):
        raise NoPlanError(
            f"{regimen.id} gives no dose: results could not be read to their end, so what a dose "
            "rests on is not known. Read the record again, or plan without a regimen."
        )
    slots = list(_slots(care_plan))
    days = sorted({each for slot in slots if slot.route == ARTERIAL for each in _days(slot)})
    gaps = [(later - earlier).days for earlier, later in pairwise(days)]
    proposal = propose_doses(
        regimen,
        inputs_of(evaluation),
        as_of=as_of,
        choices=prescription.choices,
        confirmed=prescription.confirmed,
        interval_days=Decimal(min(gaps)) if gaps else None,
        courses=max(len(days), 1),
    )
    for slot in slots:
        _fill(care_plan, slot, proposal)
    care_plan["note"] = [
        *care_plan.get("note", []),
        *({"text": t} for t in _notes(proposal, slots)),
    ]
    return proposal


def inputs_of(evaluation: Evaluation) -> dict[str, Input | None]:
    """Return what the shared facts tell of a patient for a dose; absent where nothing is known."""
    found: dict[str, Input | None] = {}
    for name, define in _NUMBERS.items():
        fact = _fact(evaluation, define)
        if fact["known"] and fact["low"] is not None:
            low, high = fact["low"], fact["high"]
            found[name] = _input(name, fact, Decimal(low), None if low == high else Decimal(high))
    for name, define in _WORDS.items():
        fact = _fact(evaluation, define)
        if fact["known"] and len(fact["codes"]) == 1:
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
    moment = None if name in _WITHOUT_WINDOW else evidence.get("date")
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
        action["title"] = f"{drug.title}: {action['title']}"
        _prescribed(request, drug, doses.get(drug.id), slot.day)


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
    way = dosage.get("text", "").removesuffix(_NO_DOSE)
    notes = [{"text": f"{drug.title}: {text}"} for text in ([drug.says] if drug.says else [])]
    if dose is None:
        dosage["text"] = f"{drug.title}: {way}; no dose is published for it here"
    else:
        amount = next(
            (each for each in dose.administrations if each.day == day), dose.administrations[0]
        )
        more = f", {len(dose.administrations)} times" if len(dose.administrations) > 1 else ""
        repeated = more if drug.route == ARTERIAL else ""
        dosage["text"] = (
            f"{drug.title} {amount.rounded_mg} mg ({four_digits(amount.unrounded_mg)} mg before "
            f"rounding; {dose.level} {drug.unit}){repeated}: {way}"
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
    value = str(each.value) if each.high is None else f"{each.value} to {each.high}"
    when = f" of {each.date}" if each.date else ""
    where = f" ({each.reference})" if each.reference else ""
    unit = f" {each.unit}" if each.unit not in ("", "1") else ""
    return f"{each.name} {value}{unit}{when}{where}"


def _notes(proposal: DoseProposal, slots: Sequence[_Slot]) -> list[str]:
    """Return what the plan says of the regimen, and which of its drugs it has no request for."""
    regimen = proposal.regimen
    notes = [
        f"Regimen {regimen.id} {regimen.version}: {regimen.title}; reviewed {regimen.reviewed} "
        f"({regimen.reviewed_by})."
    ]
    if proposal.confirmed:
        said = "; ".join(f"{each} ({STATEMENTS[each]})" for each in proposal.confirmed)
        notes.append(f"Confirmed by the clinician: {said}.")
    drugs = [*(each.drug for each in proposal.doses), *proposal.undosed]
    missed = [d.title for d in drugs if not any(s.route == d.route and _is_of(s, d) for s in slots)]
    if missed:
        names = ", ".join(missed)
        notes.append(f"Not among the requests of this plan, to be prescribed in the EHR: {names}.")
    return [*notes, *proposal.notes]
