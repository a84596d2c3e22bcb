"""A patient on a server, small plans in a folder, and `ivfhir sync` between them."""

import json
from contextlib import redirect_stderr, redirect_stdout
from copy import deepcopy
from io import StringIO
from pathlib import Path
from typing import Any

import requests

from ivfhir.cli.main import main

MRN = {"system": "https://hospital.example/mrn", "value": "4711"}
CANONICAL = "https://example.org/PlanDefinition/P|1"
PLAN: dict[str, Any] = {
    "resourceType": "CarePlan",
    "identifier": [{"system": "https://example.org/plans", "value": "one"}],
    "instantiatesCanonical": [CANONICAL],
    "status": "draft",
    "intent": "proposal",
    "title": "A plan",
    "created": "2025-03-03T10:00:00+01:00",
    "subject": {"reference": "Patient/p"},
    "goal": [{"reference": "#goal"}],
    "activity": [{"reference": {"reference": "#group"}}],
    "contained": [
        {
            "resourceType": "RequestGroup",
            "id": "group",
            "status": "draft",
            "intent": "proposal",
            "subject": {"reference": "Patient/p"},
            "action": [{"title": "Look", "resource": {"reference": "#look"}}],
        },
        {
            "resourceType": "ServiceRequest",
            "id": "look",
            "status": "draft",
            "intent": "proposal",
            "subject": {"reference": "Patient/p"},
            "basedOn": [{"reference": "#"}],
            "code": {"text": "Look"},
        },
        {
            "resourceType": "Goal",
            "id": "goal",
            "lifecycleStatus": "proposed",
            "description": {"text": "No harm"},
            "subject": {"reference": "Patient/p"},
        },
    ],
}


def small(**changes: Any) -> dict[str, Any]:
    """Return the plan with some elements changed; None takes one away."""
    plan = deepcopy(PLAN) | changes
    return {name: value for name, value in plan.items() if value is not None}


def named(value: str, **changes: Any) -> dict[str, Any]:
    """Return the plan under another identifier."""
    identifier = [{"system": "https://example.org/plans", "value": value}]
    return small(identifier=identifier, **changes)


def put(base: str, resource: dict[str, Any]) -> dict[str, Any]:
    """Store a resource under its id."""
    url = f"{base}/{resource['resourceType']}/{resource['id']}"
    answer = requests.put(url, json=resource, timeout=60)
    answer.raise_for_status()
    return dict(answer.json())


def patient(base: str, patient_id: str = "p", **more: Any) -> None:
    """Register the patient."""
    put(base, {"resourceType": "Patient", "id": patient_id, "identifier": [MRN], **more})


def stored(base: str, kind: str, **params: str) -> list[dict[str, Any]]:
    """Return what a server has of a type, as it says now."""
    headers = {"Cache-Control": "no-cache"}
    query = {"_count": "200", **params}
    page = requests.get(f"{base}/{kind}", params=query, headers=headers, timeout=60).json()
    return [entry["resource"] for entry in page.get("entry", ())]


def run(*words: str | Path) -> tuple[int, Any, str]:
    """Run the command and return its exit code, its JSON and its sentence."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(["sync", *map(str, words), "--format", "json"])
    text = out.getvalue()
    return code, json.loads(text) if text else None, err.getvalue()


def results(folder: Path, base: str, *more: str) -> list[str]:
    """Return the results of a sync of a folder, one a plan."""
    _, rows, sentence = run(folder, "--to", base, *more)
    assert rows is not None, sentence
    return [row["result"] for row in rows]


def write(folder: Path, name: str, resource: Any) -> None:
    """Write a file of the input."""
    (folder / f"{name}.json").write_text(json.dumps(resource))
