"""The audit trail's events go to the EHR, where it allows that: after the answer, a few at a time.

No page waits for it. Each worker has one thread for it, and that only while there is something to
send. It uses the launch's own access token as it is: it renews none, and stops at the sign-out.

Source: https://profiles.ihe.net/ITI/BALP/ (Audit Creator), http://hl7.org/fhir/R4/http.html#ccreate
"""

import threading
from collections import OrderedDict

from flask import Flask, Response, g

from ivfhir.errors import (
    ForbiddenError,
    InvalidWriteError,
    IvfhirError,
    NotFoundError,
    RejectedError,
    ServerError,
)
from ivfhir.servers.http import HttpRepository
from ivfhir.writing.outgoing import check_outgoing
from smart_app.audit_event import AUDIT_SYSTEM, to_audit_event
from smart_app.services import AppServices
from smart_app.smart.scopes import AUDIT_EVENT, GrantedScopes
from smart_app.store.deliveries import REFUSED, SENT, DeliveryAccess, TrailEvent

BATCH = 10
_MOST_BATCHES = 5
_MOST_S = 20
"""Seconds that all answers of an EHR may take for one turn of a launch."""

_HOLD_S = 60
"""Seconds after which what a killed process was sending is due again; more than `_MOST_S`."""

_MOST_WAITING = 1000
_METHOD_NOT_ALLOWED = 405
_FOR_GOOD = (ForbiddenError, NotFoundError)


def goes_to_ehr(app: AppServices, iss: str, scope: str) -> bool:
    """Tell whether setting and granted scopes let the events of a launch go to its EHR."""
    ehr = app.settings.ehr_of(iss)
    if ehr is None or ehr.audit_to_ehr == "no":
        return False
    return GrantedScopes(scope).may(AUDIT_EVENT, "c")


class Courier:
    """Sends what is due for the launches that it is told of."""

    def __init__(self, app: AppServices) -> None:
        """Begin with nothing to do."""
        self._app = app
        self._lock = threading.Lock()
        self._launches: OrderedDict[str, None] = OrderedDict()
        self._thread: threading.Thread | None = None

    def wake(self, launch_id: str) -> None:
        """Let the events of a launch be sent soon; returns at once.

        What is too much stays due in the database.
        """
        with self._lock:
            if len(self._launches) >= _MOST_WAITING:
                return
            self._launches[launch_id] = None
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="audit", daemon=True)
                self._thread.start()

    def wait(self, *, timeout_s: float) -> None:
        """Wait until there is nothing more to do."""
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join(timeout_s)

    def _work(self) -> None:
        while (launch_id := self._next()) is not None:
            try:
                deliver(self._app, launch_id)
            except IvfhirError as error:
                self._app.log.warning("audit_delivery", error=type(error).__name__)
            except BaseException:
                with self._lock:
                    self._thread = None  # The next that wakes the courier begins anew.
                raise

    def _next(self) -> str | None:
        with self._lock:
            if not self._launches:
                self._thread = None
                return None
            return self._launches.popitem(last=False)[0]


def send_after_answers(app: Flask, services: AppServices) -> Courier:
    """Let the events of each launch that is used go to its EHR, after the app's answer."""
    courier = Courier(services)

    @app.after_request
    def after(response: Response) -> Response:
        launch = g.get("launch")
        if launch is not None and goes_to_ehr(services, launch.fhir_base, launch.scopes.text):
            response.call_on_close(lambda: courier.wake(launch.id))
        return response

    return courier


def deliver(app: AppServices, launch_id: str) -> int:
    """Send the events of a launch that are due, in small batches.

    Returns:
        How many the EHR has now that it was not known to have.

    Raises:
        DatabaseError: the database does not answer; what was sent is sent again, and not made
            twice.
        SettingsError: another key sealed what is kept.
    """
    sent = 0
    for _ in range(_MOST_BATCHES):
        access = _access(app, launch_id)
        if access is None:
            break
        events = app.store.claim_deliveries(launch_id, limit=BATCH, hold_s=_HOLD_S)
        done = _send(app, launch_id, access, events) if events else 0
        sent += done
        if done < BATCH:
            break
    if sent:
        app.log.info("audit_delivery", count=sent)
    return sent


def _access(app: AppServices, launch_id: str) -> DeliveryAccess | None:
    return app.store.delivery_access(launch_id, idle_s=app.settings.idle_minutes * 60)


def _send(
    app: AppServices, launch_id: str, access: DeliveryAccess, events: list[TrailEvent]
) -> int:
    """Send the claimed events in order, until one fails; return how many the EHR has now."""
    repository = app.repository(access.iss, access.access_token, most_s=_MOST_S)
    sent, rest = 0, list(events)
    try:
        if not app.server_says(access.iss, repository).takes_audit_events:
            app.store.refuse_deliveries(launch_id)
            return 0
        while rest and _access(app, launch_id) == access:
            sent += _send_one(app, repository, rest[0])
            rest.pop(0)
    except ServerError as error:
        if isinstance(error, _FOR_GOOD) or error.status == _METHOD_NOT_ALLOWED:
            app.store.refuse_deliveries(launch_id)
        app.log.warning("audit_delivery", error=type(error).__name__, server_status=error.status)
    app.store.postpone_deliveries([each.number for each in rest])
    return sent


def _send_one(app: AppServices, repository: HttpRepository, event: TrailEvent) -> bool:
    """Send one event; False when the EHR, or our own check, refuses what it says.

    Raises:
        ServerError: the EHR did not take it now, or takes none.
    """
    resource = to_audit_event(event, site=app.settings.public_url, names=False)
    del resource["id"]  # It is the EHR's to give; the tag tells the event from all others.
    try:
        check_outgoing(resource)
        repository.create_once(resource, if_none_exist=f"_tag={AUDIT_SYSTEM}|{event.mark}")
    except (InvalidWriteError, RejectedError) as error:
        status = error.status if isinstance(error, RejectedError) else None
        app.log.warning("audit_delivery", error=type(error).__name__, server_status=status)
        app.store.settle_delivery(event.number, REFUSED)
        return False
    app.store.settle_delivery(event.number, SENT)
    return True
