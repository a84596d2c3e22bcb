"""A plan waits behind another of its patient, and its clinician signs out in another window."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from ivfhir.servers.http import HttpRepository
from smart_app.outbox_worker import Sent, send_due
from tests.smart_app.conftest import RunningEhr, running_samples
from tests.smart_app.pages.conftest import Clinician
from tests.smart_app.pages.test_routes_write import plans_of
from tests.smart_app.pages.wording import wrong_words
from tests.smart_app.test_outbox_worker import relaunch, sign_out, state_of, store_of


@pytest.fixture
def fhir_server() -> Iterator[str]:
    """Base URL of a FHIR server with one sample patient, of this test's own."""
    with running_samples("halloran") as base:
        yield base


@pytest.fixture
def behind(clinician: Clinician, fake_ehr: RunningEhr) -> str:
    """A draft, and a plan of the same patient that was accepted before and waits."""
    first, second = clinician.make_draft(), clinician.make_draft()
    fake_ehr.fail("status-503", method="POST", path=".*")
    assert clinician.accept(first).status_code == 303
    return second


@pytest.fixture(params=["revoked", "not revoked"])
def revocation(request: pytest.FixtureRequest, fake_ehr: RunningEhr, behind: str) -> str:
    """The same draft; at the sign-out the EHR ends the access, or fails to."""
    if request.param == "not revoked":
        fake_ehr.fail("revocation-500", times=None)
    return behind


@pytest.fixture
def signing_out(
    app: Flask, clinician: Clinician, revocation: str, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """The page of the sign-out, which comes while the plan waits and the other one is dropped."""
    pages: list[str] = []

    def meanwhile(*_: object) -> None:
        [first] = [each for each in store_of(app).outbox() if each.draft_id != revocation]
        store_of(app).drop_entry(first.entry.id)
        pages.append(sign_out(clinician))

    monkeypatch.setattr("smart_app.visit.accepting._wait_in_line", meanwhile)
    return pages


def test_a_plan_is_not_sent_once_its_clinician_has_signed_out(
    app: Flask,
    clinician: Clinician,
    upstream: HttpRepository,
    signing_out: list[str],
    behind: str,
) -> None:
    answer = clinician.accept(behind)
    assert "has forgotten its access to this record" in signing_out[0]
    assert answer.status_code == 401
    assert "nothing was sent now" in answer.text
    assert "waits for your sign-in" in answer.text
    assert wrong_words(answer.text) == []
    assert plans_of(upstream, behind) == []
    assert state_of(app, behind) == "waiting-for-sign-in"
    assert "access_token" not in store_of(app).reload_launch(clinician.launched.launch_id).body


@pytest.mark.usefixtures("signing_out")
def test_it_is_sent_when_the_clinician_opens_the_app_again(
    app: Flask, clinician: Clinician, behind: str, launch_for: Callable[..., object]
) -> None:
    clinician.accept(behind)
    assert send_due(app) == Sent()
    relaunch(app, launch_for, "halloran")
    assert send_due(app) == Sent(delivered=1)
