"""A FHIR server that answers each request after a fixed time, and tells when it was busy for whom.

`python -m benchmarks.load.slow_fhir PORT`. It knows as many patients as are asked for: copies of
two sample patients. It stands for the time that an EHR takes, not for its behaviour.
"""

import asyncio
import json
import sys
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qs

import uvicorn

from ivfhir.fhir.json import dumps
from smart_app.fake_ehr.sample_patients import sample_bundles

ANSWER_S = 0.05
"""Seconds until an answer."""

_TEMPLATES = ("halloran", "lindqvist")

Message = MutableMapping[str, Any]


class SlowFhir:
    """The server, as an ASGI application.

    `GET /fhir/busy/ID` gives the intervals in which it worked on the patient since it was last
    asked, as seconds of the machine's monotonic clock.
    """

    def __init__(self) -> None:
        """Hold nothing yet."""
        self._busy: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)

    async def __call__(
        self,
        scope: Message,
        _receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """Answer one request."""
        steps = scope["path"].strip("/").split("/")[1:]
        if steps[0] == "busy":
            body = json.dumps(self._busy.pop(steps[1], [])).encode()
        else:
            started = time.monotonic()
            await asyncio.sleep(ANSWER_S)
            query = parse_qs(scope["query_string"].decode())
            patient, body = _answer(steps, query)
            self._busy[patient].append((started, time.monotonic()))
        headers = [(b"content-type", b"application/fhir+json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _answer(steps: list[str], query: dict[str, list[str]]) -> tuple[str, bytes]:
    """Return the patient that a request is about, '' for none, and the body of the answer."""
    if steps == ["metadata"]:
        return "", _capabilities()
    if len(steps) == 2:
        kind, resource_id = steps
        if kind == "Patient":
            return resource_id, _search("Patient", resource_id)[0]
        return "", dumps({"resourceType": kind, "id": resource_id}).encode()
    patient = query.get("patient", [""])[0].rpartition("/")[2]
    found = b",".join(b'{"resource":' + each + b"}" for each in _search(steps[0], patient))
    return patient, b'{"resourceType":"Bundle","type":"searchset","entry":[' + found + b"]}"


@cache
def _capabilities() -> bytes:
    statement = {
        "resourceType": "CapabilityStatement",
        "fhirVersion": "4.0.1",
        "rest": [{"mode": "server", "interaction": [{"code": "transaction"}]}],
    }
    return dumps(statement).encode()


def _search(kind: str, patient: str) -> list[bytes]:
    """Return the patient's resources of a type: those of a sample patient, under this id."""
    name = _TEMPLATES[sum(patient.encode()) % len(_TEMPLATES)]
    return [text.replace(name.encode(), patient.encode()) for text in _templates()[name, kind]]


@cache
def _templates() -> defaultdict[tuple[str, str], list[bytes]]:
    found: defaultdict[tuple[str, str], list[bytes]] = defaultdict(list)
    for bundle in sample_bundles(datetime.now(UTC).date()):
        resources = [entry["resource"] for entry in bundle["entry"]]
        name = next(each["id"] for each in resources if each["resourceType"] == "Patient")
        if name in _TEMPLATES:
            for each in resources:
                found[name, each["resourceType"]].append(dumps(each).encode())
    return found


if __name__ == "__main__":
    uvicorn.run(SlowFhir(), host="127.0.0.1", port=int(sys.argv[1]), log_level="error")
