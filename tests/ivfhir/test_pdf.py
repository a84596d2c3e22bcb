"""The PDF: words of any script, page numbers, same bytes, nothing fetched."""

import io

import pytest
from pypdf import PdfReader

from ivfhir.errors import SettingsError
from ivfhir.pdf import to_pdf, why_no_pdf

FOOT = '<style>@page { @bottom-right { content: counter(page) " of " counter(pages) } }</style>'


def pages_of(pdf):
    return [each.extract_text() for each in PdfReader(io.BytesIO(pdf)).pages]


def test_same_html_gives_same_bytes():
    html = "<title>A plan</title><p>Żółć 李明"
    assert to_pdf(html) == to_pdf(html)
    metadata = PdfReader(io.BytesIO(to_pdf(html))).metadata
    assert metadata.title == "A plan"
    assert metadata.creation_date is None  # No clock was asked.


@pytest.mark.parametrize("name", ["Żółć", "李明", "Ольга", "Ελένη", "Nguyễn Thị Ánh"])
def test_names_of_any_script_can_be_read(name):
    assert name in pages_of(to_pdf(f"<p>{name}"))[0]


def test_pages_are_numbered():
    pages = pages_of(to_pdf(f"{FOOT}<p>one<p style='break-before: page'>two"))
    assert ["1 of 2" in pages[0], "2 of 2" in pages[1]] == [True, True]


def test_nothing_is_fetched(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("nobody may read this")
    html = f'<link rel="attachment" href="file://{secret}"><img src="file://{secret}"><p>here'
    pdf = to_pdf(html)
    assert pages_of(pdf) == ["here"]
    assert dict(PdfReader(io.BytesIO(pdf)).attachments) == {}


def test_without_it_a_sentence_says_what_to_install(monkeypatch):
    assert why_no_pdf() == ""

    def missing(name):
        raise OSError("cannot load library 'libpango-1.0-0'")

    monkeypatch.setattr("ivfhir.pdf.importlib.import_module", missing)
    assert "libpango" in why_no_pdf()
    with pytest.raises(SettingsError, match="ivfhir"):
        to_pdf("<p>x")
