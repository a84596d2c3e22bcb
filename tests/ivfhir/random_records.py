"""Random records, plain and twisted, judged by the code and by the table beside it.

A twist is what real records do: another coding first, entries in another order, words without a
code, a value that only an extension explains, a code that nobody knows, two values, a comparator.

`python -m tests.ivfhir.random_records 4000 7` tries 4000 of them, from seed 7, and says what
disagrees; the tests take a cut.
"""

import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from ivfhir.decision import ProtocolDecision
from ivfhir.evaluate import evaluate
from ivfhir.expressions.values import DateTime
from ivfhir.knowledge.load import ClinicalProtocol, load_protocols
from ivfhir.knowledge.registry import Registry
from ivfhir.knowledge.route import load_route
from ivfhir.read import PatientRecord
from tests.ivfhir.judged_by_table import AS_OF, ICD, LOCAL, LOINC, SNOMED, Judgement, Record, tables

D = Decimal
_INSTANT = DateTime.parse(f"{AS_OF}T23:59:59.999+00:00")
STATUS = "http://terminology.hl7.org/CodeSystem/"
QUANTITIES = {
    "platelets": ("777-3", "10*9/L", "49 49.9 50 59 60 74 75 99 100 220 0.5 3001"),
    "anc": ("26499-4", "10*9/L", "0.9 1.0 1.19 1.2 1.49 1.5 4.2 201"),
    "haemoglobin": ("718-7", "g/dL", "8.9 9.0 12.8 1 26"),
    "inr": ("6301-6", "1", "1.0 1.69 1.7 1.79 1.8 2.3 2.31 0.4"),
    "creatinine": ("2160-0", "mg/dL", "0.6 0.9 1.2 1.5 1.99 2.0 2.5 0.05"),
    "bilirubin": ("1975-2", "mg/dL", "0.7 1.99 2.0 2.01 3.0 3.01 0.04"),
    "albumin": ("1751-7", "g/dL", "2.79 2.8 3.5 3.51 4.0 0.4"),
    "weight": ("29463-7", "kg", "40 45 52 53.4 68 70 15"),
    "height": ("8302-2", "cm", "155 170 171 190 90"),
    "egfr": ("98979-8", "mL/min/{1.73_m2}", "29 30 44 45 90"),
    "tumour-burden-pct": ("", "%", "20 50 51 70 71 101"),
    "largest-tumour-mm": ("", "mm", "60 100 101"),
    "vdt-days": ("", "d", "-20 0 130 131 200"),
}
INTEGERS = {
    "ecog": ("89247-1", (0, 1, 1, 1, 2, 3, 6)),
    "karnofsky": ("89243-0", (40, 50, 70, 80, 100, 75)),
    "distant-lesion-count": ("", (0, 3, 5, 6)),
    "prior-chemo-lines": ("", (0, 0, 1, 2)),
    "chemo-pd-lines": ("", (0, 1, 2)),
    "dysphagia-score": ("", (0, 1, 2, 3, 5)),
}
CODED = {
    "surgical-candidacy": "unresectable unresectable medically-inoperable patient-declined"
    " candidate undetermined",
    "metastatic-extent": "none localised localised regional oligometastatic disseminated",
    "chemosensitivity": "sensitive resistant",
    "last-chemo-response": "CR PR SD PD",
    "recist-trend": "CR PR SD PD",
    "cachexia-stage": "none precachexia cachexia refractory",
    "driver-alteration": "positive negative",
    "portal-vein": "patent patent branch-thrombosis main-thrombosis hepatofugal",
    "ascites-grade": "none none mild moderate-severe",
    "encephalopathy-grade": "none none none grade-1-2 grade-3-4",
}
BOOLEANS = (
    "standard-options-reviewed", "planned-curative", "refractory-ascites", "proximal-tumour",
    "childbearing-potential",
)  # fmt: skip
STAGES = ("IIB", "IIIA", "IIIB", "Stage IIIC", "IIIC1", "iv", "IVA", "Stage IVB", "late")
BORN = (
    "1958-09-01", "1962-05-14", "1975-07-07", "1970-03-03", "1969-03-04", "1940-01-31",
    "2007-03-03", "2007-03-04",
)  # fmt: skip
PARTLY = ("2007", "2007-03", "1969", "1962-05", "1950")
M_CATEGORIES = ("M0", "cM0", "M1a", "pM1", "MX")
USUAL = {
    "platelets": 0.95, "anc": 0.95, "inr": 0.95, "creatinine": 0.95, "bilirubin": 0.93,
    "albumin": 0.9, "weight": 0.95, "height": 0.95, "haemoglobin": 0.9, "ecog": 0.95,
    "surgical-candidacy": 0.9, "metastatic-extent": 0.75, "prior-chemo-lines": 0.85,
    "tumour-burden-pct": 0.9, "portal-vein": 0.9, "ascites-grade": 0.85,
    "encephalopathy-grade": 0.85, "dysphagia-score": 0.7, "standard-options-reviewed": 0.7,
}  # fmt: skip
"""How often a fact is there; the others one time in three."""

DIAGNOSES = (
    "C34.11", "C22.0", "C78.7", "C16.9", "C25.0", "C17.0", "C49.21", "C15.5", "C16.0", "C22.9",
)  # fmt: skip
OTHERS = (
    "C78.01", "C78.1", "C78.6", "C79.31", "C79.51", "C79.70", "C79.9", "C77.1", "C18.7", "C50.911",
    "C43.59", "C80.1", "C61", "C64.1", "D66", "D69.6", "D68.51", "A41.9", "K83.01", "K83.09",
    "R04.2", "R64", "K76.82", "K76.7", "I85.00", "J86.0", "J98.09", "D75.821", "K92.2", "K25.4",
    "K25.9", "I70.221", "I70.201", "E11.9", "Z33.1", "Z85.038",
)  # fmt: skip
WORDS = (
    "Lung cancer", "Hepatocellular carcinoma", "Gastric cancer", "Hemophilia A", "Urosepsis",
    "Cachexia", "Liver metastasis", "Renal cell carcinoma", "Hypothyroidism",
    "Family history of lung cancer", "Oesophageal cancer", "No evidence of metastasis",
)  # fmt: skip


def records(count: int, seed: int) -> Iterator[PatientRecord]:
    """Yield so many random records."""
    chance = random.Random(seed)
    for _ in range(count):
        yield _Writer(chance).record()


def disagreements(record: PatientRecord) -> list[str]:
    """Return what the code says otherwise than the table, a line each."""
    protocols, route = _knowledge()
    decision = evaluate(record, protocols, as_of=_INSTANT, route=route)
    judged = Record(record.patient, record.resources)
    lines = [
        line for each in decision.answered for line in _differences(each, judged.judge(each.id))
    ]
    wanted = judged.route()
    if decision.route != wanted:
        lines.append(f"route {decision.route}, expected {wanted}")
    return lines


@cache
def _knowledge() -> tuple[list[ClinicalProtocol], Any]:
    registry = Registry()
    every = load_protocols(registry)
    protocols = [each for each in every.values() if isinstance(each, ClinicalProtocol)]
    return protocols, load_route(registry)


def _differences(found: ProtocolDecision, wanted: Judgement) -> Iterator[str]:
    truths = {(each.id, each.mode or ""): each.truth.value for each in found.criteria}
    for key in dict.fromkeys([*truths, *wanted.truths]):
        if truths.get(key, "absent") != wanted.truths.get(key, "absent"):
            said = truths.get(key, "absent")
            yield f"{found.id} {key} is {said}, expected {wanted.truths.get(key, 'absent')}"
    pairs = (
        ("status", found.status, wanted.status),
        ("failed", list(found.failed), wanted.failed),
        ("unknown", list(found.unknown), wanted.unknown),
        ("cautions", list(found.cautions), wanted.cautions),
        ("not assessable", list(found.not_assessable), wanted.not_assessable),
        (
            "modes",
            {each.id: (each.status, list(each.failed), list(each.unknown)) for each in found.modes},
            dict(wanted.modes),
        ),
    )
    for what, said, expected in pairs:
        if said != expected:
            yield f"{found.id} {what}: {said}, expected {expected}"


class _Writer:
    """Writes one record."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.twisted = chance.random() < 0.6
        self.calm = chance.random() < 0.5
        self.resources: list[dict[str, Any]] = []

    def record(self) -> PatientRecord:
        """Return what was written."""
        self._facts()
        self._conditions()
        self._allergies()
        self._procedures()
        if self.twisted:
            self.chance.shuffle(self.resources)
        for number, each in enumerate(self.resources):
            each["id"] = f"r{number}"
            owner = "patient" if each["resourceType"] == "AllergyIntolerance" else "subject"
            each[owner] = {"reference": "Patient/p"}
        born = self.chance.choice(BORN + (PARTLY if self._twist(0.2) else ()))
        gender = self.chance.choice(("male", "male", "female", "female", "other", "unknown"))
        patient = {"resourceType": "Patient", "id": "p", "birthDate": born, "gender": gender}
        return PatientRecord(patient, tuple(self.resources), {})

    def _facts(self) -> None:
        chance = self.chance
        for name, (code, unit, values) in QUANTITIES.items():
            if self._is_there(name):
                self._quantity(name, code, unit, values.split())
        for name, (code, numbers) in INTEGERS.items():
            if self._is_there(name):
                self._integer(name, code, numbers)
        for name, values in CODED.items():
            if self._is_there(name):
                self._answer(name, values.split())
        for name in BOOLEANS:
            if self._is_there(name):
                self._observe(name, "", {"valueBoolean": chance.random() < 0.5})
        for name, code, texts in _STAGED:
            if self._is_there(name):
                told = {"valueCodeableConcept": {"text": chance.choice(texts)}}
                self._observe(name, code, told)
        if chance.random() < 0.5:
            code = chance.choice(("10828004", "260385009", "260385009"))
            concept = {"coding": [{"system": SNOMED, "code": code}]}
            self._observe("pregnancy-test", "2118-8", {"valueCodeableConcept": concept})
        if chance.random() < 0.7:
            self._earlier_weight()

    def _integer(self, name: str, code: str, numbers: tuple[int, ...]) -> None:
        number = numbers[1] if self.calm and not self._odd() else self.chance.choice(numbers)
        told: dict[str, Any] = {"valueInteger": number}
        if name == "ecog" and number < len(_ECOG_ANSWERS) and self._twist(0.3):
            answer = {"system": LOINC, "code": _ECOG_ANSWERS[number]}
            told = {"valueCodeableConcept": {"coding": [answer]}}
        self._observe(name, code, told)

    def _is_there(self, name: str) -> bool:
        return self.chance.random() < (
            0.995 if self.calm and name in USUAL else USUAL.get(name, 0.33)
        )

    def _odd(self) -> bool:
        return self.chance.random() < (0.03 if self.calm else 0.3)

    def _twist(self, share: float = 0.08) -> bool:
        return self.twisted and self.chance.random() < share

    # ---------------------------------------------------------------------------- observations

    def _quantity(self, name: str, code: str, unit: str, values: list[str]) -> None:
        chance = self.chance
        # Usual values first: all values are bounds, and a record of bounds alone is never eligible.
        value = D(chance.choice(values)) if self._odd() else D(_usual(name))
        quantity: dict[str, Any] = {"value": value, "code": unit, "unit": unit}
        quantity["system"] = "http://unitsofmeasure.org"
        if self._twist():
            quantity["comparator"] = chance.choice(("<", "<=", ">", ">="))
        elif name in ("platelets", "anc") and self._twist(0.2):
            quantity = {"value": value, "unit": "K/uL"}
        elif name == "creatinine" and self._twist(0.2):
            code = "14682-9"
            quantity |= {"value": value * D("88.42"), "code": "umol/L"}
        elif name == "bilirubin" and self._twist(0.2):
            code = "14631-6"
            quantity |= {"value": value * D("17.1"), "code": "umol/L"}
        elif self._twist():
            quantity = {"value": value, "unit": "furlong", "code": "furlong"}
        if name == "weight":
            quantity.pop("comparator", None)
        self._observe(name, code, {"valueQuantity": quantity})

    def _answer(self, name: str, values: list[str]) -> None:
        chance = self.chance
        first = values[min(1, len(values) - 1)]
        usual = self.calm and name in USUAL and not self._odd()
        coding = [{"system": LOCAL, "code": first if usual else chance.choice(values)}]
        if self._twist():
            coding.insert(0, {"system": "http://example.org/local", "code": chance.choice(values)})
        if self._twist(0.04):
            coding.append({"system": LOCAL, "code": chance.choice(values)})
        concept: dict[str, Any] = {"coding": coding}
        if self._twist():
            concept = {"text": coding[-1]["code"]}
        elif self._twist():
            concept = {"coding": [{"system": LOCAL, "code": "whatever"}]}
        self._observe(name, "", {"valueCodeableConcept": concept})

    def _observe(self, name: str, code: str, value: dict[str, Any]) -> None:
        chance = self.chance
        system, code = (LOINC, code) if code else (LOCAL, f"io-{name}")
        concept: dict[str, Any] = {"coding": [{"system": system, "code": code}]}
        if self._twist():
            concept["coding"].insert(0, {"system": "http://example.org/lab", "code": "X1"})
        if self._twist(0.03):
            concept = {"text": name}
        days = chance.choice((0, 3, 3, 3, 5, 7, 7))
        if chance.random() < 0.08:
            days = chance.choice((-1, 8, 14, 15, 30, 31, 42, 43, 60, 61))
        resource = {
            "resourceType": "Observation", "status": "final", "code": concept,
            "effectiveDateTime": str(AS_OF - timedelta(days=days)), **value,
        }  # fmt: skip
        self._spoil(resource, next(iter(value)))
        self.resources.append(resource)
        if self._twist(0.06):
            self._beside(resource, name)

    def _spoil(self, resource: dict[str, Any], element: str) -> None:
        """Let a result not be usable: by its status, two values, or an extension alone."""
        if self._twist(0.03):
            resource["status"] = self.chance.choice(("preliminary", "cancelled", "corrected"))
        elif self._twist(0.03):
            resource["valueString"] = "see report"
        elif self._twist(0.03):
            resource["modifierExtension"] = [{"url": "http://example.org/m", "valueBoolean": True}]
        elif self._twist(0.03):
            why = {"extension": [{"url": "http://example.org/why", "valueString": "unknown"}]}
            del resource[element]
            if element in ("valueInteger", "valueBoolean"):
                resource[f"_{element}"] = why
            else:
                resource[element] = why

    def _beside(self, resource: dict[str, Any], name: str) -> None:
        """Add the same question of the same day, or of an earlier one, with another answer."""
        if name in ("weight", "height"):
            return
        other = {key: value for key, value in resource.items() if not key.startswith("_value")}
        if "valueInteger" in other:
            other["valueInteger"] = self.chance.choice((0, 1, 2))
        if self.chance.random() < 0.5:
            day = date.fromisoformat(resource["effectiveDateTime"]) - timedelta(days=4)
            other["effectiveDateTime"] = str(day)
        elif self.chance.random() < 0.5:
            day = resource["effectiveDateTime"]
            resource["effectiveDateTime"] = f"{day}T08:00:00+00:00"
            other["effectiveDateTime"] = f"{day}T09:30:00+00:00"
        self.resources.append(other)

    def _earlier_weight(self) -> None:
        value = self.chance.choice(("53", "70", "71.6", "72", "80", "82"))
        quantity = {"value": D(value), "unit": "kg", "code": "kg"}
        quantity["system"] = "http://unitsofmeasure.org"
        self.resources.append(
            {
                "resourceType": "Observation",
                "status": "final",
                "code": {"coding": [{"system": LOINC, "code": "29463-7"}]},
                "effectiveDateTime": str(AS_OF - timedelta(days=self.chance.choice((100, 139)))),
                "valueQuantity": quantity,
            }
        )

    # ------------------------------------------------------------------------------ conditions

    def _conditions(self) -> None:
        chance = self.chance
        usable = chance.random() < 0.95
        if usable:
            self._condition("I10", certain=True)
        codes = chance.sample(DIAGNOSES, chance.choice((0, 1, 1, 1, 2)))
        codes += chance.sample(OTHERS, chance.choice((0, 0, 1) if self.calm else (0, 0, 1, 2, 3)))
        if "C78.7" in codes and chance.random() < 0.8:
            codes.append(chance.choice(("C18.7", "C50.911", "C25.0")))
        if "C49.21" in codes and chance.random() < 0.4:
            codes.append("I70.221")
        for code in codes:
            self._condition(code)
        if self._twist(0.25):
            self.resources.append(self._entry({"text": chance.choice(WORDS)}))
        if usable and self._twist(0.25):  # A code of SNOMED CT that is in none of the sets.
            coding = {"system": SNOMED, "code": "999000041000000101"}
            concept = {"coding": [coding | {"display": chance.choice(WORDS)}]}
            self.resources.append(self._entry(concept))

    def _condition(self, icd: str, *, certain: bool = False) -> None:
        if self._twist():
            icd = icd.replace(".", "") if self.chance.random() < 0.5 else icd.lower()
        coding = [{"system": ICD, "code": icd}]
        if self._twist():
            coding.insert(0, {"system": "http://example.org/problems", "code": "P7"})
        self.resources.append(self._entry({"coding": coding}, certain=certain))

    def _entry(self, concept: dict[str, Any], *, certain: bool = False) -> dict[str, Any]:
        chance = self.chance
        clinical: dict[str, Any] = _status("condition-clinical", "active")
        verified: dict[str, Any] | None = _status("condition-ver-status", "confirmed")
        more: dict[str, Any] = {}
        if not certain:
            if chance.random() < 0.12:
                code = chance.choice(("inactive", "resolved", "remission", "recurrence"))
                clinical = _status("condition-clinical", code)
            if self._twist():
                clinical = chance.choice(
                    ({"text": "active"}, _status("condition-clinical", "ongoing"))
                )
                if chance.random() < 0.4:
                    more["abatementDateTime"] = "2024-12-01"
            if self._twist(0.2):
                code = chance.choice(("provisional", "refuted", "entered-in-error", "differential"))
                verified = _status("condition-ver-status", code)
            elif self._twist():
                verified = chance.choice((None, {"text": "confirmed"}))
            if self._twist(0.04):
                more["modifierExtension"] = [{"url": "http://example.org/m", "valueBoolean": True}]
            if self._twist(0.04):
                more["recordedDate"] = str(AS_OF + timedelta(days=1))
        entry = {"resourceType": "Condition", "code": concept, "clinicalStatus": clinical, **more}
        return entry if verified is None else {**entry, "verificationStatus": verified}

    # -------------------------------------------------------------------------------- the rest

    def _allergies(self) -> None:
        chance = self.chance
        contrast = {"coding": [{"system": SNOMED, "code": "293637006"}]}
        kinds: dict[str, tuple[dict[str, Any], str, str]] = {
            "none": ({"coding": [{"system": SNOMED, "code": "716186003"}]}, "", "confirmed"),
            "severe": (contrast, "high", "confirmed"),
            "mild": (contrast, "low", "confirmed"),
            "severe?": (contrast, "high", "unconfirmed"),
            "mild?": (contrast, "low", "unconfirmed"),
            "iohexol": ({"text": "Iohexol"}, "low", "confirmed"),
            "bee": ({"text": "Bee stings"}, "low", "confirmed"),
            "bee!": ({"text": "Bee stings"}, "high", "confirmed"),
        }
        usual = ("none",) * (60 if self.calm else 8)
        chosen = [chance.choice((*usual, *kinds))] if chance.random() < 0.95 else []
        if chosen and chosen[0] != "none" and chance.random() < 0.2:
            chosen.append(chance.choice(("bee", "mild", "severe?")))
        for name in chosen:
            concept, criticality, verified = kinds[name]
            entry = {
                "resourceType": "AllergyIntolerance", "code": concept,
                "clinicalStatus": _status("allergyintolerance-clinical", "active"),
                "verificationStatus": _status("allergyintolerance-verification", verified),
            }  # fmt: skip
            self.resources.append(entry | ({"criticality": criticality} if criticality else {}))

    def _procedures(self) -> None:
        chance = self.chance
        if chance.random() < 0.12:
            self.resources.append(
                {
                    "resourceType": "Procedure",
                    "status": chance.choice(("completed", "not-done", "unknown", "in-progress")),
                    "code": {"coding": [{"system": _PCS, "code": "0F798DZ"}]},
                    "performedDateTime": "2025-01-10",
                }
            )
        if chance.random() < 0.15:
            order: dict[str, Any] = {
                "resourceType": "ServiceRequest",
                "status": chance.choice(("active", "active", "revoked", "completed", "on-hold")),
                "intent": "order",
                "code": {"coding": [{"system": SNOMED, "code": "33195004"}]},
            }
            if chance.random() < 0.8:
                days = chance.choice((-29, -28, 0, 28, 29))
                order["occurrenceDateTime"] = str(AS_OF + timedelta(days=days))
            self.resources.append(order)


_ECOG_ANSWERS = ("LA9622-7", "LA9623-5", "LA9624-3", "LA9625-0", "LA9626-8")
_STAGED = (("stage-group", "21908-9", STAGES), ("m-category", "21907-1", M_CATEGORIES))
_PCS = "http://www.cms.gov/Medicare/Coding/ICD10"


def _usual(name: str) -> str:
    return {
        "platelets": "220", "anc": "4.2", "haemoglobin": "12.8", "inr": "1.0", "creatinine": "0.9",
        "bilirubin": "0.7", "albumin": "4.0", "weight": "68", "height": "170", "egfr": "90",
        "tumour-burden-pct": "20", "largest-tumour-mm": "60", "vdt-days": "200",
    }[name]  # fmt: skip


def _status(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": f"{STATUS}{system}", "code": code}]}


def main(count: int, seed: int, say: Callable[[str], object]) -> int:
    """Try so many; say what disagrees, and how many of what there were."""
    kinds: Counter[str] = Counter()
    wrong = 0
    for number, record in enumerate(records(count, seed)):
        lines = disagreements(record)
        judged = Record(record.patient, record.resources)
        kinds.update(f"{each} {judged.judge(each).status}" for each in tables()["protocols"])
        wrong += bool(lines)
        if lines:
            say(f"{number}: {'; '.join(lines)}")
    for name in sorted(kinds):
        say(f"{name}: {kinds[name]}")
    say(f"{count} tried, {wrong} disagree")
    return 1 if wrong else 0


if __name__ == "__main__":
    write = sys.stdout.write
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), lambda text: write(f"{text}\n")))
