"""`ivfhir apply`: a plan as CarePlan, collection or text, or the reason why there is none."""

import json
from pathlib import Path

import pytest

from ivfhir.cli.main import main

PATIENT = str(Path(__file__).parents[2] / "data" / "mcode-nsclc")
ARGUMENTS = ("apply", "LUNG", "--patient", PATIENT, "--as-of", "2025-03-03")
OVERRIDDEN = (*ARGUMENTS, "--start", "2025-03-10", "--override-reason", "The board asks for it.")


def _apply(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = main(argv)
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (["--start", "2025-03-10"], 3, "LUNG is indeterminate"),
        (["--start", "2025-03-10", "--override-reason", "  "], 2, "at least 20 characters"),
        (
            ["--start", "2025-03-10", "--override-kind", "trial"],
            2,
            "--override-kind) needs its reason",
        ),
        (["--start", "2025-08-31"], 2, "more than 180 days ahead"),
        (["--start", "9999-12-31"], 2, "more than 180 days ahead"),
        (["--start", "2025-03-02"], 2, "must not be before the day of evaluation"),
        (["--start", "2025-03-10", "--param", "segments=7"], 2, "must be 4, 5 or 6; you gave 7"),
        (["--start", "2025-03-10", "--param", "segments=six"], 2, "whole number"),
        (["--start", "2025-03-10", "--param", "segments"], 2, "--param name=value"),
        (["--start", "2025-03-10", "--param", "sessions=4"], 2, "no parameter 'sessions'"),
        (["--start", "2025-03-10", "--param", "Start=2025-03-10"], 2, "--start"),
        (
            ["--start", "2025-03-10", "--param", "segments=5", "--param", "segments=6"],
            2,
            "given twice",
        ),
    ],
)
def test_no_plan_is_one_sentence_and_the_promised_code(
    argv: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    returned, out, err = _apply(capsys, *ARGUMENTS, *argv)
    assert (returned, out, err.count("\n")) == (code, "", 1)
    assert words in err


def test_an_override_gives_a_draft_and_the_same_bytes_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, first, _ = _apply(capsys, *OVERRIDDEN)
    _, second, _ = _apply(capsys, *OVERRIDDEN)
    care_plan = json.loads(first)
    assert (code, first == second) == (0, True)
    kept = (care_plan["resourceType"], care_plan["status"], care_plan["intent"])
    assert kept == ("CarePlan", "draft", "proposal")
    assert care_plan["subject"] == {"reference": "Patient/cancer-patient-john-anyperson"}


def test_a_bundle_is_a_collection_since_nothing_is_written_unconfirmed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, _ = _apply(capsys, *OVERRIDDEN, "--format", "bundle")
    bundle = json.loads(out)
    assert (code, bundle["type"]) == (0, "collection")
    kinds = [entry["resource"]["resourceType"] for entry in bundle["entry"]]
    assert (kinds.count("CarePlan"), kinds.count("RequestGroup")) == (1, 1)
    assert not any("contained" in entry["resource"] for entry in bundle["entry"])
    assert not any("request" in entry for entry in bundle["entry"])


def test_text_lists_what_is_due_by_day(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = _apply(capsys, *OVERRIDDEN, "--format", "text")
    assert code == 0
    assert "Override: The board asks for it." in out
    assert "2025-03-10  2025-03-10 to 2025-03-10  LUNG-A03.1 " in out


def test_of_an_export_each_patient_gets_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export = str(Path(PATIENT).parent / "bulk-export")
    argv = ["--patient", export, "--as-of", "2025-03-03", "--start", "2025-03-10", "--all"]
    code, out, err = _apply(capsys, "apply", "LUNG", *argv)
    lines = [json.loads(line) for line in out.splitlines()]
    assert (code, len(lines)) == (3, 2)
    for line in lines:
        assert line["outcome"]["issue"][0]["code"] == "business-rule"
    assert "2 of 2 patients have no answer" in err
