"""What a FHIR server says of resources: http://hl7.org/fhir/R4/resource-operation-validate.html.

Several are asked about at once, each in an exchange that ends in time and in size. A server that
fails is told of once, whatever the number of resources; what it did not check is ours alone.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock, local

import requests

from ivfhir.errors import (
    BadAnswerError,
    ForbiddenError,
    ServerError,
    UnauthorisedError,
)
from ivfhir.fhir.types import Json, Resource
from ivfhir.servers.base_address import BaseAddress
from ivfhir.servers.http import LONGEST_PAUSE_S, MAX_TRIES, HttpRepository
from ivfhir.servers.limits import MEBIBYTE, Limits
from ivfhir.validation.issue import Issue
from ivfhir.validation.outcomes import issues_of, outcome_in
from ivfhir.validation.structure import resource_definition

CONNECTIONS = 4
WITHIN_S = 60.0
"""Seconds for the whole answer about one resource."""
LIMITS = Limits(total_s=WITHIN_S, answer_bytes=16 * MEBIBYTE, values=2_000_000)
GIVE_UP = 3
"""So many failures in a row, and the server is asked nothing more."""
OPERATION = "$validate"
PARAMETERS = "Parameters"
_INSIDE = "Parameters.parameter[0].resource"
_ANSWERS = (400, 412, 422)
"""With these and an outcome, servers tell that a resource is wrong."""
_UNKNOWN = (404, 405, 410, 501)
_BUSY = (429, 503)

Answer = Callable[[], list[Issue] | None]
"""Waits for an answer; None where there is none."""


class ServerValidator:
    """Asks one server about resources; a context manager, at whose end its threads are over.

    Nothing but the resources that `ask` is given is sent, to that server alone: redirects are not
    followed. A request may be sent again (429, 503): `$validate` changes nothing.
    """

    def __init__(
        self,
        base_url: str,
        *,
        token: str | None = None,
        limits: Limits = LIMITS,
        connections: int = CONNECTIONS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Remember the server; nothing is sent yet.

        Args:
            base_url: `https://host/path`.
            token: OAuth bearer token, None for an open server.
            limits: of the answer about one resource.
            connections: so many are asked about at once, at least 1.
            sleep: waits for so many seconds.

        Raises:
            UsageError: `base_url` is no http address, or the token cannot be one.
        """
        BaseAddress(base_url)
        HttpRepository(base_url, token=token)
        self.ahead = 2 * connections
        self._base_url, self._token, self._limits = base_url, token, limits
        self._sleep = sleep
        self._pool = ThreadPoolExecutor(connections, thread_name_prefix="validate")
        self._own = local()
        self._sessions: list[requests.Session] = []
        self._lock = Lock()
        self._asked = self._answered = self._in_a_row = 0
        self._unknown: set[str] = set()
        self._failure: ServerError | None = None
        self._over = False

    def __enter__(self) -> "ServerValidator":
        """Return this."""
        return self

    def __exit__(self, *_: object) -> None:
        """Ask nothing more, and wait for what is under way."""
        self._over = True
        self._pool.shutdown(cancel_futures=True)
        for session in self._sessions:
            session.close()

    def ask(self, raw: Json) -> Answer:
        """Begin to ask about a resource.

        Args:
            raw: parsed JSON. What is no resource of R4 is not sent: no server has a place for it.

        Returns:
            What waits for the answer.
        """
        definition = resource_definition(raw)
        if definition is None or not isinstance(raw, dict):
            return lambda: None
        return self._pool.submit(self._answer, raw, definition.name).result

    def shortfall(self) -> str | None:
        """Return a sentence on what the server did not check, None where that is nothing."""
        with self._lock:
            missing = self._asked - self._answered
            if not missing:
                return None
            were = "resource was" if self._asked == 1 else "resources were"
            alone = f"{missing} of {self._asked} {were} checked by ivfhir alone."
            if self._failure is not None:
                return f"{self._failure.message} So {alone}"
            of = "" if not self._answered else f" of {', '.join(sorted(self._unknown))}"
            return f"The server does not know {OPERATION}{of}; {alone}"

    @property
    def failure(self) -> ServerError | None:
        """The first failure of the server, None where it answered or just lacks the operation."""
        return self._failure

    def _answer(self, raw: Resource, resource_type: str) -> list[Issue] | None:
        with self._lock:
            self._asked += 1
            if self._over or resource_type in self._unknown:
                return None
        inside = _INSIDE if resource_type == PARAMETERS else ""
        body = raw if not inside else _wrapped(raw)
        try:
            outcome = self._outcome(f"{resource_type}/{OPERATION}", body)
        except ServerError as error:
            found = _said_in(error)
            if found is None:
                self._note(error, resource_type)
                return None
            outcome = found
        with self._lock:
            self._answered += 1
            self._in_a_row = 0
        return issues_of(outcome, raw, inside=inside)

    def _outcome(self, path: str, body: Resource) -> Resource:
        tries = 0
        while True:
            try:
                answer = self._repository().operation(path, body)
            except ServerError as error:
                tries += 1
                pause_s = error.retry_after_s if error.retry_after_s is not None else 2.0**tries / 2
                if tries == MAX_TRIES or error.status not in _BUSY or pause_s > LONGEST_PAUSE_S:
                    raise
                self._sleep(pause_s)
                continue
            outcome = outcome_in(answer)
            if outcome is None:
                raise BadAnswerError(
                    f"The server answered {OPERATION} with something else than an "
                    "OperationOutcome; check that the address is that of a FHIR R4 server."
                )
            return outcome

    def _repository(self) -> HttpRepository:
        """Return a repository with limits of its own, over this thread's connection."""
        if not hasattr(self._own, "session"):
            self._own.session = requests.Session()
            with self._lock:
                self._sessions.append(self._own.session)
        return HttpRepository(
            self._base_url,
            token=self._token,
            read_timeout_s=WITHIN_S,
            session=self._own.session,
            limits=self._limits,
        )

    def _note(self, error: ServerError, resource_type: str) -> None:
        with self._lock:
            if _is_unknown(error):
                self._unknown.add(resource_type)
                return
            self._failure = self._failure or error
            self._in_a_row += 1
            barred = isinstance(error, UnauthorisedError | ForbiddenError)
            self._over = self._over or barred or self._in_a_row >= GIVE_UP


def _wrapped(raw: Resource) -> Resource:
    """Return Parameters that hold a resource: Parameters themselves could be taken for these."""
    return {"resourceType": PARAMETERS, "parameter": [{"name": "resource", "resource": raw}]}


def _said_in(error: ServerError) -> Resource | None:
    """Return the outcome of a refusal that says what is wrong with the resource."""
    if error.outcome is None or error.status not in _ANSWERS or _is_unknown(error):
        return None
    return error.outcome if error.outcome.get("issue") else None


def _is_unknown(error: ServerError) -> bool:
    """Tell whether the server lacks the operation, or the type."""
    rows = (error.outcome or {}).get("issue")
    told = [each for each in rows if isinstance(each, dict)] if isinstance(rows, list) else []
    unsupported = any(each.get("code") == "not-supported" for each in told)
    return error.status in _UNKNOWN or (unsupported and error.status in (400, 403, 422, 500))
