"""What the pages are tested with: a clinician at a browser, the sample patients' answers."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from ivfhir.evaluate import evaluate
from ivfhir.expressions.values import Date, DateTime
from ivfhir.fhir.json import loads
from ivfhir.knowledge.load import load_protocol
from ivfhir.plan import draft_plan
from ivfhir.read import PatientRecord, read_record
from ivfhir.servers.http import HttpRepository
from ivfhir.servers.memory import MemoryRepository
from ivfhir.writing.read_back import reference_of
from smart_app.fake_ehr.sample_patients import FOLDER
from smart_app.pages.facts import FactWriter
from smart_app.pages.protocol_card import ProtocolCard, read_card
from smart_app.store import Store
from smart_app.visit.draft import DraftContent, PlanRequest
from tests.smart_app.conftest import Launched, RunningEhr

AS_OF = "2025-03-03T23:59:59.999+00:00"


@dataclass(frozen=True)
class Sample:
    """A sample patient on 3 March 2025, with the answers and the card of LUNG."""

    record: PatientRecord
    decision: dict[str, Any]
    writer: FactWriter
    card: ProtocolCard

    @property
    def entry(self) -> dict[str, Any]:
        """The Decision's entry of LUNG."""
        return self.decision["protocols"][0]

    def care_plan(self, start: str = "2025-03-10", **parameters: int) -> dict[str, Any]:
        """Return the draft CarePlan."""
        return draft_plan(
            load_protocol("LUNG"),
            self.record,
            as_of=DateTime.parse(AS_OF),
            start=Date.parse(start),
            parameters=parameters,
        )


@cache
def sample(name: str) -> Sample:
    """Return a sample patient by name; its dates as they were written."""
    text = next(FOLDER.glob(f"{name}-*.json")).read_text(encoding="utf-8")
    resources = [entry["resource"] for entry in loads(text, place=name)["entry"]]
    protocol = load_protocol("LUNG")
    record = read_record(MemoryRepository(resources), name, protocol.resource_types)
    decision = evaluate(record, [protocol], as_of=DateTime.parse(AS_OF)).to_json()
    by_reference = {reference_of(each): each for each in (record.patient, *record.resources)}
    writer = FactWriter(by_reference, lambda reference: f"/record/{reference}")
    return Sample(record, decision, writer, read_card(protocol.plan_definition, "LUNG"))


def content_of(patient: Sample, **given: Any) -> DraftContent:
    """Return what a draft of a sample patient holds; `given` stands in the place of its own."""
    held = {
        "care_plan": patient.care_plan("2025-03-03"),
        "decision": patient.entry,
        "as_of": patient.decision["asOf"],
        "subject": patient.decision["patient"],
        "patient": patient.record.patient,
        "more": (),
        "read_at": datetime.fromisoformat(AS_OF),
        "entries": len(patient.record.resources),
        "request": PlanRequest({}, ""),
        "warnings": (),
        "expiring": (),
        "versions": {},
        "earlier": (),
    }
    return DraftContent(**{**held, **given})


@pytest.fixture
def repository(fhir_server: str) -> HttpRepository:
    """The FHIR server behind the EHR, spoken to directly."""
    return HttpRepository(fhir_server, session=requests.Session())


@pytest.fixture
def upstream(fake_ehr: RunningEhr) -> HttpRepository:
    """The server behind the EHR, whatever the EHR does."""
    return HttpRepository(fake_ehr.settings.fhir_upstream, session=requests.Session())


@dataclass(frozen=True)
class Clinician:
    """A clinician at a browser that holds a launch."""

    client: FlaskClient
    launched: Launched
    protocol: str = "LUNG"

    def open(self, page: str) -> TestResponse:
        """Open a page of the launch, or a path."""
        path = page if page.startswith("/") else self.launched.url(page)
        return self.client.get(path, follow_redirects=True)

    def send(self, page: str, fields: dict[str, str], *, token: str | None = None) -> TestResponse:
        """Send a form to a page, with the token of the launch."""
        path = page if page.startswith("/") else self.launched.url(page)
        token = token or csrf_token(self.client.get(self.launched.url(f"plan/{self.protocol}")))
        return self.client.post(path, data={"_csrf": token, **fields})

    def make_draft(self, **fields: str) -> str:
        """Keep the proposed plan as a draft and return its id; a reason is the tumour board's."""
        if "override-reason" in fields:
            fields = {"override-kind": "tumour-board", **fields}
        answer = self.send(f"plan/{self.protocol}", {"next": "review", **fields})
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"].rpartition("/")[2]

    def accept(self, draft_id: str, **fields: str) -> TestResponse:
        """Confirm a draft; the answer is not followed."""
        page = self.open(f"review/{draft_id}")
        version = re.search(r'name="version" value="(\d+)"', page.text)
        given = {"confirm": "yes", "version": version.group(1) if version else "1", **fields}
        return self.send(f"review/{draft_id}", given, token=csrf_token(page))


def csrf_token(answer: TestResponse) -> str:
    """Return the token in a page's form."""
    found = re.search(r'name="_csrf" value="([^"]+)"', answer.text)
    assert found, answer.text[:500]
    return found.group(1)


@pytest.fixture
def clinician_for(
    client: FlaskClient, launch_for: Callable[..., Launched]
) -> Callable[[str], Clinician]:
    """A function that opens the app for a patient."""
    return lambda patient: Clinician(client, launch_for(client, patient))


@pytest.fixture
def clinician(clinician_for: Callable[[str], Clinician]) -> Clinician:
    """A clinician who opened the app for the eligible patient."""
    return clinician_for("halloran")


def when_accepted(store: Store, act: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let something happen between the acceptance and the sending."""
    accepted = store.accept_draft

    def and_then(*words: Any, **more: Any) -> bool:
        act()
        return bool(accepted(*words, **more))

    monkeypatch.setattr(store, "accept_draft", and_then)
