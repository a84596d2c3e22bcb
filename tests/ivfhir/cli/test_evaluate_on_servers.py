"""A patient on a real server gets the answer that the same data get in a file."""

import json
from pathlib import Path
from typing import Any

import pytest

from ivfhir.cli.main import main
from ivfhir.fhir.json import dumps, loads
from ivfhir.servers.http import HttpRepository

SAMPLE = Path(__file__).parents[2] / "data" / "synthea-transaction.json"
TYPES = ("Patient", "Condition", "Observation", "AllergyIntolerance")


def _with_ids() -> dict[str, Any]:
    """Return the sample as updates under its own ids, so that references stay the same."""
    bundle: Any = loads(SAMPLE.read_text(encoding="utf-8"), place=SAMPLE.name)
    entries = [entry for entry in bundle["entry"] if entry["resource"]["resourceType"] in TYPES]
    for entry in entries:
        resource = entry["resource"]
        resource.pop("encounter", None)
        url = f"{resource['resourceType']}/{resource['id']}"
        entry["request"] = {"method": "PUT", "url": url}
    return {**bundle, "entry": entries}


def _answer(capsys: pytest.CaptureFixture[str], source: str) -> dict[str, Any]:
    assert main(["evaluate", "--as-of", "2021-06-01", "--patient", source]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    answer: dict[str, Any] = json.loads(out)
    return answer


@pytest.mark.server
@pytest.mark.parametrize("server", ["hapi", "sekmet"])
def test_a_server_and_a_file_give_the_same_answer(
    server: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    base: str = request.getfixturevalue(server)
    monkeypatch.setattr("ivfhir.servers.http.PAGE_SIZE", 7)  # Several pages of Observations.
    bundle = _with_ids()
    HttpRepository(base).transact(bundle)
    path = tmp_path / "patient.json"
    path.write_text(dumps(bundle), encoding="utf-8")
    patient = next(e["resource"] for e in bundle["entry"] if "birthDate" in e["resource"])
    from_server = _answer(capsys, f"{base}/Patient/{patient['id']}")
    assert _sorted(from_server) == _sorted(_answer(capsys, str(path)))


def _sorted(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the answer with each criterion's evidence sorted: a server has its own order."""
    for criterion in answer["protocols"][0]["criteria"]:
        criterion["evidence"].sort(key=json.dumps)
    return answer


@pytest.mark.server
def test_a_patient_that_the_server_does_not_have_is_one_sentence(
    sekmet: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "--patient", f"{sekmet}/Patient/absent"]) == 5
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
