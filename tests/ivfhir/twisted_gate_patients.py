"""Vessels as real reports twist them: labels on the tumour, answers that contradict themselves.

LUNG-G04: a label names a node and nothing else, the tumour is one target. E-10: several codes in
one answer are a set. E-05 and E-11: what is not usable, and what lies after the evaluation.
"""

from ivfhir.fhir.types import Resource
from tests.ivfhir.gate_patients import (
    LOCAL,
    NOT_RECORDED,
    NOTHING_TO_CLOSE,
    GatePatient,
    coded,
    to_close,
    vessel,
)


def answered(id_: str, code: str, *values: str) -> Resource:
    """Return a systemic vessel of the tumour, one answer of which holds several codes."""
    seen = vessel(id_)
    coding = [{"system": LOCAL, "code": value} for value in values]
    kept = [part for part in seen["component"] if part["code"] != coded(LOCAL, code)]
    part = {"code": coded(LOCAL, code), "valueCodeableConcept": {"coding": coding}}
    return {**seen, "component": [*kept, part]}


LABELS = [
    GatePatient(
        "three of the tumour, each with a label of its own",
        to_close(2),
        (vessel("a", label="RUL"), vessel("b", label="hilar mass"), vessel("c", label="upper")),
    ),
    GatePatient(
        "two of the tumour, one with a label",
        to_close(1),
        (vessel("a", label="RUL"), vessel("b")),
    ),
    GatePatient(
        "the tumour under the label of a node, and that node",
        NOTHING_TO_CLOSE,
        (vessel("a", label="4R"), vessel("b", target="node", label="4R")),
    ),
    GatePatient(
        "two of the tumour under the labels of two nodes, one of each node",
        to_close(1),
        (
            vessel("a", label="4R"),
            vessel("b", label="7"),
            vessel("c", target="node", label="4R"),
            vessel("d", target="node", label="7"),
        ),
    ),
    GatePatient(
        "two of one node, one of another, one of the tumour with a label",
        to_close(1),
        (
            vessel("a", label="RUL"),
            *(vessel(each, target="node", label="4R") for each in "bc"),
            vessel("d", target="node", label="7"),
        ),
    ),
    GatePatient(
        "two nodes without a label are one target, a labelled one is another",
        to_close(1),
        (
            *(vessel(each, target="node") for each in "ab"),
            vessel("c", target="node", label="7"),
        ),
    ),
    GatePatient(
        "one node without a label, one with",
        NOTHING_TO_CLOSE,
        (vessel("a", target="node"), vessel("b", target="node", label="7")),
    ),
    GatePatient(
        "three of the tumour with labels, one of them pulmonary",
        to_close(1),
        (
            vessel("a", label="RUL"),
            vessel("b", label="hilar mass"),
            vessel("c", "pulmonary", label="upper"),
        ),
    ),
    GatePatient(
        "two of the tumour with labels, one of a circulation not told",
        {"G01": True, "G04": None, "G04_Vessels": None},
        (vessel("a", label="RUL"), vessel("b", None, label="hilar mass")),
    ),
]
TWISTED_VESSELS = [
    GatePatient(
        "a vessel both systemic and pulmonary",
        NOT_RECORDED,
        (answered("a", "io-circulation", "systemic", "pulmonary"),),
    ),
    GatePatient(
        "a vessel both pulmonary and systemic, in that order",
        NOT_RECORDED,
        (answered("a", "io-circulation", "pulmonary", "systemic"),),
    ),
    GatePatient(
        "two of the tumour, one both systemic and pulmonary",
        {"G01": True, "G04": None, "G04_Vessels": None},
        (vessel("a"), answered("b", "io-circulation", "systemic", "pulmonary")),
    ),
    GatePatient(
        "two of the tumour, one systemic twice",
        to_close(1),
        (vessel("a"), answered("b", "io-circulation", "systemic", "systemic")),
    ),
    GatePatient(
        "two, one both of the tumour and of a node",
        {"G01": True, "G04": None, "G04_Vessels": None},
        (vessel("a"), answered("b", "io-vessel-target", "tumour", "node")),
    ),
    GatePatient(
        "a spinal branch both seen and not",
        {"G02": None},
        (answered("a", "io-spinal-branch", "yes", "no"),),
    ),
    GatePatient(
        "the only vessel with a modifierExtension",
        NOT_RECORDED,
        ({**vessel("a"), "modifierExtension": [{"url": "https://hospital.example/negated"}]},),
    ),
    GatePatient(
        "a millisecond after the evaluation",
        NOT_RECORDED,
        (vessel("a", date="2025-03-04T00:00:00.000Z"),),
    ),
    GatePatient(
        "at the instant of the evaluation",
        NOTHING_TO_CLOSE,
        (vessel("a", date="2025-03-03T23:59:59.999Z"),),
    ),
]
TWISTED = [*LABELS, *TWISTED_VESSELS]
