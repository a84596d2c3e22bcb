"""Each module has a test of its name, or CONTRIBUTING.md says what proves it."""

import re
from collections import Counter
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("benchmarks", "ivfhir", "smart_app", "tools")
PROOF = r"`(?:tests/[\w/.]+|make \w+)`"
ROW = re.compile(
    rf"^\| `([a-z0-9_/]+)` \| ((?:`\w+` ?)+)\| ({PROOF}(?:, {PROOF})*) \|$", re.MULTILINE
)


def section():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return text.partition("## What proves a module\n")[2].partition("\n## ")[0]


def listed():
    """Return each module of the table, as often as it stands there."""
    return [
        f"{folder}/{name}.py"
        for folder, names, _ in ROW.findall(section())
        for name in re.findall(r"`(\w+)`", names)
    ]


def modules():
    """Return the path of each module, as PACKAGES have them; a package's __init__ is none."""
    return {
        file.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for file in (ROOT / package).rglob("*.py")
        if file.name != "__init__.py"
    }


def mirror_of(module):
    path = PurePosixPath(module)
    return ROOT / "tests" / path.parent / f"test_{path.name}"


def mirrored():
    return {module for module in modules() if mirror_of(module).is_file()}


def test_every_row_of_the_table_is_read():
    rows = [line for line in section().splitlines() if line.startswith("| `")]
    assert len(rows) == len(ROW.findall(section())) > 0


def test_a_module_without_a_test_of_its_name_is_listed_with_what_proves_it():
    assert sorted(modules() - mirrored() - set(listed())) == []


def test_the_list_holds_no_module_that_is_gone_or_has_a_test_of_its_name():
    assert sorted(set(listed()) - (modules() - mirrored())) == []


def test_a_module_is_listed_once():
    assert [name for name, count in Counter(listed()).items() if count > 1] == []


@pytest.mark.parametrize("proof", sorted(set(re.findall(r"`(tests/[\w/.]+)`", section()))))
def test_a_test_that_proves_a_module_is_there(proof):
    path = ROOT / proof
    assert path.is_file() if proof.endswith(".py") else list(path.rglob("test_*.py"))


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`make (\w+)`", section()))))
def test_a_target_that_proves_a_module_is_there(target):
    assert f"\n{target}: " in (ROOT / "Makefile").read_text(encoding="utf-8")
