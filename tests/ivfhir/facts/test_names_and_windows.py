"""What the facts of the other protocols are called, and how long they count."""

from pathlib import Path

import pytest

from ivfhir.wording.concepts import CONCEPTS, OBTAIN
from tests.ivfhir.facts.records import fact, observed

CONVENTIONS = Path(__file__).parents[3] / "plan_definitions/shared/cql/IOConventions.cql"
KEYS = {
    "LiverCancer": "dx-liver-primary",
    "LiverMetastasis": "dx-liver-mets",
    "StomachCancer": "dx-stomach",
    "PancreasCancer": "dx-pancreas",
    "DuodenumCancer": "dx-duodenum",
    "LimbTumour": "dx-limb",
    "OesophagealCancer": "dx-oesophagus",
    "PrimarySite": "primary-site",
    "Bilirubin": "bilirubin",
    "Albumin": "albumin",
    "TumourBurden": "tumour-burden-pct",
    "LargestTumour": "largest-tumour-mm",
    "PortalVein": "portal-vein",
    "AscitesGrade": "ascites-points",
    "EncephalopathyGrade": "enceph-points",
    "ChildPugh": "child-pugh",
    "EncephalopathyActive": "encephalopathy-active",
    "RefractoryAscites": "refractory-ascites",
    "Hepatorenal": "hepatorenal",
    "HighRiskVarices": "high-risk-varices",
    "BiliaryInstrumentation": "biliary-instrumentation",
    "GiBleedPerforation": "gi-bleed-perforation",
    "CriticalLimbIschaemia": "critical-limb-ischaemia",
    "HeparinThrombocytopenia": "hit",
    "DysphagiaScore": "dysphagia-score",
    "OesophagealFistula": "oesophageal-fistula",
    "PlannedCurative": "planned-curative",
    "ProximalTumour": "proximal-tumour",
    "AirwayCompression": "airway-compression",
    "RtConcurrent": "rt-concurrent",
}
NEVER_MISSING = {"biliary-instrumentation", "rt-concurrent"}


@pytest.mark.parametrize(("define", "key"), KEYS.items(), ids=list(KEYS))
def test_a_fact_has_a_name_in_notes_and_on_pages_and_a_way_to_obtain_it(define, key):
    assert fact(define)["concept"] == key
    assert f"when '{key}' then '" in CONVENTIONS.read_text()
    assert key in CONCEPTS
    assert (key in OBTAIN) is (key not in NEVER_MISSING)


WINDOWS = [
    ("LiverWindows", "bilirubin", "0.7", "bilirubin", 14),
    ("LiverWindows", "albumin", "4.0", "albumin", 14),
    ("LiverWindows", "tumour-burden-pct", "20", "tumour-burden-pct", 42),
    ("LiverWindows", "largest-tumour-mm", "20", "largest-tumour-mm", 42),
    ("LiverWindows", "portal-vein", "patent", "portal-vein", 42),
    ("LiverWindows", "ascites-grade", "none", "ascites-points", 30),
    ("LiverWindows", "encephalopathy-grade", "none", "enceph-points", 30),
    ("LiverWindows", "refractory-ascites", False, "refractory-ascites", 30),
    ("OesophagusWindows", "dysphagia-score", 3, "dysphagia-score", 14),
    ("OesophagusWindows", "planned-curative", False, "planned-curative", 60),
]


@pytest.mark.parametrize(("define", "key", "value", "concept", "days"), WINDOWS)
def test_a_fact_with_a_window_says_until_when_it_counts(define, key, value, concept, days):
    [window] = fact(define, observed(key, value, "2025-02-20"))
    assert (window["concept"], window["window"]) == (concept, days)
    assert str(window["latest"]) == "2025-02-20"
    assert fact("Windows", observed(key, value)) == []
