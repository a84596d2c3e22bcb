"""Origins, and which URLs may be trusted."""

import pytest

from smart_app.urls import is_loopback, is_trustworthy, origin_of


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://ehr.example/fhir", "https://ehr.example"),
        ("https://ehr.example:443/", "https://ehr.example"),
        ("http://EHR.example:8080/x?y#z", "http://ehr.example:8080"),
        ("http://[::1]:80/", "http://[::1]"),
        ("https://ehr.example:99999/", ""),
        ("ftp://ehr.example", ""),
        ("https://", ""),
        ("/path", ""),
    ],
)
def test_origins(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    ("url", "trusted"),
    [
        ("https://ehr.example/fhir", True),
        ("http://127.0.0.1:8000", True),
        ("http://localhost", True),
        ("http://app.localhost", True),
        ("http://[::1]", True),
        ("http://ehr.example", False),
        ("http://localhost.evil.example", False),
        ("https://user:secret@ehr.example", False),
        ("https://ehr.example/#part", False),
        ("javascript:alert(1)", False),
    ],
)
def test_trust(url: str, trusted: bool) -> None:
    assert is_trustworthy(url) is trusted


def test_loopback_is_this_machine_only() -> None:
    assert is_loopback("http://127.8.8.8/")
    assert not is_loopback("http://10.0.0.1/")
