"""What is below a FHIR base, and what only looks so."""

import pytest

from ivfhir.errors import UsageError
from ivfhir.servers.base_address import BaseAddress

BASE = "https://ehr.example/tenant-a/fhir"


@pytest.mark.parametrize(
    "url",
    [
        BASE,
        f"{BASE}/",
        f"{BASE}?_getpages=1&_pagesoffset=200",
        f"{BASE}/Condition?patient=p&page=2",
        f"{BASE}/Condition/_search?x=..%2f..",
        "https://EHR.example:443/tenant-a/fhir/Condition",
    ],
)
def test_the_base_and_what_is_below_it_is_asked(url: str) -> None:
    assert BaseAddress(BASE).holds(url)
    assert BaseAddress(f"{BASE}/").holds(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://ehr.example/tenant-b/fhir/Condition?patient=p",
        "https://ehr.example/tenant-a/fhir2/Condition",
        "https://ehr.example/tenant-a/fhirCondition",
        "https://ehr.example/",
        "https://ehr.example",
        "https://ehr.example/TENANT-A/fhir/Condition",
        f"{BASE}/../../tenant-b/fhir/Condition",
        f"{BASE}/%2e%2e/%2E%2E/tenant-b/fhir",
        f"{BASE}/..%2f..%2ftenant-b/fhir",
        f"{BASE}/..%5c..%5ctenant-b",
        f"{BASE}/%252e%252e/x",
        f"{BASE}/..;/..;/tenant-b/fhir",
        f"{BASE}/..%3b/x",
        f"{BASE}//evil.example/x",
        f"{BASE}/./Condition",
        f"{BASE}\\..\\tenant-b",
        f"{BASE}/Condition\r\nX: y",
        f"{BASE}/a b",
        "https://ehr.example/tenant-a//fhir/Condition",
        "https://user:pw@ehr.example/tenant-a/fhir/Condition",
        "https://ehr.example@evil.example/tenant-a/fhir",
        "https://ehr.example.evil.example/tenant-a/fhir",
        "https://ehr.example:8443/tenant-a/fhir/Condition",
        "http://ehr.example/tenant-a/fhir/Condition",
        "//ehr.example/tenant-a/fhir",
        "https://[bad/tenant-a/fhir",
        "",
    ],
)
def test_what_is_beside_above_or_in_disguise_is_not(url: str) -> None:
    assert not BaseAddress(BASE).holds(url)


def test_a_base_without_path_holds_its_whole_origin() -> None:
    assert BaseAddress("https://ehr.example").holds("https://ehr.example/Condition")
    assert not BaseAddress("https://ehr.example").holds("https://ehr.example//x")


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("?page=2", f"{BASE}/?page=2"),
        ("Condition?page=2", f"{BASE}/Condition?page=2"),
        ("/tenant-b/fhir", "https://ehr.example/tenant-b/fhir"),
        ("https://[bad", None),
        ("a b", None),
    ],
)
def test_links_are_read_from_the_base(link: str, url: str | None) -> None:
    assert BaseAddress(BASE).join(link) == url


def test_a_base_with_a_name_and_password_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no name or password"):
        BaseAddress("https://user:pw@ehr.example/fhir")


@pytest.mark.parametrize("url", [f"{BASE}?apikey=secret", f"{BASE}/?", f"{BASE}#top"])
def test_an_address_with_a_query_or_a_fragment_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(UsageError, match="no query and no fragment") as caught:
        BaseAddress(url)
    assert "secret" not in str(caught.value)
