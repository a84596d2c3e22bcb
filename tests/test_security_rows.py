"""Every row of docs/security.md names tests that are there."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


def test_every_threat_has_a_test_that_exists() -> None:
    rows = [line for line in TEXT.splitlines() if line.startswith("| ") and "| threat" not in line]
    assert len(rows) >= 16
    for row in rows:
        named = re.findall(r"`([\w/]+\.py)::(\w+)`", row.rsplit("|", 2)[1])
        assert named, row
        for file, test in named:
            source = (ROOT / "tests" / "smart_app" / file).read_text(encoding="utf-8")
            assert f"def {test}(" in source, (file, test)
