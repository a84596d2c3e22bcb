"""The guide to the command line names every subcommand, option and exit code there is."""

import re
from pathlib import Path

import pytest

from ivfhir.cli.arguments import COMMANDS
from ivfhir.cli.main import main

GUIDE = (Path(__file__).parents[3] / "docs" / "command-line.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", list(COMMANDS))
def test_the_guide_has_every_subcommand(command: str) -> None:
    assert f"`ivfhir {command}`" in GUIDE


@pytest.mark.parametrize("command", ["evaluate", "apply"])
def test_the_guide_has_every_option(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    options = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help"}
    usage = GUIDE.partition(f"ivfhir {command}")[2].partition("ivfhir")[0]
    assert {option for option in options if option not in usage} == set()
