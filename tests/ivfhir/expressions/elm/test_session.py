"""Sessions: parameters, presets, each define once, errors."""

from datetime import UTC, date, datetime
from decimal import Decimal as D
from typing import Any

import pytest

from ivfhir.errors import EvaluationError, KnowledgeError, ParameterError
from ivfhir.expressions.elm import Session
from ivfhir.expressions.index import ResourceIndex
from ivfhir.expressions.values import Date
from tests.ivfhir.expressions.loaded import AS_OF, day, libraries, moment
from tests.ivfhir.expressions.patients import PATIENT, RESOURCES

KINDS = {
    "KindOfInteger": "integer",
    "KindOfString": "string",
    "KindOfList": "integers",
    "KindOfTuple": "tuple",
    "KindOfChoice": "choice",
    "KindOfObservation": "observation",
    "KindOfCondition": "condition",
    "Fluent": 8,
}


class CountingIndex(ResourceIndex):
    """An index that counts how often it is asked for a type."""

    def __init__(self) -> None:
        super().__init__(PATIENT, RESOURCES, {})
        self.asked: list[str] = []

    def of_type(self, resource_type: str) -> Any:
        self.asked.append(resource_type)
        return super().of_type(resource_type)


def session(library: str = "Outer", **options: Any) -> Session:
    return libraries()[library].session(ResourceIndex(PATIENT, RESOURCES, {}), **options)


def test_each_define_is_computed_once() -> None:
    index = CountingIndex()
    own = libraries()["Outer"].session(index)
    assert own.value("Counted") == own.value("Counted") == 2
    assert own.value("Both") is True
    assert own.value("Conditions") is own.value("Conditions")
    assert index.asked.count("Condition") == 1


def test_sessions_share_nothing() -> None:
    assert session(parameters={"Limit": 5}).value("OwnLimit") == 5
    assert session().value("OwnLimit") == 7


def test_nothing_is_computed_before_it_is_asked_for() -> None:
    own = session()
    assert not own.is_computed("Counted")
    own.value("Counted")
    assert own.is_computed("Counted")


@pytest.mark.parametrize("define", KINDS)
def test_the_function_that_fits_the_operands_is_called(define: str) -> None:
    assert session().value(define) == KINDS[define]


def test_a_parameter_reaches_every_library_that_declares_it() -> None:
    own = session(parameters={"Limit": 2})
    assert own.value("OwnLimit") == own.value("InnerLimit") == own.value("InnerDefine") == 2
    assert own.value("UsesDoubtful") == D("2.5")


def test_each_library_has_its_own_default() -> None:
    own = session()
    assert own.value("OwnLimit") == 7
    assert own.value("InnerLimit") == own.value("InnerDefine") == 4


def test_a_parameter_that_nobody_declares() -> None:
    with pytest.raises(ParameterError, match="Outer has no parameter Colour"):
        session(parameters={"Colour": 1})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Limit", "5"),
        ("Limit", True),
        ("Limit", D(5)),
        ("Factor", "1.5"),
        ("Factor", True),
        ("Word", 5),
        ("AsOf", "2025-03-03"),
        ("AsOf", date(2025, 3, 3)),
        ("Day", datetime(2025, 3, 3, tzinfo=UTC)),
    ],
)
def test_a_parameter_of_the_wrong_type_is_told_by_name(name: str, value: Any) -> None:
    with pytest.raises(ParameterError, match=f"parameter {name}: a {type(value).__name__} is no"):
        session(parameters={name: value})


def test_plain_python_values_become_those_of_cql() -> None:
    own = session(
        "Inner",
        parameters={
            "Factor": 2,
            "Day": date(2025, 3, 3),
            "AsOf": datetime(2025, 3, 3, 12, 0, tzinfo=UTC),
            "Word": "x",
            "Limit": None,
        },
    )
    assert own.value("LimitHere") is None
    other = session(parameters={"Day": Date((2025, 3)), "AsOf": AS_OF, "Factor": D("1.5")})
    assert other.value("OwnLimit") == 7


OUTER, INNER = (libraries()[name].key for name in ("Outer", "Inner"))


def test_a_preset_define_is_not_computed_in_the_library_that_is_named() -> None:
    own = session(
        preset={(INNER, "Conditions"): [], (OUTER, "Conditions"): [], (OUTER, "Failing"): 4}
    )
    assert own.value("Counted") == 0
    assert own.value("UsesFailing") == 5
    assert own.value("Conditions") == []


def test_a_preset_may_be_null() -> None:
    own = session(preset={(OUTER, "Both"): None})
    assert own.value("Both") is None
    assert own.value("UsesBoth") is None


def test_a_preset_that_names_no_define() -> None:
    with pytest.raises(KnowledgeError, match="Outer has no define Nowhere to preset"):
        session(preset={(OUTER, "Nowhere"): None})


def test_a_session_answers_for_the_libraries_it_was_begun_for() -> None:
    own = session("Inner", beside=[libraries()["Outer"]])
    assert own.value("LimitHere") == own.of(OUTER).value("InnerLimit") == 4
    assert own.of(OUTER).value("OwnLimit") == 7
    with pytest.raises(KnowledgeError, match="Outer is no library of this session"):
        session("Inner").of(OUTER)


def test_what_one_library_computed_is_known_to_another() -> None:
    index = CountingIndex()
    own = libraries()["Outer"].session(index)
    assert own.of(INNER).value("Conditions") is own.of(INNER).value("Conditions")
    assert own.value("Counted") == 2
    assert index.asked.count("Condition") == 1


def test_a_define_that_is_not_there() -> None:
    with pytest.raises(KnowledgeError, match="Outer has no define Nowhere"):
        session().value("Nowhere")


def test_an_error_names_the_library_and_the_define_it_arose_in() -> None:
    with pytest.raises(EvaluationError) as caught:
        session().value("UsesFailing")
    assert caught.value.message == "Outer: Failing: stop: it is a test"


def test_an_unforeseen_error_names_the_define_and_no_data() -> None:
    class Broken(ResourceIndex):
        def of_type(self, resource_type: str) -> Any:
            raise ValueError("secret of the patient")

    own = libraries()["Outer"].session(Broken(PATIENT, []))
    with pytest.raises(EvaluationError) as caught:
        own.value("Counted")
    assert caught.value.message == "Inner: Conditions: ValueError while evaluating"


def test_now_and_offsets_come_from_as_of() -> None:
    own = libraries()["Dates"].session(
        ResourceIndex(None, []), parameters={"AsOf": moment("2024-02-29T10:00:00.000-03:00")}
    )
    assert own.value("TodayIsAsOf") == day("2024-02-29")
    assert own.value("ConstructedHere").offset == -180


def test_now_without_as_of_stops() -> None:
    own = libraries()["Dates"].session(ResourceIndex(None, []))
    with pytest.raises(
        EvaluationError, match="Dates: NowIsAsOf: Now: the evaluation has no instant"
    ):
        own.value("NowIsAsOf")
