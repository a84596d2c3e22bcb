"""What is done now and then, after an answer went out: no page waits for it."""

from flask import Flask, Response

from ivfhir.errors import DatabaseError
from smart_app.audit_courier import Courier
from smart_app.services import AppServices

_MOST_LAUNCHES = 100

EVERY_S = 300
"""Seconds between two looks; one process of all looks each time."""


def keep_house(app: Flask, services: AppServices, courier: Courier) -> None:
    """Let the app remove what is over, after one of its answers, at most every few minutes."""
    next_look_s = 0.0

    @app.after_request
    def after(response: Response) -> Response:
        nonlocal next_look_s
        now_s = services.clock().timestamp()
        if now_s >= next_look_s:
            next_look_s = now_s + EVERY_S
            response.call_on_close(lambda: clean(services, courier))
        return response


def clean(services: AppServices, courier: Courier) -> None:
    """Remove what is over, and send on what a killed process left, when it is our turn.

    A database that is down waits.
    """
    try:
        if services.store.claim_chore("clean", every_s=EVERY_S - 1):
            removed = services.store.remove_expired(keep_days=services.settings.keep_days)
            services.store.remove_closed(keep_days=services.settings.keep_days)
            services.store.remove_old_events(keep_days=services.settings.audit_days)
            idle_s = services.settings.idle_minutes * 60
            for launch_id in services.store.launches_with_due(idle_s=idle_s, limit=_MOST_LAUNCHES):
                courier.wake(launch_id)
            services.log.info("clean", count=removed)
    except DatabaseError:
        services.log.warning("clean", error="DatabaseError")
