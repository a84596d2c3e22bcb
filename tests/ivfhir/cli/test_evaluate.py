"""`ivfhir evaluate`: every patient of real data gets an explained answer."""

import json
from pathlib import Path
from typing import Any

import pytest
import responses

from ivfhir.cli.main import main

ROOT = Path(__file__).parents[3]
DATA = ROOT / "tests" / "data"
SHARED = ROOT.parent / "shared" / "data"
AS_OF = "2025-03-03"
BASE = "https://ehr.example/fhir"
STATUSES = {"eligible", "indeterminate", "ineligible", "not-applicable"}
ANSWERS = {True: {"met", "not-met"}, False: {"met", "not-met"}, None: {"unknown"}}


def _evaluate(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = main(["evaluate", "--as-of", AS_OF, *argv])
    out, err = capsys.readouterr()
    return code, out, err


def _check_explained(answer: dict[str, Any]) -> None:
    assert answer["asOf"] == "2025-03-03T23:59:59.999+00:00"
    assert answer["patient"]["reference"].startswith("Patient/")
    for protocol in answer["protocols"]:
        assert protocol["status"] in STATUSES
        assert protocol["criteria"]
        for criterion in protocol["criteria"]:
            assert criterion["answer"] in ANSWERS[criterion["truth"]]
            assert criterion["title"]
            assert criterion["rule"]
            assert criterion["source"]
            if criterion["kind"] == "caution" or criterion["truth"] is not None:
                continue
            assert criterion["missing"] or criterion["notes"] or criterion["evidence"]


@pytest.mark.parametrize(
    ("sample", "patient_id"),
    [
        ("synthea-transaction.json", "1a96f2e7-7ce0-4164-b3f6-4fdffeca00fb"),
        ("mcode-collection.json", "456"),
        ("mcode-nsclc", "cancer-patient-john-anyperson"),
    ],
)
def test_a_sample_of_one_patient_is_answered(
    sample: str, patient_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = _evaluate(capsys, "--patient", str(DATA / sample))
    assert code == 0
    answer = json.loads(out)
    assert answer["patient"]["reference"] == f"Patient/{patient_id}"
    _check_explained(answer)


def test_an_export_is_answered_a_line_a_patient(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = _evaluate(capsys, "--patient", str(DATA / "bulk-export"), "--all")
    answers = [json.loads(line) for line in out.splitlines()]
    assert (code, len(answers)) == (0, 2)
    for answer in answers:
        _check_explained(answer)
    assert err == "ivfhir: Left out, because they have no resourceType: 4 in log.ndjson.\n"


def test_one_of_an_export_gets_the_same_answer_as_among_all(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, out, _ = _evaluate(capsys, "--patient", str(DATA / "bulk-export"), "--all")
    among_all = json.loads(out.splitlines()[1])
    patient_id = among_all["patient"]["reference"].removeprefix("Patient/")
    _, out, _ = _evaluate(capsys, "--patient", str(DATA / "bulk-export"), "--id", patient_id)
    assert json.loads(out) == among_all


def _shared_sources() -> list[Path]:
    bundles = sorted((SHARED / "synthea-r4-bundles").glob("*.json"))
    folders = ("mcode-4.0.0-examples", "mcode-cql-patients", "bulk-export-10", "clinosim-us-bulk")
    return [*(SHARED / name for name in folders), *bundles]


@pytest.mark.parametrize("source", _shared_sources(), ids=lambda path: path.name[:24])
def test_every_patient_of_the_shared_data_is_answered(
    source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if not source.exists():
        pytest.skip(f"{source} is not beside this checkout")
    code, out, _ = _evaluate(capsys, "--patient", str(source), "--all")
    assert code == 0
    answers = [json.loads(line) for line in out.splitlines()]
    assert answers
    for answer in answers:
        _check_explained(answer)


def test_a_patient_who_fails_does_not_stop_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    resources = [
        {"resourceType": "Patient", "id": "bad", "birthDate": 1962},
        {"resourceType": "Patient", "id": "good"},
    ]
    path = tmp_path / "export.ndjson"
    path.write_text("\n".join(json.dumps(each) for each in resources))
    code, out, err = _evaluate(capsys, "--patient", str(path), "--all")
    bad, good = (json.loads(line) for line in out.splitlines())
    assert code == 4
    assert bad["patient"] == {"reference": "Patient/bad"}
    assert bad["outcome"]["issue"][0]["expression"] == ["Patient.birthDate"]
    assert good["protocols"]
    assert err == "ivfhir: 1 of 2 patients have no answer; their lines say why.\n"


def test_text_leads_with_the_answer_in_the_words_of_the_pages(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, _ = _evaluate(
        capsys, "--patient", str(DATA / "mcode-nsclc"), "--format", "text", "--protocol", "LUNG"
    )
    lines = out.splitlines()
    assert code == 0
    assert lines[0].startswith("Patient/cancer-patient-john-anyperson, as of 3 Mar 2025")
    assert lines[2].startswith("Cannot tell: ")
    for words in ("Draft, not for clinical use.", "Standard treatment first", "Evidence: very low"):
        assert words in out
    evidence = "Problem list 254637007 on 1 Apr 2019 (2163 days old)"
    assert f"{evidence} Condition/primary-cancer-condition-nsclc" in out
    assert "To obtain: ECOG performance status (a performance status)" in out
    assert "  (LUNG 0.2.0)" in lines
    assert any(line.startswith("Route: ") for line in lines)


def test_text_of_several_patients_names_each_and_says_who_has_no_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = {"resourceType": "Patient", "id": "bad", "birthDate": 1962}
    path = tmp_path / "export.ndjson"
    path.write_text(json.dumps(bad) + "\n" + json.dumps({"resourceType": "Patient", "id": "good"}))
    code, out, _ = _evaluate(capsys, "--patient", str(path), "--all", "--format", "text")
    first, second = out.split("\n\n")[:2]
    assert code == 4
    assert first.startswith("Patient/bad: Patient/bad has a number as Patient.birthDate")
    assert second.startswith("Patient/good, as of 3 Mar 2025")


def test_a_page_without_its_next_page_is_answered_as_unknown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    link = [{"relation": "next", "url": f"{BASE}/page/2"}]
    entry = [{"resource": {"resourceType": "Patient", "id": "p", "birthDate": "1962-05-14"}}]
    page = {"resourceType": "Bundle", "type": "searchset", "link": link, "entry": entry}
    path = tmp_path / "everything.json"
    path.write_text(json.dumps(page))
    code, out, err = _evaluate(capsys, "--patient", str(path), "--protocol", "LUNG")
    truths = {each["id"]: each["truth"] for each in json.loads(out)["protocols"][0]["criteria"]}
    assert (code, err.count("\n")) == (0, 1)
    assert "its next page is not in the input; export every page." in err
    assert truths["LUNG-I01"] is None
    assert truths["C-AGE"] is True


@pytest.fixture
def patient_on_server(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("IVFHIR_TOKEN", "secret-token")
    return f"{BASE}/Patient/p"


def _serve(mock: responses.RequestsMock, **answers: dict[str, Any]) -> None:
    patient = {"resourceType": "Patient", "id": "p", "birthDate": "1962-05-14"}
    mock.get(f"{BASE}/Patient/p", json=patient)
    types = ("Condition", "Observation", "AllergyIntolerance", "Procedure", "ServiceRequest")
    for resource_type in types:
        empty = {"json": {"resourceType": "Bundle", "type": "searchset"}}
        mock.get(f"{BASE}/{resource_type}", **answers.get(resource_type, empty))


def test_a_next_link_that_fails_leaves_the_type_unknown_and_says_so(
    patient_on_server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    link = [{"relation": "next", "url": f"{BASE}/page/2"}]
    page = {"resourceType": "Bundle", "type": "searchset", "link": link}
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        _serve(mock, Condition={"json": page})
        mock.get(f"{BASE}/page/2", status=500)
        code, out, err = _evaluate(capsys, "--patient", patient_on_server, "--protocol", "LUNG")
    answer = json.loads(out)
    _check_explained(answer)
    assert code == 0
    assert err.count("\n") == 1
    assert "A later page of the search for Condition failed" in err
    first = answer["protocols"][0]["criteria"][0]
    assert (first["id"], first["truth"]) == ("LUNG-I01", None)
    assert "Condition could not be read to its end" in first["notes"][0]
    assert "secret-token" not in out + err


@pytest.mark.parametrize(
    ("status", "words"), [(401, "sign in or renew"), (403, "wider scope"), (500, "failed (500)")]
)
def test_a_server_that_refuses_every_search_is_code_5(
    status: int,
    words: str,
    patient_on_server: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    refused = {"status": status}
    types = ("Condition", "Observation", "AllergyIntolerance", "Procedure", "ServiceRequest")
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        _serve(mock, **dict.fromkeys(types, refused))
        code, out, err = _evaluate(capsys, "--patient", patient_on_server)
    assert (code, out, err.count("\n")) == (5, "", 1)
    assert words in err


def test_a_patient_that_is_not_on_the_server_is_code_5(
    patient_on_server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with responses.RequestsMock() as mock:
        mock.get(patient_on_server, status=404)
        code, _, err = _evaluate(capsys, "--patient", patient_on_server)
    assert code == 5
    assert "check the address and the id" in err


def _broken(folder: Path) -> str:
    """Write a protocol without library; return its folder."""
    plan = {"resourceType": "PlanDefinition", "id": "TINY", "version": "0.1.0", "title": "Tiny"}
    plan["url"] = "https://other.example/PlanDefinition/TINY"
    (folder / "PlanDefinition-TINY.json").write_text(json.dumps(plan), encoding="utf-8")
    return str(folder)


def test_a_broken_protocol_is_in_its_place_and_stops_no_other(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    asked = ("--protocol", _broken(tmp_path), "--protocol", "LUNG")
    patient = ("--patient", str(DATA / "mcode-collection.json"))
    code, out, _ = _evaluate(capsys, *asked, *patient)
    assert code == 0
    tiny, lung = json.loads(out)["protocols"]
    assert (tiny["id"], tiny["version"], lung["id"]) == ("TINY", "0.1.0", "LUNG")
    [issue] = tiny["outcome"]["issue"]
    assert issue["diagnostics"] == "PlanDefinition-TINY.json has no library; add it."
    assert lung["status"] in STATUSES
    code, out, _ = _evaluate(capsys, *asked, *patient, "--format", "text")
    assert code == 0
    assert "No answer: Tiny\n  PlanDefinition-TINY.json has no library; add it.\n" in out


@pytest.mark.parametrize("every", [(), ("--all",)])
def test_a_broken_protocol_that_is_alone_decides_the_exit_code(
    every: tuple[str, ...], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    patient = ("--patient", str(DATA / "mcode-collection.json"))
    code, out, _ = _evaluate(capsys, "--protocol", _broken(tmp_path), *patient, *every)
    assert code == 4
    answer = json.loads(out)
    assert answer["patient"] == {"reference": "Patient/456"}
    assert [each["id"] for each in answer["protocols"]] == ["TINY"]
