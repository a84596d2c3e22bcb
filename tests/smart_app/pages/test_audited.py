"""What a clinician does to a plan stands in the audit trail."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from tests.smart_app.conftest import RunningEhr, running_samples
from tests.smart_app.pages.conftest import Clinician, csrf_token


@pytest.fixture
def fhir_server() -> Iterator[str]:
    """Base URL of a FHIR server with three sample patients, of this test's own."""
    with running_samples("halloran", "duarte", "sato") as base:
        yield base


def done(app: Flask, draft_id: str) -> list[tuple[str, str]]:
    """Return event and outcome of what was done to a draft, opening apart, in order."""
    told = [event.content for event in app.extensions["ivfhir"].store.events()]
    return [
        (each["event"], each["outcome"])
        for each in told
        if each.get("draft") == draft_id and each["event"] != "open"
    ]


def test_a_signature_an_override_and_the_write_are_kept_in_order(
    clinician_for: Callable[[str], Clinician], app: Flask
) -> None:
    clinician = clinician_for("duarte")
    draft_id = clinician.make_draft(**{"override-reason": "Platelets are given before."})
    clinician.accept(draft_id)
    assert done(app, draft_id) == [
        ("sign", "success"),
        ("override", "success"),
        ("write", "success"),
    ]
    store = app.extensions["ivfhir"].store
    assert all("Platelets" not in str(event.content) for event in store.events())
    assert store.prove_trail().breaks == []


def test_a_write_that_fails_is_kept_as_failed(
    clinician: Clinician, app: Flask, fake_ehr: RunningEhr
) -> None:
    draft_id = clinician.make_draft()
    fake_ehr.fail("status-403", method="POST")
    clinician.accept(draft_id)
    assert done(app, draft_id) == [("sign", "success"), ("write", "failure")]


def test_a_discarded_draft_is_kept_as_discarded(clinician: Clinician, app: Flask) -> None:
    draft_id = clinician.make_draft()
    page = clinician.open(f"discard/{draft_id}")
    clinician.send(f"discard/{draft_id}", {"version": "1"}, token=csrf_token(page))
    assert done(app, draft_id) == [("discard", "success")]
