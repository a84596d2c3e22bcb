"""The vendored stylesheet fetches nothing; the templates hold no script and no style."""

import gzip
import re
from pathlib import Path

import pytest

import smart_app
from tools.styles.__main__ import TRIMMED, WHOLE, trimmed

FOLDER = Path(smart_app.__file__).parent
NHSUK = FOLDER / "static" / "nhsuk-frontend"


def test_nhsuk_frontend_fetches_nothing_and_keeps_its_licence():
    text = WHOLE.read_text(encoding="utf-8")
    assert '--nhsuk-frontend-version:"10.6.1"' in text
    assert "@font-face" not in text
    assert "sourceMappingURL" not in text
    assert not re.search(r"url\(['\"]?https?:", text)
    assert "MIT License" in (NHSUK / "LICENCE").read_text(encoding="utf-8")


def test_what_is_served_of_it_is_what_the_pages_use():
    text = TRIMMED.read_text(encoding="utf-8")
    assert text == trimmed()
    assert ".nhsuk-error-message{" in text
    assert ".nhsuk-input--width-4{" in text  # a template completes the name
    assert "nhsuk-header" not in text


def fetch(client, name, **headers):
    with client.get(f"/static/{name}", headers=headers) as answer:
        return answer.status_code, answer.headers, answer.get_data()


def test_the_styles_of_a_first_page_are_small_and_come_compressed(client):
    served = {}
    for name in ("nhsuk-frontend/nhsuk-frontend.css", "pages.css"):
        _, headers, data = fetch(client, name, **{"Accept-Encoding": "gzip"})
        assert headers["Content-Encoding"] == "gzip"
        assert headers["Vary"] == "Accept-Encoding"
        assert gzip.decompress(data) == (FOLDER / "static" / name).read_bytes()
        served[name] = len(data)
    assert sum(served.values()) < 16_000


def test_a_style_that_a_browser_keeps_is_not_sent_again(client):
    _, headers, _ = fetch(client, "pages.css", **{"Accept-Encoding": "br"})
    assert headers["Content-Encoding"] == "br"
    kept = {"Accept-Encoding": "br", "If-None-Match": headers["ETag"]}
    assert fetch(client, "pages.css", **kept)[::2] == (304, b"")


def test_a_page_is_never_compressed(client):
    assert "Content-Encoding" not in client.get("/", headers={"Accept-Encoding": "gzip"}).headers


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
