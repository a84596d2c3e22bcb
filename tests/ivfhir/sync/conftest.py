"""A patient of a test's own on HAPI, and a folder of plans."""

import json
import re
from dataclasses import dataclass

import pytest
import requests

from tests.ivfhir.sync.scene import named, patient, put, stored


@dataclass
class Clinic:
    """A patient of a test's own on HAPI, which can search every type by identifier."""

    base: str
    name: str

    def plan(self, value, **changes):
        text = json.dumps(named(f"{self.name}-{value}", **changes))
        return json.loads(text.replace("Patient/p", f"Patient/{self.name}"))

    def stored(self, kind):
        return stored(self.base, kind, patient=f"Patient/{self.name}")


@pytest.fixture
def clinic(hapi, request):
    name = "door-" + re.sub(r"[^a-z]", "-", request.node.name)[-40:].strip("-")
    put(hapi, {"resourceType": "Patient", "id": name})
    return Clinic(hapi, name)


@pytest.fixture
def plans(tmp_path):
    folder = tmp_path / "plans"
    folder.mkdir()
    return folder


@pytest.fixture
def base(sekmet):
    """A small server with the patient and no plan."""
    kinds = ("CarePlan", "RequestGroup", "ServiceRequest", "Goal")
    for kind in (*kinds, "MedicationRequest", "NutritionOrder"):
        for each in stored(sekmet, kind):
            requests.delete(f"{sekmet}/{kind}/{each['id']}", timeout=60).raise_for_status()
    patient(sekmet)
    return sekmet
