"""`ivfhir protocols new ID`: a folder from the template that builds at once."""

from dataclasses import replace
from pathlib import Path

import pytest

from ivfhir.cli.main import main
from ivfhir.knowledge.load import load_protocols
from tools.knowledge.authoring import authored_files
from tools.knowledge.layout import Layout


def test_the_folder_is_written_and_what_to_run_next_is_said(tmp_path: Path, capsys) -> None:
    assert main(["protocols", "new", "KIDNEY", "--folder", str(tmp_path)]) == 0
    assert "make knowledge" in capsys.readouterr().out
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    assert {
        "kidney/README.md",
        "kidney/protocol.toml",
        "kidney/plan.toml",
        "kidney/cql/KIDNEY.cql",
        "kidney/cases/in-applies/case.toml",
        "kidney/bases/applies.toml",
    } <= written
    texts = [path.read_text(encoding="utf-8") for path in tmp_path.rglob("*.*") if path.is_file()]
    assert not [text for text in texts if "$ID" in text or "LUNG" in text]


def test_its_rows_build_at_once(tmp_path: Path) -> None:
    ours = Layout()
    layout = replace(ours, knowledge=tmp_path)
    layout.shared.mkdir()
    board = "CodeSystem-io-plan.json"
    (layout.shared / board).write_bytes((ours.shared / board).read_bytes())
    assert main(["protocols", "new", "KIDNEY", "--folder", str(tmp_path)]) == 0
    built = {path.relative_to(tmp_path).as_posix() for path, _ in authored_files(layout)}
    assert built == {
        "kidney/PlanDefinition-KIDNEY.json",
        "kidney/ActivityDefinition-KIDNEY-A01.json",
        "kidney/ActivityDefinition-KIDNEY-A02.json",
        "kidney/Questionnaire-KIDNEY-parameters.json",
        "kidney/cql/KIDNEYPlan.cql",
    }


@pytest.mark.parametrize("name", ["kidney", "K", "1A", "KID-NEY", "../X", "KIDNÉY"])
def test_an_id_of_another_shape_is_refused(name: str, tmp_path: Path, capsys) -> None:
    assert main(["protocols", "new", name, "--folder", str(tmp_path)]) == 2
    assert "such as KIDNEY" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_refused_and_left_as_it_was(tmp_path: Path, capsys) -> None:
    (tmp_path / "kidney").mkdir()
    (tmp_path / "kidney" / "mine.txt").write_text("mine")
    assert main(["protocols", "new", "KIDNEY", "--folder", str(tmp_path)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "kidney").iterdir()] == ["mine.txt"]


def test_without_new_the_protocols_are_listed(capsys) -> None:
    assert main(["protocols"]) == 0
    assert set(load_protocols()) <= set(capsys.readouterr().out.split())
