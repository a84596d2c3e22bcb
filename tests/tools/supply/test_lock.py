"""The lock follows pyproject.toml, and keeps its versions until it is told to upgrade."""

import tomllib

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.supply.__main__ import main
from tools.supply.lock import EXTRAS, ROOT, compile_lock, locked_here


def test_it_is_what_pyproject_asks(capsys):
    assert main(["check"]) == 0
    assert "as pyproject.toml asks" in capsys.readouterr().out


def test_it_holds_each_thing_that_we_ask_for_ourselves():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    asked = [*project["dependencies"], *(each for extra in EXTRAS for each in extras[extra])]
    locked = locked_here()
    for requirement in map(Requirement, asked):
        if requirement.name != "ivfhir":
            version = locked[canonicalize_name(requirement.name)]
            assert requirement.specifier.contains(version), requirement


def test_an_older_version_stays_until_it_is_told_to_upgrade(tmp_path):
    older = tmp_path / "requirements.txt"
    older.write_text("flask==3.1.1\n")
    assert "\nflask==3.1.1 " in compile_lock(older)
    assert "\nflask==3.1.1 " not in compile_lock(None)
