"""Facts of the other protocols on an independent engine: the CQL means there what it means here.

What each record should give stands in tests/ivfhir/facts; here two engines read the same records.
"""

from decimal import Decimal
from typing import Any

import pytest

from tests.ivfhir.facts import records
from tests.ivfhir.facts.test_names_and_windows import KEYS
from tests.servers.hapi_client import as_list, evaluate_on_hapi

pytestmark = pytest.mark.server

condition, text, observed = records.condition, records.text, records.observed
I10 = records.HYPERTENSION
RECORDS: list[list[dict[str, Any]]] = [
    [],
    [I10],
    [records.HYPERTENSION_IN_SNOMED, text("Gastric carcinoma"), text("Tumour of the left arms")],
    [condition("C22.9"), condition("C80.1"), text("Metastasis to liver")],
    [condition("c221"), condition("93870000"), condition("C78.7"), condition("C18.7", clinical="")],
    [condition("C16.0"), condition("Z85.038"), condition("C25.0", verification="provisional")],
    [condition("C49.21"), condition("C17.0", recorded="2025-03-04"), text("History of melanoma")],
    [condition("372244006", clinical="resolved"), condition("", codings=[{"code": "C50.911"}])],
    [condition("K76.82"), condition("k767", verification="refuted"), condition("I85.1")],
    [condition("13920009", set=records.EXTENDED), text("Hepatorenal syndrome"), I10],
    [condition("K25.4"), condition("I70.229", clinical="resolved"), condition("J86.0")],
    [condition("D75821", clinical="resolved"), text("Upper GI bleed"), condition("11296007")],
    [I10, text("Heparin induced thrombocytopenia", clinical="resolved"), text("Limb ischemia")],
    [text("History of heparin-induced thrombocytopenia"), text("Tracheal stenosis"), I10],
    [
        observed("bilirubin-moles", "34.2"),
        observed("albumin", "28", unit="g/L"),
        observed("inr", "2.3"),
        observed("ascites-grade", "mild"),
        observed("encephalopathy-grade", "none"),
        observed("tumour-burden-pct", "70", unit="percent"),
        observed("largest-tumour-mm", "10.1", unit="cm"),
        observed("portal-vein", "hepatofugal"),
        I10,
    ],
    [
        observed("bilirubin", "3", comparator=">"),
        observed("albumin", "3.5"),
        observed("albumin", "2.7"),
        observed("ascites-grade", "none"),
        observed("ascites-grade", "moderate-severe"),
        observed("encephalopathy-grade", "grade-3-4"),
        observed("refractory-ascites", "", set=records.EXTENDED),
    ],
    [observed("refractory-ascites", True), observed("refractory-ascites", False)],
    [observed("ascites-grade", "mild"), observed("proximal-tumour", True, "2020-01-01")],
    [observed("dysphagia-score", "2.5", kind="quantity"), observed("planned-curative", False)],
    [observed("dysphagia-score", 3), observed("planned-curative", True, "2025-01-01")],
    [{"key": "biliary-instrumentation"}, {"key": "radiotherapy", "status": "in-progress"}],
    [
        {"key": "procedure", "text": "ERCP"},
        {"key": "radiotherapy", "status": "in-progress", "period": {"end": "2025-03-01"}},
    ],
    [{"key": "radiotherapy", "status": "completed", "period": {"end": "2025-03-04"}}],
    [{"key": "radiotherapy", "status": "preparation", "period": {"start": "2025-03-31"}}],
    [{"key": "radiotherapy", "period": {"start": "2025-03-04"}}],
    [{"key": "radiotherapy-order"}, {"key": "order", "code": "0F798DZ", "status": "draft"}],
    [{"key": "radiotherapy-order", "date": "2025-03-31"}],
    [{"key": "radiotherapy-order", "date": "2025-04"}],
    [{"key": "radiotherapy-order", "period": {"start": "2025-01-01", "end": "2025-02-02"}}],
    [
        {
            "key": "radiotherapy-order",
            "set": {"occurrenceTiming": {"event": ["2025-04-07", "2025-03-31"]}},
        }
    ],
    [
        {
            "key": "radiotherapy-order",
            "set": {"occurrenceTiming": {"repeat": {"boundsPeriod": {"start": "2025-03-10"}}}},
        }
    ],
    [
        {"key": "radiotherapy-order", "date": "2025-03-10", "set": {"doNotPerform": True}},
        {"key": "radiotherapy-order", "date": "2025-03-10", "recorded": "2025-03-04"},
    ],
]


@pytest.mark.parametrize("given", RECORDS, ids=str)
def test_hapi_reads_the_same_facts(given: list[dict[str, Any]], hapi_with_knowledge: str) -> None:
    patient = {"resourceType": "Patient", "id": "p"}
    resources = [patient, *records.records(*given)]
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": each} for each in resources],
    }
    as_of = {"AsOf": {"valueDateTime": f"{records.TODAY}T23:59:59.999+00:00"}}
    there = evaluate_on_hapi(hapi_with_knowledge, "IOFacts", bundle, as_of, defines=KEYS)
    here = {define: records.fact(define, *given) for define in KEYS}
    assert {define: said(value) for define, value in there.items()} == {
        define: said(value) for define, value in here.items()
    }


def said(fact: dict[str, Any]) -> dict[str, Any]:
    """Return what a fact says, without what the order of the entries decides."""
    numbers = {name: fact.get(name) for name in ("low", "high")}
    return {
        "known": fact["known"],
        "ambiguous": fact["ambiguous"],
        "present": fact.get("present"),
        "codes": sorted(as_list(fact.get("codes"))),
        "notes": sorted(map(len, as_list(fact.get("notes")))),
        "evidence": sorted(str(each.get("reference")) for each in as_list(fact.get("evidence"))),
        **{name: None if value is None else Decimal(value) for name, value in numbers.items()},
    }
