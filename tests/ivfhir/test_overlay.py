"""What a site's overlay does to answers and plans, and where they tell of it."""

import json
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ivfhir.cli.main import main
from ivfhir.errors import ParameterError
from ivfhir.fhir.json import dumps, loads
from ivfhir.knowledge.load import ClinicalProtocol, load_protocol
from ivfhir.knowledge.overlay import load_overlay
from ivfhir.parameters import typed_parameters
from smart_app.fake_ehr.sample_patients import FOLDER
from tests.cases.case import KNOWLEDGE, load_case

EXAMPLE = Path(__file__).parents[1] / "data" / "overlay"
PLATELETS = "777-3"
WITH = ("--overlay", str(EXAMPLE))
DAYS = ("--as-of", "2025-03-03")


@pytest.fixture
def patient(tmp_path: Path) -> str:
    """Return a file with an eligible patient of LIVER whose platelets are 65."""
    [path] = FOLDER.glob("okafor-*.json")
    bundle = loads(path.read_text(encoding="utf-8"), place=path.name)
    for entry in bundle["entry"]:
        codes = entry["resource"].get("code", {}).get("coding", [])
        if any(each["code"] == PLATELETS for each in codes):
            entry["resource"]["valueQuantity"]["value"] = Decimal(65)
    file = tmp_path / "patient.json"
    file.write_text(dumps(bundle), encoding="utf-8")
    return str(file)


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(list(words))
    out, err = capsys.readouterr()
    return code, out, err


def evaluated(capsys: pytest.CaptureFixture[str], patient: str, *words: str) -> dict[str, Any]:
    code, out, _ = run(capsys, "evaluate", "--patient", patient, *DAYS, *words)
    assert code == 0
    return json.loads(out)


def row(answer: dict[str, Any], protocol: str, criterion: str) -> dict[str, Any]:
    [found] = [each for each in answer["protocols"] if each["id"] == protocol]
    return next(each for each in found["criteria"] if each["id"] == criterion)


def test_a_narrower_threshold_decides_and_is_told(
    capsys: pytest.CaptureFixture[str], patient: str
) -> None:
    before, after = evaluated(capsys, patient), evaluated(capsys, patient, *WITH)
    assert "overlay" not in before
    assert after["overlay"] == {"name": "Example Hospital", "version": "1.2.0"}
    assert row(before, "LIVER", "X-BLEED")["truth"] is False
    assert row(after, "LIVER", "X-BLEED")["truth"] is True
    assert row(after, "LIVER", "X-BLEED")["rule"].startswith(
        "Platelets below 75 x10^9/L (site: Example Hospital; specification 50), or INR 1.8"
    )
    assert row(after, "LIVER", "X-RENAL")["rule"].endswith(
        "eGFR below 25 mL/min/1.73 m2 (site: Example Hospital; specification 30), not older than "
        "14 days."
    )
    assert row(after, "LUNG", "K-RENAL")["title"] == "eGFR 25 to 44"


def test_what_the_overlay_leaves_alone_is_answered_as_before(
    capsys: pytest.CaptureFixture[str], patient: str
) -> None:
    before, after = evaluated(capsys, patient), evaluated(capsys, patient, *WITH)
    changed = {"X-BLEED", "X-RENAL", "K-RENAL", "PORT-I01"}  # PORT-I01 follows from the others.
    for one, other in zip(before["protocols"], after["protocols"], strict=True):
        for mine, theirs in zip(one["criteria"], other["criteria"], strict=True):
            assert mine["id"] in changed or mine == theirs


def test_a_criterion_that_names_others_names_them_with_the_number_of_the_site(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "overlay.toml").write_text(
        (EXAMPLE / "overlay.toml").read_text(encoding="utf-8").split("[[threshold]]")[0]
        + '[[threshold]]\ncriterion = "LMET-I03"\nfact = "bilirubin"\nvalue = 0.3\n'
        'unit = "mg/dL"\nreason = "r"\n',
        encoding="utf-8",
    )
    [path] = FOLDER.glob("castellano-*.json")
    words = ("--overlay", str(tmp_path))
    notes = row(evaluated(capsys, str(path), *words), "PORT", "PORT-I01")["notes"]
    assert "Bilirubin at most 0.3 mg/dL" in " ".join(notes)
    assert "2.0" not in " ".join(notes)


def test_the_text_tells_of_the_overlay(capsys: pytest.CaptureFixture[str], patient: str) -> None:
    words = ("evaluate", "--patient", patient, *DAYS, "--format", "text")
    _, before, _ = run(capsys, *words)
    _, after, _ = run(capsys, *words, *WITH)
    assert "overlay" not in before
    assert "The site overlay Example Hospital 1.2.0 applied" in after
    assert "signed by Dr. Erika Example" in " ".join(after.split())


def test_the_environment_names_it_too(
    capsys: pytest.CaptureFixture[str], patient: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IVFHIR_OVERLAY", str(EXAMPLE))
    assert evaluated(capsys, patient)["overlay"]["name"] == "Example Hospital"


def plan(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any] | None, str]:
    [path] = FOLDER.glob("okafor-*.json")
    given = ("--patient", str(path), *DAYS, "--start", "2025-03-03", "--param", "mode=TACE")
    code, out, err = run(capsys, "apply", "LIVER", *given, *words)
    return code, json.loads(out) if out else None, err


def test_a_plan_tells_of_it_and_takes_its_bounds(capsys: pytest.CaptureFixture[str]) -> None:
    _, before, _ = plan(capsys)
    _, after, _ = plan(capsys, *WITH)
    assert before is not None
    assert after is not None
    assert "instantiatesUri" not in before
    assert after["instantiatesUri"] == ["https://hospital.example/fhir/ivfhir-overlay|1.2.0"]
    assert after["note"][0]["text"].startswith("The site overlay Example Hospital 1.2.0 applied")
    assert "42 days apart" in json.dumps(before)
    assert "56 days apart" in json.dumps(after)
    code, _, err = plan(capsys, *WITH, "--param", "tace_interval_days=35")
    assert code == 2
    assert "must be 42 to 84; you gave 35" in err
    assert plan(capsys, "--param", "tace_interval_days=35")[0] == 0


def test_a_regimen_of_the_site_gives_its_dose(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--param", "regimen=RG-EX1", "--param", "confirmed=lvef,cumulative-dose")
    assert plan(capsys, *words)[0] == 2
    code, found, err = plan(capsys, *words, *WITH)
    assert (code, err) == (0, "")
    assert found is not None
    assert "RG-EX1" in json.dumps(found)


@pytest.mark.parametrize("title", ["doxorubicin (beads)", "doxorubicin, in two vials"])
def test_a_title_that_goes_on_after_the_name_of_the_drug_is_no_method(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, title: str
) -> None:
    """How a drug is given stands in the regimen (`method`), not in its title."""
    shutil.copytree(EXAMPLE / "regimens", tmp_path / "regimens")
    path = tmp_path / "regimens" / "PlanDefinition-RG-EX1.json"
    text = path.read_text(encoding="utf-8")
    assert text.count('"title": "doxorubicin"') == 1
    text = text.replace('"title": "doxorubicin"', f'"title": "{title}"')
    path.write_text(text, encoding="utf-8")
    head = (EXAMPLE / "overlay.toml").read_text(encoding="utf-8").split("[[threshold]]")[0]
    (tmp_path / "overlay.toml").write_text(head, encoding="utf-8")
    words = ("--param", "regimen=RG-EX1", "--param", "confirmed=lvef,cumulative-dose")
    code, found, err = plan(capsys, *words, "--overlay", str(tmp_path))
    assert (code, err) == (0, "")
    assert found is not None
    requests = [each for each in found["contained"] if each["id"].endswith(".drug")]
    assert all(each["dosageInstruction"][0]["text"].startswith(title) for each in requests)
    assert [each for each in requests if "method" in each["dosageInstruction"][0]] == []
    assert requests


@pytest.mark.usefixtures("compiled_anew")
def test_two_overlays_in_one_process_do_not_mix() -> None:
    plain, site = load_protocol("LIVER"), load_protocol("LIVER", load_overlay(EXAMPLE))
    again = load_protocol("LIVER")
    assert [bounds(each) for each in (plain, site, again)] == [(28, 42), (42, 56), (28, 42)]
    programs = [each.library.program for each in (plain, site, again)]
    at = ("IOThresholds", "X_BLEED_platelets")
    assert [each.given.get(at) for each in programs] == [None, 75, None]


def bounds(protocol: ClinicalProtocol) -> tuple[int, int]:
    [found] = [each for each in protocol.parameters if each.name == "tace_interval_days"]
    return found.low, found.default


@pytest.mark.parametrize("name", ["tace_interval_days_lowest", "X_BLEED_platelets"])
def test_nobody_gives_a_bound_or_a_threshold_as_a_parameter(name: str) -> None:
    with pytest.raises(ParameterError, match="has no parameter"):
        typed_parameters(load_protocol("LIVER"), {name: "1"})


@pytest.mark.parametrize("command", ["evaluate", "apply", "protocols"])
def test_with_a_broken_overlay_nothing_is_answered(
    command: str, capsys: pytest.CaptureFixture[str], patient: str, tmp_path: Path
) -> None:
    (tmp_path / "overlay.toml").write_text('name = "Site"\n', encoding="utf-8")
    words = {
        "evaluate": ("--patient", patient, *DAYS),
        "apply": ("LIVER", "--patient", patient, *DAYS, "--start", "2025-03-03"),
        "protocols": (),
    }
    (tmp_path / "patient.json").unlink()  # It is the folder of the overlay: nothing else is there.
    code, out, err = run(capsys, command, *words[command], "--overlay", str(tmp_path))
    assert (code, out) == (4, "")
    assert "overlay.toml:1: an overlay has no 'version'" in err


def test_the_numbers_of_cachexia_and_resistance_are_the_site_s_too(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    head = (EXAMPLE / "overlay.toml").read_text(encoding="utf-8").split("[[threshold]]")[0]
    rows = (
        ("X-RESIST", "lines", 1, ""),
        ("X-CACHEX", "weight-loss", 3, "%"),
        ("X-CACHEX", "ecog", 1, ""),
        ("LMET-K01", "organs", 2, ""),
    )
    text = head + "".join(
        f'[[threshold]]\ncriterion = "{criterion}"\nfact = "{fact}"\nvalue = {value}\n'
        + (f'unit = "{unit}"\n' if unit else "")
        + 'reason = "r"\n'
        for criterion, fact, value, unit in rows
    )
    signed = (
        '[[sign_off]]\nof = "LMET-K01.organs"\nvalue = "2"\nname = "Dr. E"\nrole = "head"\n'
        'date = 2026-11-20\nwhat = "w"\n'
    )
    site, path = tmp_path / "site", tmp_path / "v07.json"
    site.mkdir()
    (site / "overlay.toml").write_text(text + signed, encoding="utf-8")
    case = load_case(KNOWLEDGE / "lmet" / "cases" / "out-v07-disseminated")
    bundle = case.bundle()
    # ECOG 1, 2.9 % lost (70 kg in October, 68 kg now): below 3 %, so raise the earlier weight.
    for entry in bundle["entry"]:
        quantity = entry["resource"].get("valueQuantity", {})
        if quantity.get("value") == 70 and quantity.get("unit") == "kg":
            quantity["value"] = Decimal("70.5")
    path.write_text(dumps(bundle), encoding="utf-8")
    before = evaluated(capsys, str(path))
    after = evaluated(capsys, str(path), "--overlay", str(site))
    assert row(before, "LMET", "X-CACHEX")["truth"] is False
    assert row(after, "LMET", "X-CACHEX")["truth"] is True
    said = row(after, "LMET", "X-CACHEX")["rule"]
    assert "above 3 % in 6 months (site: Example Hospital; specification 5)" in said
    assert "with ECOG 1 or more (site: Example Hospital; specification 3)" in said
    assert "1 or more lines (site:" in row(after, "LMET", "X-RESIST")["rule"]
    assert "More than 2 organs hold metastases" in row(after, "LMET", "LMET-K01")["rule"]
