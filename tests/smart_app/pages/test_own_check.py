"""What the app made and is not valid FHIR never reaches the EHR: it is kept, and it is said."""

import json
from collections.abc import Callable, Iterator
from html import unescape

import pytest
from flask import Flask

from smart_app.services import AppServices
from smart_app.visit import accepting
from tests.smart_app.conftest import RunningEhr, running_samples
from tests.smart_app.pages.conftest import Clinician
from tests.smart_app.pages.wording import wrong_words


@pytest.fixture
def fhir_server() -> Iterator[str]:
    """Base URL of a FHIR server of this test's own."""
    with running_samples("halloran") as base:
        yield base


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Let the app make a mistake in the plan's goals."""
    made = accepting.to_transaction

    def wrong(*args: object, **more: object) -> dict[str, object]:
        bundle = made(*args, **more)
        for entry in bundle["entry"]:
            if entry["resource"]["resourceType"] == "Goal":
                entry["resource"]["lifecycleStatus"] = "wished"
        return bundle

    monkeypatch.setattr(accepting, "to_transaction", wrong)
    return monkeypatch


def test_the_page_says_so_the_row_stays_and_nothing_is_sent(
    app: Flask, clinician: Clinician, fake_ehr: RunningEhr, broken: pytest.MonkeyPatch
) -> None:
    draft_id = clinician.make_draft()
    answer = clinician.accept(draft_id)
    page = unescape(clinician.open(answer.headers["Location"]).text)
    assert "Not written: the app's own check stopped it" in page
    assert "That is a fault of the app" in page
    assert "Your draft is kept" in page
    assert "What the app's own check found" in page
    assert "Goal.lifecycleStatus is" in page
    assert wrong_words(page) == []
    services: AppServices = app.extensions["ivfhir"]
    kept = services.store.waiting_of(draft_id)
    assert kept is not None
    assert kept.entry.state == "parked"
    assert kept.said["by"] == "ivfhir"
    assert "Goal.lifecycleStatus" in json.dumps(kept.said["outcome"])
    broken.undo()
    answer = clinician.accept(draft_id)
    assert "Written: 48 of 48" in clinician.open(answer.headers["Location"]).text


def test_what_would_be_given_as_files_is_asked_before_it_is_accepted(
    app: Flask,
    clinician_for: Callable[[str], Clinician],
    fake_ehr: RunningEhr,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake_ehr.fail("read-only")
    clinician = clinician_for("halloran")
    draft_id = clinician.make_draft()
    made = accepting.accept

    def wrong(*args: object, **more: object) -> dict[str, object]:
        return made(*args, **more) | {"status": "wished"}

    monkeypatch.setattr(accepting, "accept", wrong)
    answer = clinician.accept(draft_id)
    assert answer.status_code == 500
    page = unescape(answer.text)
    assert "What the app made is not valid FHIR" in page
    assert "What the app's own check found" in page
    assert "CarePlan.status is 'wished'" in page
    assert wrong_words(answer.text) == []
    services: AppServices = app.extensions["ivfhir"]
    assert services.store.load_receipt(clinician.launched.launch_id, draft_id) is None
    monkeypatch.undo()
    assert clinician.accept(draft_id).status_code == 303
