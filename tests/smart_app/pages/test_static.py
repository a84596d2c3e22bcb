"""The vendored stylesheet fetches nothing; the templates hold no script and no style."""

import re
from pathlib import Path

import pytest

import smart_app

FOLDER = Path(smart_app.__file__).parent
NHSUK = FOLDER / "static" / "nhsuk-frontend"


def test_nhsuk_frontend_fetches_nothing_and_keeps_its_licence():
    text = (NHSUK / "nhsuk-frontend.min.css").read_text(encoding="utf-8")
    assert '--nhsuk-frontend-version:"10.6.1"' in text
    assert "@font-face" not in text
    assert "sourceMappingURL" not in text
    assert not re.search(r"url\(['\"]?https?:", text)
    assert "MIT License" in (NHSUK / "LICENCE").read_text(encoding="utf-8")


def test_our_stylesheet_fetches_nothing():
    assert "url(" not in (FOLDER / "static" / "pages.css").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "path", sorted((FOLDER / "templates").iterdir()), ids=lambda path: str(path.name)
)
def test_templates_hold_no_script_no_style_and_no_outside_address(path: Path):
    text = path.read_text(encoding="utf-8")
    assert "<script" not in text
    assert "<style" not in text
    assert not re.search(r"\sstyle\s*=", text)
    assert not re.search(r"\son[a-z]+\s*=", text)
    assert not re.search(r"(?:src|href)=\"https?:", text)
