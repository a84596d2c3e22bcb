"""A FHIR server that answers each request after a fixed time, and holds what it is sent in memory.

`python -m benchmarks.sync.slow_fhir SECONDS` prints its base URL and ends with its input. It takes
transactions with If-None-Exist and If-Match, reads, and searches by `_id`, `identifier` and
`patient`. It stands for the time that a server far away takes, not for any server's behaviour.
"""

import asyncio
import json
import re
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import uvicorn

Message = MutableMapping[str, Any]
_NAME = re.compile(rb"urn:uuid:[0-9a-f-]{36}")
_STATEMENT = {
    "resourceType": "CapabilityStatement",
    "status": "active",
    "kind": "instance",
    "fhirVersion": "4.0.1",
    "format": ["json"],
    "software": {"name": "the slow server of the benchmark"},
    "rest": [{"mode": "server", "interaction": [{"code": "transaction"}]}],
}


class SlowFhir:
    """The server, as an ASGI application."""

    def __init__(self, answer_s: float) -> None:
        """Hold nothing yet."""
        self._answer_s = answer_s
        self._stored: dict[str, dict[str, Any]] = {}
        self._by: dict[tuple[str, str, str], dict[str, None]] = {}
        self._last = 0

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """Answer one request."""
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        await asyncio.sleep(self._answer_s)
        steps = scope["path"].strip("/").split("/")[1:]
        query = parse_qs(scope["query_string"].decode())
        status, answer = self.answer(scope["method"], steps, query, body)
        headers = [(b"content-type", b"application/fhir+json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    def answer(
        self, method: str, steps: list[str], query: dict[str, list[str]], body: bytes
    ) -> tuple[int, dict[str, Any]]:
        """Return status and body of the answer to a request.

        Args:
            method: of HTTP.
            steps: of the path below the base.
            query: the search.
            body: of the request.
        """
        if method == "POST" and not steps:
            return self._transaction(body)
        if method == "PUT":
            resource = json.loads(body)
            return 200, self._store(resource, "/".join(steps))
        if steps == ["metadata"]:
            return 200, _STATEMENT
        if len(steps) == 2:
            found = self._stored.get("/".join(steps))
            return (200, found) if found else (404, _outcome("not-found"))
        names = [name for name in ("_id", "identifier", "patient") if name in query]
        keys: dict[str, None] = {}
        for value in query[names[0]][0].split(","):
            if names[0] == "_id":
                keys |= (
                    {f"{steps[0]}/{value}": None} if f"{steps[0]}/{value}" in self._stored else {}
                )
            else:
                keys |= self._by.get((steps[0], names[0], value), {})
        entries = [{"resource": self._stored[key], "search": {"mode": "match"}} for key in keys]
        page = {"resourceType": "Bundle", "type": "searchset", "total": len(entries)}
        return 200, {**page, "entry": entries}

    def _transaction(self, body: bytes) -> tuple[int, dict[str, Any]]:
        places: dict[bytes, bytes] = {}
        answers: list[dict[str, Any]] = []
        created = []
        for entry in json.loads(body)["entry"]:
            key, status = entry["request"]["url"], "200"
            if entry["request"]["method"] == "POST":
                sought = entry["request"].get("ifNoneExist", "").removeprefix("identifier=")
                there = next(iter(self._by.get((key, "identifier", sought), ())), None)
                if there is None:
                    self._last += 1
                    key, status = f"{key}/{self._last}", "201"
                    created.append(len(answers))
                else:
                    key = there
                places[entry["fullUrl"].encode()] = key.encode()
            elif entry["request"].get("ifMatch") != _etag(self._stored[key]):
                return 412, _outcome("conflict")
            else:
                created.append(len(answers))
            answers.append({"response": {"status": status, "location": f"{key}/_history/1"}})
        named = json.loads(_NAME.sub(lambda name: places.get(name[0], name[0]), body))
        for number in created:
            place = answers[number]["response"]["location"].partition("/_history")[0]
            self._store(named["entry"][number]["resource"], place)
        return 200, {"resourceType": "Bundle", "type": "transaction-response", "entry": answers}

    def _store(self, resource: dict[str, Any], key: str) -> dict[str, Any]:
        kind, _, resource_id = key.partition("/")
        before = self._stored.get(key, {}).get("meta", {})
        version = int(before.get("versionId", "0")) + 1
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        meta = {**resource.get("meta", {}), "versionId": str(version), "lastUpdated": now}
        self._stored[key] = {**resource, "id": resource_id, "meta": meta}
        identifiers = [
            f"{each['system']}|{each['value']}" for each in resource.get("identifier", ())
        ]
        patient = resource.get("subject", {}).get("reference", "")
        for name, value in [("patient", patient), *(("identifier", each) for each in identifiers)]:
            self._by.setdefault((kind, name, value), {})[key] = None
        return self._stored[key]


def _etag(resource: dict[str, Any]) -> str:
    return f'W/"{resource["meta"]["versionId"]}"'


def _outcome(code: str) -> dict[str, Any]:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code}]}


def main(answer_s: float) -> None:
    """Serve until the input ends."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        config = uvicorn.Config(SlowFhir(answer_s), log_level="error", lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        print(f"http://127.0.0.1:{listener.getsockname()[1]}/fhir", flush=True)
        sys.stdin.read()
        server.should_exit = True
        thread.join(10)


if __name__ == "__main__":
    main(float(sys.argv[1]))
