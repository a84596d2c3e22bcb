"""The guide says what is so: commands, options, defines, scopes, addresses."""

import argparse
import re
from importlib import import_module
from pathlib import Path

import pytest
from flask import Flask

from ivfhir.activity import SUPPORTED
from ivfhir.cli.arguments import COMMANDS
from ivfhir.cli.main import main
from ivfhir.knowledge.criteria import KINDS
from ivfhir.knowledge.load import load_protocol
from smart_app.app import create_app
from smart_app.config import Ehr, Settings
from smart_app.smart.scopes import scopes_to_ask

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PATIENTS = ROOT / "smart_app/fake_ehr/patients"


SHOWN_SERVER = "http://localhost:8080/fhir"


def console_blocks(text: str) -> list[str]:
    return re.findall(r"```console\n(.*?)```", text, re.DOTALL)


def page(name: str) -> str:
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


def test_every_page_is_in_the_guide() -> None:
    listed = re.search(r"{toctree}\n(.*?)```", page("index"), re.DOTALL)
    assert listed is not None
    pages = {path.stem for path in DOCS.glob("*.md")} - {"index"}
    assert set(listed[1].split()) == pages


@pytest.mark.parametrize("command", list(COMMANDS))
def test_every_subcommand_is_described_with_its_options(command: str) -> None:
    parser = argparse.ArgumentParser(add_help=False)
    import_module(COMMANDS[command][0]).add_arguments(parser)
    synopsis = re.search(rf"^    ivfhir {command}\b.*(?:\n     .*)*", page("command-line"), re.M)
    assert synopsis is not None
    options = set(re.findall(r"--[a-z0-9-]+", parser.format_usage()))
    assert set(re.findall(r"--[a-z0-9-]+", synopsis[0])) == options


def test_the_commands_of_the_readme_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(PATIENTS)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.findall(
        r"^    \$ ivfhir (.+)\n(?:    (ivfhir: .+)\n    \$ echo \$\?\n    (\d))?", readme, re.M
    )
    assert len(shown) > 1
    for words, sentence, code in shown:
        assert main(words.split()) == int(code or 0)
        assert capsys.readouterr().err.strip() == sentence


def test_the_readme_shows_what_validation_says_alone_and_beside_hapi(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    hapi: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = [block for block in console_blocks(readme) if "ivfhir validate" in block]
    steps = [step.partition("\n") for step in re.split(r"^\$ ", "".join(shown), flags=re.M)[1:]]
    assert [words.split()[:2] for words, _, _ in steps] == [
        ["cat", "observation.json"],
        ["ivfhir", "validate"],
        ["ivfhir", "validate"],
    ]
    (tmp_path / "observation.json").write_text(steps[0][2])
    for words, _, output in steps[1:]:
        assert main(words.replace(SHOWN_SERVER, hapi).split()[1:]) == 6
        assert capsys.readouterr().out == output


def test_the_guide_shows_what_validation_says_beside_hapi(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    hapi: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    guide = page("validate")
    given = re.search(r"```json\n(.*?)```", guide, re.DOTALL)
    shown = re.search(r"^    \$ ivfhir (.+ --server .+)\n((?:    .*\n)+)", guide, re.MULTILINE)
    assert given is not None
    assert shown is not None
    (tmp_path / "patient.json").write_text(given[1])
    assert main(shown[1].replace(SHOWN_SERVER, hapi).split()) == 6
    assert capsys.readouterr().out == re.sub("^    ", "", shown[2], flags=re.MULTILINE)


def test_every_define_that_a_protocol_needs_is_there() -> None:
    rows = re.findall(r"^\| (`[A-Z].*?) \| ", page("protocols"), re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`([A-Za-z]\w+)`", row)}
    assert {"LUNG_Criteria", "Plan_Allowed", "X_BLEED_Criterion"} <= named
    lung = load_protocol("LUNG")
    shared = {f"{name}{part}" for _, name in lung.criteria for part in ("", "_Criterion")}
    defined = {name for library in lung.libraries.values() for name in library.defines}
    assert named <= defined | shared


def test_the_kinds_of_criteria_and_requests_are_named() -> None:
    text = page("protocols")
    assert [kind for kind in (*KINDS, *SUPPORTED) if f"`{kind}`" not in text] == []


def made_app(folder: Path) -> Flask:
    return create_app(
        Settings(
            public_url="http://127.0.0.1:8000",
            database_url=f"sqlite:///{folder / 'app.sqlite3'}",
            key_file=str(folder / "app.key"),
            ehrs=(Ehr(iss="http://127.0.0.1:8090/fhir", client_id="ivfhir"),),
        )
    )


def test_the_scopes_are_those_that_the_app_asks_for(tmp_path: Path) -> None:
    app = made_app(tmp_path).extensions["ivfhir"]
    asked = scopes_to_ask(
        ["permission-v2"],
        read_types=app.read_types,
        write_types=app.write_types,
        standalone=False,
    )
    shown = re.search(r"^    (openid .*(?:\n    .*)*)$", page("ehr-integration"), re.MULTILINE)
    assert shown is not None
    assert shown[1].split() == asked.split()


def test_the_addresses_of_the_app_are_its_own(tmp_path: Path) -> None:
    rules = {rule.rule for rule in made_app(tmp_path).url_map.iter_rules()}
    shown = set(re.findall(r"^\| `(/[a-z./]*)` \|", page("ehr-integration"), re.MULTILINE))
    assert shown == {rule for rule in rules if not rule.startswith(("/l/", "/static/"))}
