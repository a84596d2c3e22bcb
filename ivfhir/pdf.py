"""HTML to PDF by WeasyPrint, which is an extra: nothing is fetched, and no clock is asked."""

import importlib
import threading
from typing import Any

from ivfhir.errors import SettingsError

_NEEDED = (
    "A readable document needs WeasyPrint and Pango: pip install 'ivfhir[sync]', and on Debian "
    "apt-get install libpango-1.0-0 libpangoft2-1.0-0."
)
_ONE_AT_A_TIME = threading.Lock()
"""Pango and fontconfig keep what they know of fonts in one place for all threads."""


def why_no_pdf() -> str:
    """Return what has to be installed before a PDF can be made, a sentence; '' for nothing."""
    return "" if _weasyprint() is not None else _NEEDED


def to_pdf(html: str) -> bytes:
    """Return the PDF of an HTML document; same HTML, fonts and version give same bytes.

    Raises:
        SettingsError: WeasyPrint, or the Pango library that it stands on, is not installed.
    """
    weasyprint = _weasyprint()
    if weasyprint is None:
        raise SettingsError(_NEEDED)
    with _ONE_AT_A_TIME:
        nowhere = importlib.import_module("weasyprint.urls").URLFetcher(allowed_protocols=())
        made: bytes = weasyprint.HTML(string=html, url_fetcher=nowhere).write_pdf()
    return made


def _weasyprint() -> Any:  # noqa: ANN401 - a module
    """Return the module; None where it, or a library that it loads, is missing."""
    try:
        return importlib.import_module("weasyprint")
    except (ImportError, OSError):
        return None
