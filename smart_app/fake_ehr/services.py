"""What every request of the simulated EHR needs."""

from collections.abc import Callable
from dataclasses import dataclass

import requests
from flask import current_app

from ivfhir.servers.http import HttpRepository
from smart_app.fake_ehr.config import FakeEhrSettings
from smart_app.fake_ehr.faults import Faults
from smart_app.fake_ehr.grants import Grants
from smart_app.fake_ehr.identity import Identity
from smart_app.fake_ehr.sample_patients import SUMMARIES
from smart_app.smart.sign_in import human_name


@dataclass(frozen=True)
class ListedPatient:
    """A patient as the EHR's list shows them."""

    id: str
    name: str
    birth_date: str
    gender: str
    deceased: bool
    summary: str


@dataclass(frozen=True)
class FakeEhr:
    """The parts of a simulated EHR; its users are signed in since `opened_at`."""

    settings: FakeEhrSettings
    faults: Faults
    grants: Grants
    identity: Identity
    upstream: requests.Session
    clock_s: Callable[[], float]
    opened_at: int

    def patients(self) -> list[ListedPatient]:
        """Return the FHIR server's patients: the samples first, then the others by name.

        Raises:
            ServerError: the FHIR server does not answer.
        """
        repository = HttpRepository(self.settings.fhir_upstream, session=requests.Session())
        order = list(SUMMARIES)
        listed = [
            ListedPatient(
                id=patient["id"],
                name=human_name(patient) or "No name",
                birth_date=patient.get("birthDate", "unknown"),
                gender=patient.get("gender", "unknown"),
                deceased=bool(patient.get("deceasedDateTime") or patient.get("deceasedBoolean")),
                summary=SUMMARIES.get(patient["id"], ""),
            )
            for patient in repository.search("Patient", {})
        ]
        return sorted(
            listed,
            key=lambda each: (order.index(each.id) if each.id in order else len(order), each.name),
        )


def ehr() -> FakeEhr:
    """Return the parts of the current simulated EHR."""
    found: FakeEhr = current_app.extensions["fake_ehr"]
    return found
