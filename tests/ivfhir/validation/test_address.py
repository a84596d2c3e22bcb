"""A resource is read from its address as the server wrote it, faults and all."""

import pytest

from ivfhir.errors import NotFoundError, UsageError
from ivfhir.validation.address import base_of, is_address, read_address
from tests.servers.raw_server import http_answer, raw_server

TEXT = '{\n  "resourceType": "Patient", "id": "p", "gender": null }'


def test_the_text_is_the_servers_own():
    def answer(connection, request):
        assert request.startswith(b"GET /fhir/Patient/p ")
        assert b"Authorization: Bearer t" in request
        connection.sendall(http_answer(TEXT.encode(), "Content-Type: application/fhir+json"))

    with raw_server(answer) as base:
        assert read_address(f"{base}/fhir/Patient/p", token="t") == TEXT


def test_what_is_not_there_is_said():
    with (
        raw_server(lambda c, _: c.sendall(http_answer(b"", status="404 No"))) as base,
        pytest.raises(NotFoundError),
    ):
        read_address(f"{base}/Patient/p")


@pytest.mark.parametrize(
    "url",
    [
        "https://h/fhir",
        "https://h/fhir/Patient",
        "https://h/fhir/Patient?name=x",
        "https://u:p@h/fhir/Patient/p",
        "https://h/fhir/Patient/p/_history/2",
        "https://h/fhir/Patient/p\n",
    ],
)
def test_an_address_of_no_resource_is_refused(url):
    with pytest.raises(UsageError, match="/Type/ID"):
        base_of(url)


def test_addresses_are_told_from_paths():
    assert is_address("HTTPS://h/Patient/p")
    assert not is_address("http.json")
    assert base_of("https://h/fhir/Patient/p") == "https://h/fhir/"
