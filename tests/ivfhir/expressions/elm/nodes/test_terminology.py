"""Retrieves, value sets and codes."""

import pytest

from ivfhir.errors import EvaluationError
from ivfhir.expressions.index import ResourceIndex
from ivfhir.expressions.values import Code
from tests.ivfhir.expressions.loaded import AS_OF, CODES, LESION, libraries, same
from tests.ivfhir.expressions.patients import LESION_A, OTHER, PATIENT, RESOURCES, WEIGHT, session

ANSWERS = {
    "Weights": [WEIGHT],
    "Lesions": [LESION_A],
    "LesionsByWhere": [LESION_A],
    "LesionsByCoding": [LESION_A],
    "CodeList": ["w", "h"],
    "CodeEquivalent": ["w"],
    "ConceptEquivalent": ["w", "h"],
    "NullCodeInSet": None,
    "CodeInSet": True,
    "ExpandedCount": 2,
    "OtherSystem": False,
    "CodeEqual": None,
    "CodeSame": True,
    "AsConcept": [Code("weight", CODES, None, "Weight")],
    "DistinctResources": [LESION_A, OTHER],
}


@pytest.mark.parametrize("define", ANSWERS)
def test_answer(define: str) -> None:
    assert same(session().value(define), ANSWERS[define])


def test_a_value_set_without_expansion_stops() -> None:
    with pytest.raises(EvaluationError, match=r"NoExpansion: value set .*none has no expansion"):
        session().value("NoExpansion")


def test_a_session_may_bring_its_own_value_sets() -> None:
    index = ResourceIndex(PATIENT, RESOURCES, {})
    own = libraries()["Fhir"].session(
        index, parameters={"AsOf": AS_OF}, value_sets={LESION: {(CODES, "b")}}
    )
    assert own.value("Lesions") == [OTHER]
