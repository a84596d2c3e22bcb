"""Accepted plans that did not reach the EHR in the click are sent when they are due.

A thread of each process of the app does so, or `ivfhir worker` in a process of its own; as many as
there are, each plan goes once.
"""

import atexit
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from flask import Flask

from ivfhir.errors import (
    DatabaseError,
    IvfhirError,
    LaunchError,
    ServerError,
    TokenRenewedError,
    UnauthorisedError,
)
from ivfhir.outbox.failing import After, after_failure
from ivfhir.outbox.line import DELIVERED, PARKED, SIGN_IN, UNSETTLED
from smart_app.pages.changes import find_changes
from smart_app.pages.facts import FactWriter
from smart_app.services import AppServices, give_back_turn
from smart_app.smart.background import backend_launch, is_enough, own_launch
from smart_app.smart.closing import end_what_was_waiting
from smart_app.smart.launch import Launch
from smart_app.store.outbox import HOLD_S, Waiting
from smart_app.visit.accepting import Change, send_again
from smart_app.visit.draft import Basis
from smart_app.visit.reading import Reading, Readings
from smart_app.visit.sending import settle_again
from smart_app.visit.settling import NO_ACCESS_S
from smart_app.visit.visit import Visit

POLL_S = 5.0
"""Seconds between two looks; a plan that another process left is found at the next."""

_MOST_AT_ONCE = 50
_MOST_LANES = 8
"""EHRs to which plans are sent at the same time."""

_ADOPT_EVERY = 12
_ARRIVED = (DELIVERED, UNSETTLED)
_NOBODY: dict[str, Any] = {
    "title": "it waits for your sign-in",
    "message": "The access to the EHR with which it was accepted is over.",
    "details": "",
    "again": "yes",
}


@dataclass(frozen=True)
class Sent:
    """What became of the plans that were due: how many of each."""

    delivered: int = 0
    waiting: int = 0
    sign_in: int = 0
    parked: int = 0

    def and_one(self, state: str) -> "Sent":
        """Return these and one more of a state."""
        return Sent(
            self.delivered + (state in _ARRIVED),
            self.waiting + (state not in (*_ARRIVED, SIGN_IN, PARKED)),
            self.sign_in + (state == SIGN_IN),
            self.parked + (state == PARKED),
        )

    def __add__(self, other: "Sent") -> "Sent":
        """Return both together."""
        return Sent(
            self.delivered + other.delivered,
            self.waiting + other.waiting,
            self.sign_in + other.sign_in,
            self.parked + other.parked,
        )


class OutboxThread:
    """Sends what is due, from a thread of this process, until it is told to stop."""

    def __init__(self, app: Flask, *, poll_s: float = POLL_S) -> None:
        """Remember the app; nothing runs yet."""
        self._app = app
        self._poll_s = poll_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="outbox", daemon=True)

    def start(self) -> "OutboxThread":
        """Begin to work, and return this; the end of the process waits for a plan under way."""
        self._thread.start()
        atexit.register(self.stop, timeout_s=25)
        return self

    def stop(self, *, timeout_s: float = 30) -> None:
        """Let the plan that is being sent end, and stop."""
        self._stop.set()
        self._thread.join(timeout_s)
        atexit.unregister(self.stop)

    def _work(self) -> None:
        watch(self._app, self._stop, poll_s=self._poll_s)


def watch(app: Flask, stop: threading.Event, *, poll_s: float = POLL_S) -> None:
    """Send what is due, again and again, until `stop` is set; after a look that failed, too."""
    services: AppServices = app.extensions["ivfhir"]
    lanes: dict[str, threading.Thread] = {}
    looks = 0
    while not stop.is_set():
        try:
            if looks % _ADOPT_EVERY == 0:
                services.store.adopt_unsent()
            lanes = {server: lane for server, lane in lanes.items() if lane.is_alive()}
            for server in _due_servers(app):
                if server not in lanes and len(lanes) < _MOST_LANES:
                    lanes[server] = _start_lane(app, server, stop)
        except Exception as error:  # noqa: BLE001 - nobody would send anything any more
            _log(services, error)
        looks += 1
        stop.wait(poll_s)
    for lane in lanes.values():
        lane.join()


def _start_lane(app: Flask, server: str, stop: threading.Event) -> threading.Thread:
    """Begin to send what is due to one EHR: one that hangs delays nobody else's plans."""

    def work() -> None:
        try:
            _send_to(app, server, stop)
        except Exception as error:  # noqa: BLE001 - the next look begins another one
            _log(app.extensions["ivfhir"], error)

    lane = threading.Thread(target=work, name="outbox-lane", daemon=True)
    lane.start()
    return lane


def send_due(app: Flask) -> Sent:
    """Send every plan that is due now, each line in order, and return what became of them.

    Of plans that are written, what could not be settled beside them is tried again, too.

    Raises:
        DatabaseError: the database does not answer; what was sent is found at the next look.
    """
    servers = _due_servers(app)
    with ThreadPoolExecutor(_MOST_LANES, thread_name_prefix="outbox-lane") as lanes:
        every = list(lanes.map(lambda server: _send_to(app, server, None), servers))
    return sum(every, Sent())


def _due_servers(app: Flask) -> list[str]:
    services: AppServices = app.extensions["ivfhir"]
    now = services.clock().timestamp()
    bases = [each.url.rstrip("/") for each in services.settings.servers]
    again_s = services.backend_again_s
    services.store.resume_for([base for base in bases if again_s.get(base, 0) <= now])
    return services.store.due_servers()


def _send_to(app: Flask, server: str, stop: threading.Event | None) -> Sent:
    """Send what is due to one EHR, one plan after the other."""
    services: AppServices = app.extensions["ivfhir"]
    sent, seen = Sent(), set[str]()
    while due := services.store.due_plans(server, limit=_MOST_AT_ONCE, but=seen):
        for waiting in due:
            seen.add(waiting.entry.id)
            if stop is not None and stop.is_set():
                return sent
            before = waiting.entry.attempts
            with app.app_context():
                try:
                    _send(services, waiting)
                finally:
                    give_back_turn()
            after = services.store.waiting_of(waiting.draft_id)
            if after is not None and (after.entry.attempts, after.entry.state) != (
                before,
                "waiting",
            ):
                sent = sent.and_one(after.entry.state)
    _settle_due(app, services, server, stop)
    if sent != Sent():
        services.log.info("outbox", count=sent.delivered)
    return sent


def _send(app: AppServices, waiting: Waiting) -> None:
    """Send one plan; whatever fails, it is kept when it is tried again, or that it is parked."""
    own = None
    try:
        own = own_launch(app, waiting.launch_id)
        launch = own.launch if own else _service_launch(app, waiting)
        if launch is None:
            after = After(SIGN_IN, waiting.entry.due_at, waiting.entry.failures)
            app.store.put_off_unclaimed(
                waiting.draft_id,
                after,
                {**_NOBODY, "known": waiting.known},
                launch_id=waiting.launch_id,
            )
            return
        protocol = app.protocols.get(waiting.protocol)
        if protocol is None:
            raise LaunchError("The plan's protocol is not there any more.")
        draft = app.store.load_draft(waiting.launch_id, waiting.draft_id)
        send_again(Visit(launch, _Unkept()), protocol, draft, compare=_compare, asked=False)
    except UnauthorisedError as error:
        if isinstance(error, TokenRenewedError) and error.may_be_done:
            return  # That is kept, and the new token is there for the next try, which looks first.
        if own is None:  # It is the backend service that is refused: no sign-in would help.
            _put_off(app, waiting, ServerError(error.message, status=error.status))
        else:  # The launch's own access is over, for its pages, too.
            app.store.end_refused(waiting.launch_id, own.token, draft_id=waiting.draft_id)
    except DatabaseError:
        raise
    except Exception as error:  # noqa: BLE001 - one plan that breaks our code must not stop others
        _put_off(app, waiting, error)
    finally:
        _end_what_was_waiting(app, waiting)


def _service_launch(app: AppServices, waiting: Waiting) -> Launch | None:
    """Return a launch with a backend service's access; None where there is none, or not enough."""
    launch, protocol = backend_launch(app, waiting.launch_id), app.protocols.get(waiting.protocol)
    if launch is None or protocol is None:
        return launch
    receipt = app.store.load_receipt(waiting.launch_id, waiting.draft_id)
    if receipt is None or is_enough(launch, protocol, receipt.body.get("bundle", {})):
        return launch
    app.backend_again_s[waiting.entry.server] = app.clock().timestamp() + NO_ACCESS_S
    app.log.warning("outbox", code="backend-scope")
    return None


def _settle_due(
    app: Flask, services: AppServices, server: str, stop: threading.Event | None
) -> None:
    """Try again, once each, what is due beside plans that are written."""
    seen = set[str]()
    while due := services.store.due_unsettled(server, limit=_MOST_AT_ONCE, but=seen):
        for waiting in due:
            seen.add(waiting.entry.id)
            if stop is not None and stop.is_set():
                return
            held_until = services.store.claim_unsettled(waiting.entry, hold_s=HOLD_S)
            if not held_until:
                continue
            with app.app_context():
                try:
                    _settle(services, waiting, held_until)
                finally:
                    give_back_turn()


def _settle(app: AppServices, waiting: Waiting, held_until: int) -> None:
    """Try it for one plan whose claim is held; whatever fails, it is kept when it is tried again.

    Without an access it waits for one, as long as an unsent plan would.
    """
    counted = replace(waiting.entry, attempts=waiting.entry.attempts + 1)
    now = int(app.clock().timestamp())
    keep_until = waiting.entry.counts_from + app.settings.outbox_hours * 3600
    wait_until = now + NO_ACCESS_S if now + NO_ACCESS_S <= keep_until else None
    try:
        own = own_launch(app, waiting.launch_id)
        launch = own.launch if own else backend_launch(app, waiting.launch_id)
        if launch is None:
            app.store.put_off_unsettled(waiting.entry.id, held_until=held_until, due_at=wait_until)
            return
        draft = app.store.load_draft(waiting.launch_id, waiting.draft_id)
        done = settle_again(Visit(launch, _Unkept()), replace(waiting, entry=counted), draft)
        app.log.info("settled", count=int(done))
    except DatabaseError:
        raise
    except Exception as error:  # noqa: BLE001 - one plan that breaks our code must not stop others
        app.store.put_off_unsettled(waiting.entry.id, held_until=held_until, due_at=wait_until)
        app.log.warning("settled", error=type(error).__name__)
    finally:
        _end_what_was_waiting(app, waiting)


def _end_what_was_waiting(app: AppServices, waiting: Waiting) -> None:
    """End the access that was kept for a plan; a launch that no key opens must not stop others."""
    try:
        end_what_was_waiting(app, waiting.launch_id)
    except DatabaseError:
        raise
    except IvfhirError as error:
        _log(app, error)


def _put_off(app: AppServices, waiting: Waiting, error: Exception) -> None:
    """Keep that a plan could not even be tried, or broke our code; it counts as a failure."""
    known = error.message if isinstance(error, IvfhirError) else "The app failed at this plan."
    failure = error if isinstance(error, ServerError) else ServerError(known)
    kept = app.store.waiting_of(waiting.draft_id)
    # Where it broke before anybody held the plan, the try is not counted yet.
    attempts = max(waiting.entry.attempts + 1, 0 if kept is None else kept.entry.attempts)
    after = after_failure(
        failure,
        replace(waiting.entry, attempts=attempts),
        now=int(app.clock().timestamp()),
        keep_s=app.settings.outbox_hours * 3600,
        random=app.random,
    )
    said = {
        "title": "it could not be sent",
        "message": known,
        "details": "",
        "again": "no" if after.state == PARKED else "yes",
        "known": _known_after(waiting if kept is None else kept, error),
    }
    app.store.put_off_unclaimed(
        waiting.draft_id, after, said, launch_id=waiting.launch_id, attempts=attempts
    )
    _log(app, error)


def _log(app: AppServices, error: Exception) -> None:
    """Tell the class of an error and its place in the code: its text may hold parts of a plan."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = "" if place is None else f"{place.tb_frame.f_code.co_name}:{place.tb_lineno}"
    level = "warning" if isinstance(error, IvfhirError) else "error"
    getattr(app.log, level)("outbox", error=type(error).__name__, where=where)


def _known_after(waiting: Waiting, error: Exception) -> str:
    """Return what is known of a plan at which a try broke: our code may have broken after sending.

    Args:
        waiting: the plan as it is kept now: the try may have kept more than was known before it.
        error: what broke it.
    """
    return waiting.known if isinstance(error, IvfhirError) else "unclear"


def _compare(held: Basis, now: Basis, reading: Reading) -> list[Change]:
    """Return what a reader would see differently, the day apart: it passes by itself."""
    writer = FactWriter(reading.resources, str, reading.record.refused)
    return find_changes(held, replace(now, as_of=held.as_of), writer)


class _Unkept(Readings):
    """Readings that no page shows: another access than the launch's may have made them."""

    def renew(self, launch: Any, read: Any) -> Reading:  # noqa: ANN401 - as Readings has them
        reading: Reading = read()
        return reading
