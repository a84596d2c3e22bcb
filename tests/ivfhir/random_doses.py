"""Random patients and wishes for every regimen, on and around the bounds, against the table.

`python -m tests.ivfhir.random_doses 4000 7` tries 4000 of them, from seed 7, and prints what
disagrees; the tests take a cut.
"""

import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from ivfhir.errors import IvfhirError
from ivfhir.expressions.values import Date, DateTime
from ivfhir.fhir.outcome import exit_code
from ivfhir.knowledge.load import ClinicalProtocol, load_protocol
from ivfhir.parameters import typed_parameters
from ivfhir.plan import draft_plan
from ivfhir.prescribe import split_prescription
from ivfhir.read import PatientRecord
from tests.cases.facts import to_resource
from tests.ivfhir.doses_by_table import AS_OF, ROWS, Asked, Drug, Expected, Person, Row, expect

D = Decimal
REASON = "The tumour board of today decided so"
STATEMENTS = (
    "hearing", "neuropathy", "nyha", "platinum-allergy", "histology", "folate-b12", "lvef",
    "cumulative-dose", "dpd", "ugt1a1", "portal-hypertension",
)  # fmt: skip
_ANCHOR = {"LUNG": "dx-lung", "LIVER": "dx-liver-primary", "LMET": "dx-liver-mets"}
_RESULTS = {
    "weight": ("34.9", "35", "48", "52.5", "68", "70", "104", "140.25", "19.9", "20", "350"),
    "height": ("99", "100", "152.4", "158", "170", "170.5", "182", "250"),
    "creatinine": ("0.1", "0.6", "0.8", "0.9", "1.1", "1.4", "1.7", "1.71", "1.9", "3", "0.09"),
    "bilirubin": ("0.7", "1.19", "1.2", "1.49", "1.5", "2.0", "2.01", "3.0", "3.01", "0.04"),
    "platelets": ("45", "99", "100", "220"),
    "anc": ("1.4", "1.5", "2.0", "2.1", "4.2"),
    "haemoglobin": ("9.9", "10", "12.8"),
    "ecog": ("0", "1", "1", "2", "3"),
    "tumour-burden-pct": ("20", "49", "50"),
}
_USUAL = {
    "weight": "68", "height": "170", "creatinine": "0.9", "bilirubin": "0.7", "platelets": "220",
    "anc": "4.2", "haemoglobin": "12.8", "ecog": "1", "tumour-burden-pct": "20",
}  # fmt: skip
_AGES_DAYS = (0, 1, 5, 13, 14, 15, 29, 30, 31, 41, 42, 43)


@dataclass(frozen=True)
class Trial:
    """One patient with one wish, as FHIR and as the table takes them."""

    person: Person
    asked: Asked
    parameters: Mapping[str, str]
    record: PatientRecord


def trials(count: int, seed: int) -> Iterator[Trial]:
    """Yield so many trials, each regimen in its turn."""
    chance = random.Random(seed)
    names = list(ROWS)
    for number in range(count):
        yield _trial(chance, names[number % len(names)])


def disagreement(trial: Trial) -> str:
    """Return how the plan differs from the table; '' where it does not."""
    expected = expect(trial.person, trial.asked)
    try:
        plan = _plan(trial)
    except IvfhirError as error:
        code = exit_code(error)
        if code == expected.code:
            return ""
        return f"exit {code} ({error.message}), expected {expected.code} ({expected.why})"
    if expected.code:
        return f"a plan, expected exit {expected.code} ({expected.why})"
    return _doses_differ(plan, trial, expected)


def _plan(trial: Trial) -> dict[str, Any]:
    protocol = _protocol(ROWS[trial.asked.regimen].protocol)
    own, prescription = split_prescription(protocol, trial.parameters)
    as_of = DateTime.parse(f"{AS_OF}T23:59:59.999+00:00")
    assert as_of is not None
    return draft_plan(
        protocol,
        trial.record,
        as_of=as_of,
        start=Date.of(AS_OF),
        parameters=typed_parameters(protocol, own),
        override_reason=REASON,
        override_kind="tumour-board",
        prescription=prescription,
    )


@cache
def _protocol(name: str) -> ClinicalProtocol:
    return load_protocol(name)


def _doses_differ(plan: dict[str, Any], trial: Trial, expected: Expected) -> str:
    row, found = ROWS[trial.asked.regimen], Counter[tuple[str, Decimal]]()
    for request in plan["contained"]:
        if request["resourceType"] != "MedicationRequest":
            continue
        rates = request["dosageInstruction"][0].get("doseAndRate")
        if rates is None:
            continue
        given, exact = (each["doseQuantity"]["value"] for each in rates)
        name = request["medicationCodeableConcept"]["text"]
        method = request["dosageInstruction"][0].get("method")
        name = f"{name} {method['text']}" if method else name
        found[name, given] += 1
        near = [
            mg
            for drug, mg in expected.unrounded.items()
            if _said(drug) == name and abs(mg - exact) <= D("0.0001")
        ]
        if not near:
            return f"{name} {exact} mg, expected {dict(expected.unrounded)}"
        # What goes into the artery on several days stands in one request, which says how often.
        text = request["dosageInstruction"][0]["text"]
        days = {0 if each.vein else each.days for each in row.drugs if _said(each.name) == name}
        often = next((f", {each} times" for each in days if each > 1), "")
        if often not in text or (" times" in text) != bool(often):
            return f"{name}: {text}, expected{often or ' once'}"
    wanted = Counter[tuple[str, Decimal]]()
    for drug in row.drugs:
        if drug.name in expected.unrounded:
            times = trial.asked.courses * (drug.days if drug.vein else 1)
            wanted[_said(drug.name), expected.rounded[drug.name]] += times
    if found != wanted:
        return f"requests {dict(found)}, expected {dict(wanted)}"
    told = [
        n["text"] for r in plan["contained"] for n in r.get("note", []) if "Pump: " in n["text"]
    ]
    if expected.pump is None:
        return "a pump that nobody asked for" if told else ""
    shown = f"Pump: {_four(expected.pump)} mg"
    return "" if told and all(shown in text for text in told) else f"{told[:1]}, expected {shown}"


def _said(drug: str) -> str:
    return "leucovorin (folinic acid)" if drug == "leucovorin" else drug.replace("-", " ")


def _four(value: Decimal) -> str:
    return str(D(f"{value:.4g}")) if value < 1000 else f"{value:.0f}"


def _trial(chance: random.Random, regimen: str) -> Trial:
    row = ROWS[regimen]
    person = _person(chance, row)
    parameters, courses, interval = _rhythm(chance, row)
    choices = _choices(chance, row, regimen)
    everything = chance.random() < 0.7
    confirmed = [each for each in STATEMENTS if everything or chance.random() < 0.7]
    given = {
        "regimen": regimen,
        **parameters,
        **{name: str(value) for name, value in choices.items()},
        **({"confirmed": ",".join(confirmed)} if confirmed else {}),
    }
    asked = Asked(regimen, choices, frozenset(confirmed), courses, interval)
    return Trial(person, asked, given, _record(person, row, parameters))


def _person(chance: random.Random, row: Row) -> Person:
    results: dict[str, tuple[Decimal, date]] = {}
    wild = chance.random() < 0.6
    for name, values in _RESULTS.items():
        if wild and chance.random() < 0.04:
            continue
        value = chance.choice(values) if wild and chance.random() < 0.35 else _USUAL[name]
        if name == "weight" and chance.random() < 0.5:
            value = str(D(chance.randrange(400, 1300)) / 10)
        if name == "height" and chance.random() < 0.5:
            value = str(chance.randrange(145, 200))
        days = chance.choice(_AGES_DAYS) if wild and chance.random() < 0.2 else 3
        results[name] = (D(value), AS_OF - timedelta(days=days))
    sex = chance.choice(("male", "male", "female", "female", "other", "unknown"))
    vein = None
    if chance.random() > 0.05:
        state = chance.choice(("patent",) * 6 + ("branch-thrombosis", "main-thrombosis"))
        vein = (state, AS_OF - timedelta(days=chance.choice((3, 3, 3, 42, 43))))
    return Person(
        age=chance.choice((18, 30, 55, 56, 62, 62, 71, 88)),
        sex=sex,
        results=results,
        portal_vein=vein,
        allergies=chance.choice(("none-known",) * 6 + ("platinum", "unknown", "other")),
        not_pregnant=None if chance.random() < 0.1 else AS_OF - timedelta(days=2),
        squamous=row.protocol == "LUNG" and chance.random() < 0.1,
    )


def _rhythm(chance: random.Random, row: Row) -> tuple[dict[str, str], int, int]:
    """Return parameters of a protocol, how many courses they give, and the days between."""
    if row.protocol == "LUNG":
        count, days = chance.choice((4, 5, 6)), chance.choice((28, 30, 35))
        return {"segments": str(count), "segment_interval_days": str(days)}, count, days
    if row.protocol == "LIVER" and row.mode == "TACE":
        count, days = chance.choice((1, 2, 3, 4, 6)), chance.choice((28, 41, 42, 59, 60, 84))
        names = {"tace_max_planned": str(count), "tace_interval_days": str(days)}
        return {"mode": "TACE", **names}, count, days
    if row.protocol == "LIVER":
        count, days = chance.choice((1, 3, 6)), chance.choice((21, 24, 28))
        return (
            {"mode": "HAIC", "haic_max": str(count), "haic_interval_days": str(days)},
            count,
            days,
        )
    if row.protocol == "LMET":
        count, days = chance.choice((1, 3, 6)), chance.choice((21, 27, 28, 42, 56))
        mode = row.mode or chance.choice(("EMBO", "INFUSION"))
        return {"mode": mode, "sessions": str(count), "interval_days": str(days)}, count, days
    if row.protocol == "REGI":
        count, days = chance.choice((2, 3, 4)), chance.choice((21, 27, 28, 35))
        site = chance.choice(row.sites)
        return {"site": site, "sessions": str(count), "interval_days": str(days)}, count, days
    count, days = chance.choice((3, 6, 7)), chance.choice((7, 13, 14, 27, 28))
    names = {"infusions": str(count), "port_interval_days": str(days)}
    return {"base": chance.choice(("LIVER", "LMET", "REGI")), **names}, count, days


def _choices(chance: random.Random, row: Row, regimen: str) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for drug in row.drugs:
        if drug.published is None:
            if chance.random() < 0.03:
                found[drug.chosen_as] = D(100)
        elif drug.name in row.one_of:
            continue
        elif drug.name in row.some_of or drug.published[0] != drug.published[1]:
            if chance.random() < 0.9:
                found[drug.chosen_as] = _level(chance, drug)
        elif chance.random() < 0.25:
            found[drug.chosen_as] = _level(chance, drug)
    if row.one_of and chance.random() < 0.95:
        for name in {chance.choice(row.one_of), *(row.one_of if chance.random() < 0.1 else ())}:
            drug = next(each for each in row.drugs if each.name == name)
            found[drug.chosen_as] = _level(chance, drug)
    if regimen == "RG-PO2" and chance.random() < 0.6:
        found["pump_reservoir_ml"] = D(chance.choice((20, 30, 50)))
        if chance.random() < 0.9:
            found["pump_flow_ml_per_day"] = D(chance.choice(("0.5", "1.2", "2")))
    if chance.random() < 0.02:
        found["dose_thalidomide"] = D(100)
    return found


def _level(chance: random.Random, drug: Drug) -> Decimal:
    low, high = (D(end) for end in drug.published or ())
    least, most = drug.bounds or (str(low), str(high))
    step = D("0.01") if high < 1 else D("0.1") if high < 20 else D(1)
    inside = [low, high, D(most), (low + high) / 2, *([D(least)] if least is not None else [])]
    outside = [D(most) + step, *([D(least) - step] if least is not None else [])]
    return chance.choice(inside * 3 + outside)


def _record(person: Person, row: Row, parameters: Mapping[str, str]) -> PatientRecord:
    facts: list[dict[str, Any]] = [
        {"key": name, "value": int(value) if name == "ecog" else value, "date": str(day)}
        for name, (value, day) in person.results.items()
    ]
    facts += _diagnoses(person, row, parameters)
    recent = str(AS_OF - timedelta(days=10))
    facts += [
        {"key": "surgical-candidacy", "value": "unresectable", "date": recent},
        {"key": "metastatic-extent", "value": "localised", "date": recent},
        {"key": "prior-chemo-lines", "value": 0, "date": recent},
        {"key": "inr", "value": D("1.0"), "date": str(AS_OF - timedelta(days=3))},
        {"key": "condition", "code": "I10"},
    ]
    if person.portal_vein is not None:
        state, day = person.portal_vein
        facts.append({"key": "portal-vein", "value": state, "date": str(day)})
    if person.not_pregnant is not None:
        facts.append(
            {"key": "pregnancy-test", "value": "260385009", "date": str(person.not_pregnant)}
        )
    allergy = {
        "none-known": {"code": "716186003"},
        "platinum": {"text": "Cisplatin"},
        "other": {"text": "Penicillin"},
    }
    if person.allergies in allergy:
        facts.append({"key": "allergy", **allergy[person.allergies]})
    resources = tuple(
        to_resource(fact, patient_id="p", resource_id=f"r{number}")
        for number, fact in enumerate(facts)
    )
    patient = {"resourceType": "Patient", "id": "p", "gender": person.sex}
    patient["birthDate"] = str(person.born)
    return PatientRecord(patient, resources, {})


def _diagnoses(person: Person, row: Row, parameters: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    protocol = parameters["base"] if row.protocol == "PORT" else row.protocol
    if protocol == "REGI":
        yield {"key": f"dx-{parameters.get('site', 'pancreas')}"}
        return
    more = {"text": "Squamous cell carcinoma of lung"} if person.squamous else {}
    yield {"key": _ANCHOR[protocol], **more}
    if protocol == "LMET":
        yield {"key": "primary-site", "code": "C18.7", "clinical": "inactive"}


def main(count: int, seed: int, say: Callable[[str], object]) -> int:
    """Try so many; say what disagrees, and how many of what there were."""
    codes: Counter[str] = Counter()
    wrong = 0
    for trial in trials(count, seed):
        said = disagreement(trial)
        codes[f"{trial.asked.regimen} exit {expect(trial.person, trial.asked).code}"] += 1
        if said:
            wrong += 1
            say("\n  ".join(map(str, (trial.asked.regimen, trial.parameters, trial.person, said))))
    for name in sorted(codes):
        say(f"{name}: {codes[name]}")
    say(f"{count} tried, {wrong} disagree")
    return 1 if wrong else 0


if __name__ == "__main__":
    write = sys.stdout.write
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), lambda text: write(f"{text}\n")))
