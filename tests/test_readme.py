"""The README says what is so: settings, commands, files it names."""

import re
from pathlib import Path

from ivfhir.knowledge.package import ROOT_VARIABLE
from smart_app.config import setting_rows

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_setting_is_listed_with_its_variable_and_default() -> None:
    rows = [line.strip("| ").split(" | ") for line in README.splitlines() if line[:3] == "| `"]
    listed = {row[0].strip("`"): [cell.strip("` ") for cell in row[1:]] for row in rows}
    for name, *rest in setting_rows():
        assert listed[name] == [cell.strip("` ") for cell in rest]


def test_the_variable_that_names_the_folder_of_protocols_is_told() -> None:
    assert f"`{ROOT_VARIABLE}`" in README


def test_every_file_it_links_exists() -> None:
    links = re.findall(r"\]\(((?!https?:)[^)#]+)\)", README)
    assert len(links) > 5
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_make_targets_it_names_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^    (?:\$ )?make ([a-z]+)", README, re.MULTILINE))
    assert targets >= {"demo", "test"}
    assert [t for t in targets if not re.search(rf"^{t}:", makefile, re.MULTILINE)] == []
