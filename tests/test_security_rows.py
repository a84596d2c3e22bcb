"""Every row of docs/security.md names tests that are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TESTS = ROOT / "tests"
TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
HEADINGS = ("| threat", "| asked", "| chapter", "|---")
ROWS = [
    line
    for line in TEXT.splitlines()
    if line.startswith("|")
    and not line.replace(" ", "").startswith(tuple("".join(h.split()) for h in HEADINGS))
]
NO_TEST = ("| V5 files",)


def found(file: str) -> Path:
    """Return where a test file is: from the root, or below `tests/smart_app/`."""
    return ROOT / file if file.startswith("tests/") else TESTS / "smart_app" / file


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[2:40])
def test_a_row_names_tests_that_exist(row: str) -> None:
    said = re.findall(r"`([^`]+)`", row)
    named = [each for each in said if re.match(r"^(tests/|([a-z_]+/)?test_)", each)]
    assert named or row.startswith(NO_TEST), "it names no test"
    for name in named:
        file, _, test = name.partition("::")
        if not file.endswith((".py", "/")):
            file, test = "", file
        assert not file or found(file).exists(), file
        sources = [found(file)] if file else TESTS.rglob("test_*.py")
        if test:
            text = "".join(each.read_text(encoding="utf-8") for each in sources)
            assert f"def {test}(" in text, name


def test_no_table_was_lost() -> None:
    assert len(ROWS) >= 40
