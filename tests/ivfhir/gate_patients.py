"""Invented patients for the gates and stop rules of LUNG, with answers worked out by hand.

The evaluation is at the end of 3 March 2025 UTC. The baseline has sufficient blood, ECOG 1 and no
contraindication; a patient differs from it by the resources named, of the same id or new.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ivfhir.fhir.types import Resource

AS_OF = "2025-03-03T23:59:59.999+00:00"
TODAY, BLOOD_DAY, BOARD_DAY = "2025-03-03", "2025-02-28", "2025-02-20"
LOCAL = "https://ivfhir.example/fhir/CodeSystem/io"
LOINC, ICD = "http://loinc.org", "http://hl7.org/fhir/sid/icd-10-cm"
SNOMED, UCUM = "http://snomed.info/sct", "http://unitsofmeasure.org"
HL7 = "http://terminology.hl7.org/CodeSystem"
ABOUT = {"reference": "Patient/gate"}
Answers = Mapping[str, bool | int | None]


@dataclass(frozen=True)
class GatePatient:
    """A patient and the answers of some defines, without their prefix `LUNG_`."""

    name: str
    expected: Answers
    changes: tuple[Resource, ...] = ()
    without: frozenset[str] = field(default=frozenset())

    def resources(self) -> list[Resource]:
        """Return the Patient and everything else."""
        kept = {**BASELINE, **{each["id"]: each for each in self.changes}}
        return [resource for id_, resource in kept.items() if id_ not in self.without]

    def __str__(self) -> str:
        return self.name


def coded(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def observation(
    id_: str, code: dict[str, Any], date: str | None, status: str = "final", **value: Any
) -> Resource:
    when = {} if date is None else {"effectiveDateTime": date}
    head = {"resourceType": "Observation", "id": id_, "status": status, "subject": ABOUT}
    return {**head, "code": code, **when, **value}


def blood(
    id_: str, code: str, value: str, unit: str, date: str = BLOOD_DAY, **more: str
) -> Resource:
    quantity = {"value": Decimal(value), "unit": unit, "system": UCUM, "code": unit, **more}
    return observation(id_, coded(LOINC, code), date, valueQuantity=quantity)


def platelets(value: str, id_: str = "platelets", date: str = BLOOD_DAY, **more: str) -> Resource:
    return blood(id_, "777-3", value, "10*9/L", date, **more)


def neutrophils(value: str) -> Resource:
    return blood("neutrophils", "751-8", value, "10*9/L")


def inr(value: str) -> Resource:
    return blood("inr", "6301-6", value, "{INR}")


def ecog(value: int, id_: str = "ecog") -> Resource:
    return observation(id_, coded(LOINC, "89247-1"), "2025-02-26", valueInteger=value)


def local(id_: str, code: str, date: str = BOARD_DAY, **value: Any) -> Resource:
    return observation(id_, coded(LOCAL, code), date, **value)


def trend(value: str, id_: str = "trend", date: str = BOARD_DAY) -> Resource:
    return local(id_, "io-recist-trend", date, valueCodeableConcept=coded(LOCAL, value))


def condition(id_: str, code: str) -> Resource:
    return {
        "resourceType": "Condition",
        "id": id_,
        "subject": ABOUT,
        "clinicalStatus": coded(f"{HL7}/condition-clinical", "active"),
        "verificationStatus": coded(f"{HL7}/condition-ver-status", "confirmed"),
        "code": coded(ICD, code),
    }


def vessel(
    id_: str,
    circulation: str | None = "systemic",
    *,
    target: str | None = "tumour",
    label: str | None = None,
    branch: str | None = None,
    date: str | None = TODAY,
    status: str = "final",
) -> Resource:
    """Return one feeding artery as seen at angiography; None leaves a component out."""
    told = {
        "io-circulation": circulation,
        "io-vessel-target": target,
        "io-spinal-branch": branch,
    }
    parts = [
        {"code": coded(LOCAL, code), "valueCodeableConcept": coded(LOCAL, value)}
        for code, value in told.items()
        if value is not None
    ]
    parts.append({"code": coded(LOCAL, "io-artery"), "valueString": f"artery {id_}"})
    if label is not None:
        parts.append({"code": coded(LOCAL, "io-target-label"), "valueString": label})
    code = coded(LOCAL, "io-feeding-vessels")
    return observation(id_, code, date, status, component=parts)


def without_vessels(date: str = TODAY, **value: Any) -> Resource:
    """Return the Observation of an angiography that describes no vessel."""
    return local("angiography", "io-feeding-vessels", date, **value)


NONE_FOUND = without_vessels(valueCodeableConcept=coded(LOCAL, "none"))
ABSENT = {"dataAbsentReason": coded(f"{HL7}/data-absent-reason", "not-performed")}

BASELINE: Mapping[str, Resource] = {
    each["id"]: each
    for each in (
        {
            "resourceType": "Patient",
            "id": "gate",
            "gender": "male",
            "birthDate": "1962-05-14",
        },
        condition("hypertension", "I10"),
        condition("cancer", "C34.11"),
        {
            "resourceType": "AllergyIntolerance",
            "id": "allergies",
            "patient": ABOUT,
            "clinicalStatus": coded(f"{HL7}/allergyintolerance-clinical", "active"),
            "verificationStatus": coded(f"{HL7}/allergyintolerance-verification", "confirmed"),
            "code": coded(SNOMED, "716186003"),
        },
        platelets("220"),
        neutrophils("4.2"),
        inr("1.0"),
        blood("creatinine", "2160-0", "0.9", "mg/dL"),
        ecog(1),
        blood("weight", "29463-7", "68", "kg", "2025-02-26"),
        blood("height", "8302-2", "170", "cm", "2020-06-01"),
        local("extent", "io-metastatic-extent", valueCodeableConcept=coded(LOCAL, "localised")),
        local("lines", "io-prior-chemo-lines", valueInteger=0),
    )
}

# G01: at least one systemic feeder. G04: a target with two or more; `G04_Vessels`: how many vessels
# that embolises in all. None is UNKNOWN.
NOT_RECORDED = {"G01": None, "G02": None, "G04": None, "G04_Vessels": None}
NOTHING_FEEDS = {"G01": False, "G04": False, "G04_Vessels": 0}
NOTHING_TO_CLOSE = {"G01": True, "G04": False, "G04_Vessels": 0}


def to_close(count: int) -> Answers:
    return {"G01": True, "G04": True, "G04_Vessels": count}


FEEDERS = [
    GatePatient("no angiography", NOT_RECORDED),
    GatePatient("none found", NOTHING_FEEDS, (NONE_FOUND,)),
    GatePatient(
        "all pulmonary", NOTHING_FEEDS, (vessel("a", "pulmonary"), vessel("b", "pulmonary"))
    ),
    GatePatient(
        "one pulmonary, one not told", NOT_RECORDED, (vessel("a", "pulmonary"), vessel("b", None))
    ),
    GatePatient("V01: three of one tumour", to_close(2), (vessel("a"), vessel("b"), vessel("c"))),
    GatePatient("one", NOTHING_TO_CLOSE, (vessel("a"),)),
    GatePatient(
        "one systemic, one pulmonary", NOTHING_TO_CLOSE, (vessel("a"), vessel("b", "pulmonary"))
    ),
    GatePatient(
        "one systemic, one not told",
        {"G01": True, "G04": None, "G04_Vessels": None},
        (vessel("a"), vessel("b", None)),
    ),
    GatePatient(
        "one of the tumour, two of nodes without a name",
        to_close(1),
        (vessel("a"), vessel("b", target="node"), vessel("c", target="node")),
    ),
    GatePatient(
        "one of the tumour, one of each of two nodes",
        NOTHING_TO_CLOSE,
        (
            vessel("a"),
            vessel("b", target="node", label="4R"),
            vessel("c", target="node", label="7"),
        ),
    ),
    GatePatient(
        "three of the tumour, two of a node, one of another",
        to_close(3),
        (
            *(vessel(each) for each in "abc"),
            *(vessel(each, target="node", label="4R") for each in "de"),
            vessel("f", target="node", label="7"),
        ),
    ),
    GatePatient("preliminary", NOT_RECORDED, (vessel("a", status="preliminary"),)),
    GatePatient("entered in error", NOT_RECORDED, (vessel("a", status="entered-in-error"),)),
    GatePatient("after the evaluation", NOT_RECORDED, (vessel("a", date="2025-03-04"),)),
    GatePatient("without a date", NOT_RECORDED, (vessel("a", date=None),)),
    GatePatient("a date without its day", NOT_RECORDED, (vessel("a", date="2025-02"),)),
    GatePatient(
        "three in February, one today",
        NOTHING_TO_CLOSE,
        (*(vessel(each, date="2025-02-03") for each in "abc"), vessel("d")),
    ),
    GatePatient(
        "two in February, none today",
        NOTHING_FEEDS,
        (*(vessel(each, date="2025-02-03") for each in "ab"), NONE_FOUND),
    ),
    GatePatient(
        "two of one session, half an hour apart",
        to_close(1),
        (vessel("a", date=f"{TODAY}T09:00:00Z"), vessel("b", date=f"{TODAY}T09:30:00Z")),
    ),
]

# G02 is never TRUE: a branch that is not seen may be there.
SPINAL_BRANCHES = [
    GatePatient("branch seen", {"G02": False}, (vessel("a", branch="yes"),)),
    GatePatient(
        "one of two", {"G02": False}, (vessel("a", branch="no"), vessel("b", branch="yes"))
    ),
    GatePatient("no branch", {"G02": None}, (vessel("a", branch="no"),)),
    GatePatient("not seen", {"G02": None}, (vessel("a", branch="not-seen"),)),
    GatePatient("not told", {"G02": None}, (vessel("a"),)),
    GatePatient("no vessel", {"G02": None}, (NONE_FOUND,)),
]

# G03 is never TRUE: toxicity and the drug's own limits are not in the record. A failed one holds
# the segment (S01).
HELD = {"G03": False, "S01": True}
SAFETY_CHECKS = [
    GatePatient("neutrophils 1.49", HELD, (neutrophils("1.49"),)),
    GatePatient("neutrophils 1.5", {"G03": None}, (neutrophils("1.5"),)),
    GatePatient("platelets 99", HELD, (platelets("99"),)),
    GatePatient("platelets 100", {"G03": None}, (platelets("100"),)),
    GatePatient("platelets below 100", HELD, (platelets("100", comparator="<"),)),
    GatePatient("platelets 220 and 90", {"G03": None}, (platelets("90", "again"),)),
    GatePatient("platelets 90, 15 days old", {"G03": None}, (platelets("90", date="2025-02-16"),)),
    GatePatient("platelets 90, 14 days old", HELD, (platelets("90", date="2025-02-17"),)),
    GatePatient("INR 1.8", HELD, (inr("1.8"),)),
    GatePatient("INR 1.79", {"G03": None}, (inr("1.79"),)),
    GatePatient("ECOG 3", HELD, (ecog(3),)),
    GatePatient("ECOG 2", {"G03": None}, (ecog(2),)),
    GatePatient("ECOG 2 and 3", {"G03": None}, (ecog(2), ecog(3, "again"))),
    GatePatient(
        "no neutrophils, platelets 99", HELD, (platelets("99"),), frozenset({"neutrophils"})
    ),
]
UNDECIDED_CHECKS = [
    GatePatient("all that is recorded is good", {"G03": None}),
    GatePatient("no neutrophils", {"G03": None}, without=frozenset({"neutrophils"})),
    GatePatient("no platelets", {"G03": None}, without=frozenset({"platelets"})),
    GatePatient("no INR", {"G03": None}, without=frozenset({"inr"})),
    GatePatient("no ECOG", {"G03": None}, without=frozenset({"ecog"})),
]

NO_INR = frozenset({"inr"})
STOPS = [
    GatePatient("progression", {"S02": True}, (trend("PD"),)),
    GatePatient("stable", {"S02": False}, (trend("SD"),)),
    GatePatient("partial response", {"S02": False}, (trend("PR"),)),
    GatePatient("complete response", {"S02": False}, (trend("CR"),)),
    GatePatient("no trend", {"S02": None}),
    GatePatient("progression, 60 days old", {"S02": True}, (trend("PD", date="2025-01-02"),)),
    GatePatient("progression, 61 days old", {"S02": None}, (trend("PD", date="2025-01-01"),)),
    GatePatient("progression and stable", {"S02": None}, (trend("PD"), trend("SD", "again"))),
    GatePatient("no contraindication", {"S05": False}),
    GatePatient("sepsis", {"S05": True}, (condition("sepsis", "A41.9"),)),
    GatePatient("sepsis, no INR", {"S05": True}, (condition("sepsis", "A41.9"),), NO_INR),
    GatePatient("INR 1.8 stops", {"S05": True}, (inr("1.8"),)),
    GatePatient("platelets 60 hold, they do not stop", {**HELD, "S05": False}, (platelets("60"),)),
    GatePatient("one contraindication is undecided", {"S05": None}, without=NO_INR),
]

ANGIOGRAPHY_WITHOUT_ANSWER = [
    GatePatient("an angiography without an answer", NOT_RECORDED, (without_vessels(),)),
    GatePatient("an angiography not performed", NOT_RECORDED, (without_vessels(**ABSENT),)),
    GatePatient(
        "an answer that is not `none`",
        NOT_RECORDED,
        (without_vessels(valueCodeableConcept={"text": "not assessed"}),),
    ),
]
TARGET_NOT_TOLD = [
    GatePatient(
        "one of the tumour, one whose target is not told",
        {"G01": True, "G04": None, "G04_Vessels": None},
        (vessel("a"), vessel("b", target=None)),
    ),
    GatePatient(
        "one of the tumour, one of a target that no list has",
        {"G01": True, "G04": None, "G04_Vessels": None},
        (vessel("a"), vessel("b", target="lymph")),
    ),
    GatePatient(
        "a vessel of a circulation that no list has",
        {"G01": None, "G04": None, "G04_Vessels": None},
        (vessel("a", "bronchial"),),
    ),
]
HOLD_UNDECIDED = [
    GatePatient(f"{each.name}: no hold is known", {"S01": None}, each.changes, each.without)
    for each in UNDECIDED_CHECKS
]

PATIENTS = [
    *FEEDERS,
    *ANGIOGRAPHY_WITHOUT_ANSWER,
    *TARGET_NOT_TOLD,
    *SPINAL_BRANCHES,
    *SAFETY_CHECKS,
    *UNDECIDED_CHECKS,
    *HOLD_UNDECIDED,
    *STOPS,
]
