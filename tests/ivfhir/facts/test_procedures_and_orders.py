"""Facts that procedures and orders give: bile ducts, radiotherapy."""

import pytest

from ivfhir.expressions.elm import load_libraries
from ivfhir.knowledge.package import SHARED, knowledge_root, read_json
from tests.ivfhir.facts.records import EXTENDED, evidence, fact, truth

STENTS = {"key": "biliary-instrumentation"}
DOSES = {"key": "radiotherapy", "status": "in-progress"}
ORDER = {"key": "radiotherapy-order"}
STENT_ORDER = {"key": "order", "code": "0F798DZ"}


@pytest.mark.parametrize("define", ["BiliaryInstrumentation", "RtConcurrent"])
def test_without_an_entry_there_is_none(define):
    assert truth(define) is False
    assert fact(define)["known"]
    assert truth(define, {"key": "procedure", "code": "80146002"}) is False
    assert truth(define, {"key": "order", "text": "Chest radiograph"}) is False


def test_procedures_and_orders_are_what_it_needs():
    """So a protocol that asks for it reads both types, and is unknown where either was not read."""
    files = sorted((knowledge_root() / SHARED / "cql").glob("*.json"))
    facts = load_libraries(map(read_json, files))["IOFacts", "0.2.0"]
    both = {"Procedure", "ServiceRequest"}
    assert facts.retrieved_types("BiliaryInstrumentation") == both
    assert facts.retrieved_types("RtConcurrent") == both
    unasked = facts.retrieved_types("Windows") | facts.retrieved_types("LiverWindows")
    assert unasked == {"Observation"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, True),
        ({"code": "0F793DZ"}, True),
        ({"status": "in-progress"}, True),
        ({"status": "stopped"}, True),
        ({"status": "on-hold"}, True),
        ({"status": "preparation"}, True),
        ({"status": "not-done"}, False),
        ({"status": "entered-in-error"}, False),
        ({"status": "unknown"}, None),
        ({"status": ""}, None),
        ({"status": "finished"}, None),
        ({"set": EXTENDED}, None),
        ({"date": "2019-05-01"}, True),
        ({"date": "2025-03-03"}, True),
        ({"date": "2025-03-04"}, False),
        ({"date": "2025"}, True),
        ({"code": "", "text": "ERCP with stent"}, None),
        ({"code": "12345678", "text": "Dilatation of common bile duct"}, None),
        ({"code": "", "text": "ERCP", "status": "not-done"}, False),
        ({"code": "", "text": "Magnetic resonance cholangiopancreatography"}, False),
        ({"code": "", "codings": [{"code": "12345678"}, {"code": "0F798DZ"}]}, True),
    ],
)
def test_a_procedure_on_the_bile_ducts(change, expected):
    assert truth("BiliaryInstrumentation", STENTS | change) is expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, True),
        ({"status": "completed"}, True),
        ({"status": "on-hold"}, True),
        ({"status": "draft"}, None),
        ({"status": "unknown"}, None),
        ({"status": ""}, None),
        ({"status": "revoked"}, False),
        ({"status": "entered-in-error"}, False),
        ({"intent": "proposal"}, None),
        ({"intent": "plan"}, True),
        ({"intent": ""}, None),
        ({"recorded": "2025-03-04"}, False),
        ({"set": {"doNotPerform": True}}, False),
        ({"set": {"doNotPerform": False}}, True),
        ({"set": EXTENDED}, None),
        ({"code": "", "text": "Biliary drainage"}, None),
    ],
)
def test_an_order_on_the_bile_ducts(change, expected):
    assert truth("BiliaryInstrumentation", STENT_ORDER | change) is expected


def test_one_that_is_sure_settles_it():
    open_ = STENTS | {"status": "unknown"}
    found = fact("BiliaryInstrumentation", open_, STENTS)
    assert (found["present"], found["ambiguous"]) == (True, False)
    assert evidence("BiliaryInstrumentation", open_, STENTS) == ["Procedure/r2"]
    assert fact("BiliaryInstrumentation", open_)["ambiguous"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, True),
        ({"code": "1156506007"}, True),
        ({"code": "1287742003"}, True),
        ({"code": "1217123003"}, True),
        ({"date": "2025-02-01"}, True),
        ({"period": {"start": "2025-02-01"}}, True),
        ({"period": {"start": "2025-02-01", "end": "2025-03-03"}}, True),
        ({"period": {"start": "2025-02-01", "end": "2025-03-02"}}, None),
        ({"period": {"start": "2025-03-04"}}, False),
        ({"status": "completed", "period": {"start": "2025-02-01", "end": "2025-03-03"}}, False),
        ({"status": "completed", "period": {"start": "2025-02-01", "end": "2025-03-04"}}, True),
        ({"status": "completed"}, False),
        ({"status": "stopped"}, False),
        ({"status": "on-hold"}, None),
        ({"status": "unknown"}, None),
        ({"status": ""}, None),
        ({"status": "preparation"}, None),
        ({"status": "preparation", "period": {"start": "2025-03-31"}}, True),
        ({"status": "preparation", "period": {"start": "2025-04-01"}}, False),
        ({"status": "not-done"}, False),
        ({"status": "entered-in-error"}, False),
        ({"set": EXTENDED}, None),
        ({"code": "", "text": "Radiotherapy to the oesophagus"}, None),
        ({"code": "", "text": "Radiotherapy", "status": "completed"}, False),
    ],
)
def test_radiotherapy_that_is_given(change, expected):
    given = DOSES | change
    assert truth("RtConcurrent", given) is expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"date": "2025-03-03"}, True),
        ({"date": "2025-03-31"}, True),
        ({"date": "2025-04-01"}, False),
        ({"date": "2025-02-03"}, True),
        ({"date": "2025-02-02"}, False),
        ({"date": "2025-03"}, True),
        ({"date": "2025-04"}, False),
        ({"date": "2025"}, None),
        ({}, None),
        ({"period": {"start": "2025-03-31"}}, True),
        ({"period": {"start": "2025-04-01"}}, False),
        ({"period": {"start": "2024-12-01"}}, True),
        ({"period": {"start": "2025-01-01", "end": "2025-02-03"}}, True),
        ({"period": {"start": "2025-01-01", "end": "2025-02-02"}}, False),
        ({"period": {"end": "2025-03-10"}}, None),
        ({"set": {"occurrenceTiming": {"event": ["2025-04-07", "2025-03-31"]}}}, True),
        ({"set": {"occurrenceTiming": {"event": ["2025-04-07"]}}}, False),
        (
            {"set": {"occurrenceTiming": {"repeat": {"boundsPeriod": {"start": "2025-03-10"}}}}},
            True,
        ),
        ({"set": {"occurrenceTiming": {"code": {"text": "daily"}}}}, None),
        ({"date": "2025-03-10", "period": {"start": "2025-05-01"}}, None),
        ({"date": "2025-03-10", "status": "draft"}, None),
        ({"date": "2025-04-10", "status": "draft"}, False),
        ({"date": "2025-03-10", "status": "on-hold"}, None),
        ({"date": "2025-01-06", "status": "on-hold"}, None),
        ({"date": "2025-01-06", "status": "draft"}, None),
        ({"date": "2025-04-10", "status": "on-hold"}, False),
        ({"date": "2025-03-10", "status": "completed"}, False),
        ({"date": "2025-03-10", "status": "revoked"}, False),
        ({"date": "2025-03-10", "status": "entered-in-error"}, False),
        ({"date": "2025-03-10", "intent": "proposal"}, None),
        ({"date": "2025-03-10", "recorded": "2025-03-04"}, False),
        ({"date": "2025-03-10", "set": EXTENDED}, None),
        ({"date": "2025-03-10", "code": "", "text": "Radiation therapy"}, None),
        ({"date": "2025-04-10", "code": "", "text": "Radiation therapy"}, False),
    ],
)
def test_radiotherapy_that_is_ordered(change, expected):
    assert truth("RtConcurrent", ORDER | change) is expected
