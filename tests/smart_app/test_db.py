"""`ivfhir db`: the version of the tables."""

import json
import shutil
from pathlib import Path

import pytest

from ivfhir.cli.main import main
from tests.smart_app.store.test_schema import RELEASE


@pytest.fixture
def config(tmp_path: Path) -> str:
    shutil.copy(RELEASE, tmp_path / "a.sqlite3")
    path = tmp_path / "ivfhir.toml"
    path.write_text(
        f'public_url = "https://app.example"\ndatabase_url = "sqlite:///{tmp_path}/a.sqlite3"\n'
    )
    return str(path)


def db(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    assert main(["db", *words, "--format", "json"]) == 0
    told: dict[str, object] = json.loads(capsys.readouterr().out)
    return told


def test_status_tells_and_upgrade_upgrades_once(
    config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told = db(capsys, "status", "--config", config)
    assert (told["found"], told["state"], told["upgraded"]) == (None, "older", False)
    told = db(capsys, "upgrade", "--config", config)
    assert (told["found"], told["state"], told["upgraded"]) == (told["wanted"], "current", True)
    assert db(capsys, "upgrade", "--config", config)["upgraded"] is False
    assert main(["db", "status", "--config", config]) == 0
    assert capsys.readouterr().out == "The database is of this release.\n"


def test_a_server_that_does_not_answer_is_code_5(
    config: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IVFHIR_DATABASE_URL", "postgresql://postgres@/x?host=/nowhere")
    assert main(["db", "status", "--config", config]) == 5
    assert "cannot be reached" in capsys.readouterr().err
