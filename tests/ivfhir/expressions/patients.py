"""An invented patient for the tests of FHIR data."""

from decimal import Decimal
from typing import Any

from ivfhir.expressions.elm import Session
from ivfhir.expressions.index import ResourceIndex
from tests.ivfhir.expressions.loaded import AS_OF, CODES, LESION, libraries

PATIENT: Any = {
    "resourceType": "Patient",
    "id": "p",
    "birthDate": "2007-03-03",
    "_birthDate": {"extension": [{"url": "http://example.org/time", "valueString": "noon"}]},
    "gender": "female",
    "name": [{"given": ["Ada", "Bea"]}, {"given": ["Cea"]}],
    "deceasedDateTime": "2025-02",
}
WEIGHT: Any = {
    "resourceType": "Observation",
    "id": "w",
    "status": "final",
    "code": {"text": "Body weight", "coding": [{"system": CODES, "code": "weight"}]},
    "category": [{"coding": [{"code": "vital"}, {"code": "exam"}]}],
    "subject": {"reference": "Patient/p"},
    "issued": "2024-02-04T08:00:00Z",
    "effectiveDateTime": "2024-02-03T23:30:00-05:00",
    "valueQuantity": {
        "value": Decimal("55.10"),
        "unit": "kg",
        "system": "http://unitsofmeasure.org",
        "code": "kg",
    },
}
HEIGHT: Any = {
    "resourceType": "Observation",
    "id": "h",
    "status": "amended",
    "code": {"coding": [{"system": CODES, "code": "height"}]},
    "effectiveDateTime": "2024-03",
    "valueString": "tall",
}
LESION_A: Any = {
    "resourceType": "Condition",
    "id": "w",
    "code": {"coding": [{"code": "zz"}, {"system": CODES, "code": "a"}]},
    "onsetPeriod": {"start": "2024-01-01"},
}
OTHER: Any = {
    "resourceType": "Condition",
    "id": "o",
    "code": {"coding": [{"system": CODES, "code": "b"}]},
}
RESOURCES = [WEIGHT, LESION_A, HEIGHT, OTHER]
VALUE_SETS = {LESION: frozenset({(CODES, "a"), (CODES, "c")})}


def session(name: str = "Fhir", patient: Any = PATIENT, resources: Any = None) -> Session:
    """Return a session of a library over a patient and resources."""
    index = ResourceIndex(patient, RESOURCES if resources is None else resources, VALUE_SETS)
    return libraries()[name].session(index, parameters={"AsOf": AS_OF})


def changed(resource: Any, **elements: Any) -> Any:
    """Return a copy of a resource with other elements."""
    return {**resource, **elements}
