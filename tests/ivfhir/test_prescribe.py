"""The doses of a regimen in a plan: the vignettes of section F, and why there are none."""

import json
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ivfhir.cli.main import main
from ivfhir.dosing.exclusions import EXCLUDED, UNCONFIRMED, findings
from ivfhir.dosing.inputs import Inputs
from ivfhir.evaluate import evaluate_protocol
from ivfhir.expressions.values import DateTime
from ivfhir.fhir.json import loads
from ivfhir.knowledge.load import find_plan_definition, load_protocol
from ivfhir.knowledge.regimens import load_regimen, load_regimens
from ivfhir.prescribe import inputs_of
from ivfhir.read import PatientRecord
from smart_app.fake_ehr.sample_patients import FOLDER

CONFIRMED = "confirmed=hearing,neuropathy,nyha,histology,folate-b12,dpd,lvef,cumulative-dose"
DAYS = ("--as-of", "2025-03-03", "--start", "2025-03-03")


def bundle_of(patient: str) -> Any:
    [path] = FOLDER.glob(f"{patient}-*.json")
    return loads(path.read_text(encoding="utf-8"), place=path.name)


@pytest.fixture
def asked(tmp_path, capsys):
    """Return what asks for a plan: its exit code, the plan or None, and the sentence."""

    def ask(protocol: str, patient: Any, *params: str) -> tuple[int, Any, str]:
        bundle = bundle_of(patient) if isinstance(patient, str) else patient
        file = tmp_path / "patient.json"
        file.write_text(json.dumps(bundle, default=float), encoding="utf-8")
        given = [word for each in params for word in ("--param", each)]
        code = main(["apply", protocol, "--patient", str(file), *DAYS, *given])
        out, err = capsys.readouterr()
        return code, json.loads(out, parse_float=Decimal) if out else None, err

    return ask


def requests_of(plan: Any) -> dict[str, Any]:
    kind = "MedicationRequest"
    return {each["id"]: each for each in plan["contained"] if each["resourceType"] == kind}


def doses_of(plan: Any) -> dict[str, tuple[str, str, int]]:
    """Return id of each request -> day, drug and rounded mg."""
    return {
        name: (
            each["dosageInstruction"][0]["timing"]["event"][0],
            each["medicationCodeableConcept"]["text"],
            int(each["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]["value"]),
        )
        for name, each in requests_of(plan).items()
    }


def actions_of(parent: Any) -> list[Any]:
    """Return the actions of a plan that have a request, in order."""
    groups = [c for c in parent.get("contained", ()) if c["resourceType"] == "RequestGroup"]
    found = []
    for action in [a for each in groups or [parent] for a in each.get("action", ())]:
        found += [action] if "resource" in action else actions_of(action)
    return found


def notes_of(plan: Any) -> str:
    return " ".join(each["text"] for each in plan["note"])


def test_v01_lung(asked) -> None:
    code, plan, _ = asked("LUNG", "halloran", "regimen=RG-LU1", CONFIRMED)
    assert code == 0
    doses = doses_of(plan)
    assert doses["LUNG-A03.1.drug"] == ("2025-03-03", "cisplatin", 135)
    assert doses["LUNG-A05.1.1"] == ("2025-03-04", "pemetrexed", 895)
    assert doses["LUNG-A05.4.1"] == ("2025-05-27", "pemetrexed", 895)
    assert len(doses) == 8
    assert "No drug and no dose" not in json.dumps(
        [each for each in actions_of(plan) if "drug" in each["id"] or "A05" in each["id"]]
    )
    first = requests_of(plan)["LUNG-A03.1.drug"]
    ordered, calculated = first["dosageInstruction"][0]["doseAndRate"]
    assert ordered["type"]["coding"][0]["code"] == "ordered"
    assert round(calculated["doseQuantity"]["value"], 1) == Decimal("134.4")
    # A server that keeps numbers in binary gives the same digits back.
    value = calculated["doseQuantity"]["value"]
    assert Decimal(repr(float(value))) == value
    assert "cisplatin 135 mg (134.4 mg before rounding; 75 mg/m2)" in str(first)
    assert "75 % of the published one" in str(first)
    assert "two people check" in str(first)
    [rests] = [each["text"] for each in first["note"] if each["text"].startswith("Rests on: ")]
    assert "weight 68 kg of 2025-02-26 (Observation/halloran-weight); " in rests
    assert "creatinine 0.9 mg/dL of 2025-02-28 (Observation/halloran-creatinine)" in rests
    rests_on = {each["reference"] for each in first["supportingInformation"]}
    assert {"Observation/halloran-weight", "Observation/halloran-creatinine"} <= rests_on
    assert "Confirmed by the clinician: hearing" in notes_of(plan)
    assert "Regimen RG-LU1" in notes_of(plan)


def test_a_regimen_with_several_days_has_a_request_a_day(asked) -> None:
    params = ("regimen=RG-LU2", "dose_cisplatin=75", "dose_gemcitabine=1000", CONFIRMED)
    _, plan, _ = asked("LUNG", "halloran", *params)
    doses = doses_of(plan)
    assert doses["LUNG-A05.1.1"] == ("2025-03-04", "gemcitabine", 1790)
    assert doses["LUNG-A05.1.8"] == ("2025-03-11", "gemcitabine", 1790)
    assert sum(name.startswith("LUNG-A05") for name in doses) == 8


def test_systemic_only_segments_have_the_same_platinum(asked) -> None:
    params = ("regimen=RG-LU1", "segments=5", CONFIRMED)
    _, plan, _ = asked("LUNG", "halloran", *params)
    last = requests_of(plan)["LUNG-A03.5.drug"]
    assert last["medicationCodeableConcept"]["text"] == "cisplatin"
    assert last["dosageInstruction"][0]["route"]["text"] == "Intravenous"


def test_v05_liver_by_haic_has_a_request_a_drug(asked) -> None:
    code, plan, _ = asked("LIVER", "brandt", "regimen=RG-LI3", CONFIRMED)
    assert code == 0
    first = {name: dose[1:] for name, dose in doses_of(plan).items() if ".1.drug" in name}
    assert first == {
        "LIVER-A03.1.drug": ("oxaliplatin", 235),
        "LIVER-A03.1.drug.leucovorin": ("leucovorin (folinic acid)", 715),
        "LIVER-A03.1.drug.fluorouracil-bolus": ("fluorouracil", 715),
        "LIVER-A03.1.drug.fluorouracil-infusion": ("fluorouracil", 4300),
    }
    dosages = {name: each["dosageInstruction"][0] for name, each in requests_of(plan).items()}
    methods = {name: each["method"]["text"] for name, each in dosages.items() if "method" in each}
    assert methods["LIVER-A03.1.drug.fluorouracil-bolus"] == "bolus"
    assert methods["LIVER-A03.1.drug.fluorouracil-infusion"] == "infusion"
    assert "LIVER-A03.1.drug.leucovorin" not in methods
    [group] = [each for each in plan["contained"] if each["resourceType"] == "RequestGroup"]
    text = json.dumps(group, default=float)
    assert text.count('"#LIVER-A03.1.drug.leucovorin"') == 1


def test_v06_liver_metastases(asked) -> None:
    params = ("mode=INFUSION", "regimen=RG-LM2", CONFIRMED)
    _, plan, _ = asked("LMET", "castellano", *params)
    doses = doses_of(plan)
    assert doses["LMET-A03.1.drug"][1:] == ("mitomycin", 18)
    assert doses["LMET-A03.1.drug.gemcitabine"][1:] == ("gemcitabine", 1790)


def test_v10_the_pump_of_a_port(asked) -> None:
    params = (
        *("regimen=RG-PO2", "port_interval_days=28", f"{CONFIRMED},portal-hypertension"),
        *("pump_reservoir_ml=30", "pump_flow_ml_per_day=1.2"),
    )
    code, plan, said = asked("PORT", "castellano", *params)
    assert code == 0, said
    first = str(requests_of(plan)["PORT-A03.1"])
    assert "114.2 mg before rounding" in first
    assert "Pump: 204.0 mg" in first


def test_without_a_regimen_there_is_no_drug_and_no_dose(asked) -> None:
    for protocol, patient, params in (
        ("LUNG", "halloran", ()),
        ("LIVER", "brandt", ()),
        ("REGI", "ivanova", ()),
    ):
        _, plan, _ = asked(protocol, patient, *params)
        requests = requests_of(plan)
        assert not any("doseAndRate" in str(each) for each in requests.values())
        assert (protocol == "LUNG") == bool(requests)


REFUSED = [
    (("regimen=RG-LU1",), 3, "confirmed=hearing,neuropathy,nyha,histology,folate-b12"),
    (("regimen=RG-LU2", CONFIRMED), 2, "give dose_cisplatin"),
    (("regimen=RG-LU1", "dose_cisplatin=90", CONFIRMED), 2, "allows 20 to 80 mg/m2"),
    (("regimen=RG-LU1", "dose_cisplatin=much", CONFIRMED), 2, "is a number; 'much' is none"),
    (("regimen=RG-LU1", "dose_gemcitabine=1000", CONFIRMED), 2, "dose_gemcitabine"),
    (("regimen=RG-LU7", CONFIRMED), 2, "no systemic cell-cycle-specific drug"),
    (("regimen=RG-LI3", CONFIRMED), 2, "is not for LUNG"),
    (("regimen=RG-XX9", CONFIRMED), 2, "There is no regimen 'RG-XX9'"),
    (("regimen=RG-LU1", "confirmed=courage"), 2, "courage"),
    (("dose_cisplatin=75",), 2, "needs a regimen beside it"),
    (("radiotherapy_omission_reason=short",), 2, "at least 20 characters"),
]


@pytest.mark.parametrize(("params", "code", "said"), REFUSED, ids=[each[2] for each in REFUSED])
def test_what_is_refused_says_why(asked, params, code, said) -> None:
    found, plan, sentence = asked("LUNG", "halloran", *params)
    assert (found, plan) == (code, None)
    assert said in sentence


def changed(patient: str, resource_id: str, **elements: Any) -> Any:
    bundle = bundle_of(patient)
    for entry in bundle["entry"]:
        if entry["resource"]["id"] == resource_id:
            entry["resource"] |= elements
    return bundle


def test_an_excluded_drug_is_refused(asked) -> None:
    high = {"value": 1.9, "unit": "mg/dL", "system": "http://unitsofmeasure.org", "code": "mg/dL"}
    bundle = changed("halloran", "halloran-creatinine", valueQuantity=high)
    code, _, said = asked("LUNG", bundle, "regimen=RG-LU1", CONFIRMED)
    assert code == 3
    assert "AG-CIS excludes cisplatin: clearance below 60 mL/min (clearance 38.77 mL/min" in said


def test_a_platinum_allergy_is_read_from_the_list(asked) -> None:
    bundle = bundle_of("halloran")
    allergy = next(
        each["resource"]
        for each in bundle["entry"]
        if each["resource"]["resourceType"] == "AllergyIntolerance"
    )
    allergy["code"] = {"text": "Carboplatin"}
    code, _, said = asked("LUNG", bundle, "regimen=RG-LU1", CONFIRMED)
    assert code == 3
    assert "AG-CIS excludes cisplatin: platinum allergy" in said


ICD_LUNG = {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "C34.11"}
SQUAMOUS = "Squamous cell carcinoma of lung (disorder)"


@pytest.mark.parametrize(
    ("concept", "excluded"),
    [
        ({"coding": [{"system": "http://snomed.info/sct", "code": "254634000"}]}, True),
        ({"coding": [ICD_LUNG, {"system": ICD_LUNG["system"], "display": SQUAMOUS}]}, True),
        ({"coding": [ICD_LUNG], "text": "Squamous-cell lung cancer, right"}, True),
        ({"coding": [ICD_LUNG], "text": "Non-squamous lung cancer"}, False),
        ({"coding": [ICD_LUNG], "text": "Nonsquamous NSCLC"}, False),
        ({"coding": [ICD_LUNG]}, False),
    ],
    ids=["code", "second-display", "text", "non-squamous", "nonsquamous", "silent"],
)
def test_a_recorded_squamous_cancer_excludes_pemetrexed_whatever_is_confirmed(
    asked, concept, excluded
) -> None:
    bundle = changed("halloran", "halloran-cancer", code=concept)
    code, _, said = asked("LUNG", bundle, "regimen=RG-LU1", CONFIRMED)
    assert code == (3 if excluded else 0)
    assert ("AG-PEM excludes pemetrexed: squamous histology" in (said or "")) is excluded


CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
HIT, VARICES = "D75.82", "I85.00"
WORDS = {HIT: "Heparin-induced thrombocytopenia", VARICES: "Esophageal varices"}
INPUTS = {HIT: "hit", VARICES: "varices"}


def condition(code: str, *, text_only: bool = False, **changed: Any) -> Any:
    concept: Any = {"text": WORDS[code]}
    if not text_only:
        concept["coding"] = [{"system": ICD, "code": code}]
    return {
        "resourceType": "Condition",
        "id": "asked",
        "subject": {"reference": "Patient/castellano"},
        "clinicalStatus": {"coding": [{"system": CLINICAL, "code": "active"}]},
        "verificationStatus": {"coding": [{"system": VERIFICATION, "code": "confirmed"}]},
        "code": concept,
    } | changed


def verified(status: str) -> Any:
    return {"verificationStatus": {"coding": [{"system": VERIFICATION, "code": status}]}}


RESOLVED = {"clinicalStatus": {"coding": [{"system": CLINICAL, "code": "resolved"}]}}


@pytest.mark.parametrize("code", [HIT, VARICES])
@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({}, EXCLUDED),
        (verified("unconfirmed"), UNCONFIRMED),
        (verified("provisional"), UNCONFIRMED),
        (verified("refuted"), UNCONFIRMED),
        ({"text_only": True}, UNCONFIRMED),
        ({"verificationStatus": {"text": "confirmed by the lab"}}, UNCONFIRMED),
        (None, UNCONFIRMED),
        (RESOLVED, None),
    ],
    ids=["active", "unconfirmed", "provisional", "refuted", "text", "unread", "none", "resolved"],
)
def test_what_the_record_says_of_heparin_and_varices_excludes_or_is_to_be_confirmed(
    code: str, changed: dict[str, Any] | None, kind: str | None
) -> None:
    first, *others = (entry["resource"] for entry in bundle_of("castellano")["entry"])
    added = [] if changed is None else [condition(code, **changed)]
    record = PatientRecord(first, (*others, *added), {})
    protocol, as_of = load_protocol("LMET"), DateTime.parse("2025-03-03T23:59:59.999+00:00")
    given = inputs_of(evaluate_protocol(protocol, record, as_of=as_of))
    [melphalan] = load_regimen("RG-LM6").drugs
    inputs = Inputs(given, as_of=date(2025, 3, 3))
    found = findings(melphalan, inputs, confirmed=(), regimen_id="RG-LM6")
    name = INPUTS[code]
    said = [
        each.kind
        for each in found
        if each.confirm == name or WORDS[code].lower()[-7:] in each.sentence
    ]
    # Heparin-induced thrombocytopenia counts once it was recorded, varices while they are active.
    wanted = (EXCLUDED if code == HIT else UNCONFIRMED) if kind is None else kind
    assert said == [wanted]
    if wanted == UNCONFIRMED:
        again = findings(melphalan, inputs, confirmed=(name,), regimen_id="RG-LM6")
        assert name not in {each.confirm for each in again}


def test_radiotherapy_is_left_out_with_a_reason(asked) -> None:
    reason = "The lung was irradiated before, with 60 Gy."
    _, plan, _ = asked("LUNG", "halloran", f"radiotherapy_omission_reason={reason}")
    assert "LUNG-A11" not in {each["id"] for each in plan["contained"]}
    assert f"Radiotherapy is left out. Reason: {reason}" in notes_of(plan)


def test_drug_by_vein_beside_the_arterial_one(asked) -> None:
    params = ("mode=INFUSION", "regimen=RG-LM5", "dose_liposomal_doxorubicin=35", CONFIRMED)
    code, plan, _ = asked("LMET", "castellano", *params)
    assert code == 0
    assert doses_of(plan) == {
        "LMET-A03.1.drug": ("2025-03-03", "cisplatin", 180),
        "LMET-A03.1.drug-iv.1": ("2025-03-04", "liposomal doxorubicin", 65),
        "LMET-A03.2.drug": ("2025-03-31", "cisplatin", 180),
        "LMET-A03.2.drug-iv.1": ("2025-04-01", "liposomal doxorubicin", 65),
        "LMET-A03.3.drug": ("2025-04-28", "cisplatin", 180),
        "LMET-A03.3.drug-iv.1": ("2025-04-29", "liposomal doxorubicin", 65),
    }
    second = requests_of(plan)["LMET-A03.2.drug-iv.1"]["dosageInstruction"][0]
    assert second["route"]["coding"][0]["display"] == "Intravenous route (qualifier value)"
    window = second["timing"]["repeat"]["boundsPeriod"]
    assert window == {"start": "2025-04-01", "end": "2025-04-03"}
    assert "to be prescribed in the EHR" not in notes_of(plan)


def test_drug_by_vein_without_a_published_dose(asked) -> None:
    params = ("base=LMET", "regimen=RG-PO3", "infusions=3", "first_infusion_offset_days=0")
    code, plan, _ = asked("PORT", "castellano", *params, CONFIRMED)
    assert code == 0
    by_vein = {name: each for name, each in requests_of(plan).items() if "drug-iv" in name}
    days = [each["dosageInstruction"][0]["timing"]["event"][0][:10] for each in by_vein.values()]
    assert days == ["2025-03-04", "2025-03-18", "2025-04-01"]
    for each in by_vein.values():
        [dosage] = each["dosageInstruction"]
        assert each["medicationCodeableConcept"]["text"] == "fluorouracil"
        assert dosage["route"]["text"] == "Intravenous"
        assert "no dose is published for it here" in dosage["text"]
        assert "doseAndRate" not in dosage
    assert "to be prescribed in the EHR" not in notes_of(plan)


@pytest.mark.parametrize(
    ("protocol", "params"),
    [
        ("LMET", ("mode=INFUSION", "regimen=RG-LM2", CONFIRMED)),
        ("LMET", ("mode=INFUSION",)),
        ("PORT", ("base=LMET", "regimen=RG-PO1", "port_interval_days=28", CONFIRMED)),
        ("PORT", ("base=LMET",)),
    ],
)
def test_no_request_by_vein_without_a_regimen_that_has_one(asked, protocol, params) -> None:
    code, plan, said = asked(protocol, "castellano", *params)
    assert code == 0, said
    assert requests_of(plan) or len(params) == 1
    assert not [each for each in requests_of(plan) if "drug-iv" in each]


def test_every_drug_by_vein_has_a_request_in_every_plan_of_its_protocols() -> None:
    found = 0
    for regimen in load_regimens().values():
        days = {day for drug in regimen.drugs if drug.route == "intravenous" for day in drug.days}
        for protocol in regimen.protocols if days else ():
            found += 1
            actions = json.dumps(load_protocol(protocol).plan_definition, default=str)
            assert "regimen-systemic" in actions, (regimen.id, protocol)
            planned = set(
                re.findall(r'"id": "[^"]*\.(\d+)", [^{}]*"title": "[^"]*regimen day', actions)
            )
            assert {str(day) for day in days} <= planned, (regimen.id, protocol)
    assert found == 8


def test_what_the_plan_of_lung_knows_of_regimens_is_what_they_say() -> None:
    lung = load_protocol("LUNG")
    own = {name: each for name, each in load_regimens().items() if "LUNG" in each.protocols}
    without = {name for name, each in own.items() if not each.has_systemic_specific}
    cql = (lung_folder() / "cql" / "LUNG.cql").read_text(encoding="utf-8")
    assert f"Plan.Chosen_regimen in {{ {', '.join(map(repr, sorted(without)))} }}" in cql
    plan = (lung_folder() / "cql" / "LUNGPlan.cql").read_text(encoding="utf-8")
    partner_days = plan.partition("define PartnerDays: ")[2].partition("\n")[0]
    for name, each in own.items():
        days = {day for drug in each.drugs if drug.route == "intravenous" for day in drug.days}
        if days - {1}:
            wanted = f"{{ {', '.join(map(str, sorted(days)))} }}"
            before = partner_days.partition(f"then {wanted}")[0].rpartition("when")[2]
            assert name in before
        else:
            assert name not in partner_days
    assert "regimen" in lung.declared


def lung_folder() -> Path:
    return find_plan_definition("LUNG").parent
