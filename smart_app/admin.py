"""The outbox as a page for whoever runs the app: behind a password of the settings, else absent.

It belongs to no launch, changes nothing, and shows nothing of a patient.
"""

import hmac
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, make_response, render_template, request

from ivfhir.outbox.line import (
    DELIVERED,
    DROPPED,
    PARKED,
    SENDING,
    SIGN_IN,
    UNSETTLED,
    WAITING,
)
from ivfhir.wording import dates
from smart_app.limits import limit_address
from smart_app.outbox_command import entry_row
from smart_app.security import security_headers
from smart_app.services import AppServices, services
from smart_app.store.outbox import Waiting

blueprint = Blueprint("admin", __name__)

_STATES = {
    WAITING: "waits to be sent",
    SENDING: "is being sent",
    SIGN_IN: "waits for its clinician to sign in",
    PARKED: "parked",
    UNSETTLED: "is in the EHR; something beside it is tried again",
    DELIVERED: "delivered",
    DROPPED: "dropped",
}


@blueprint.get("/admin/outbox")
def outbox() -> Response:
    """Show what waits in the outbox to whoever gives the password of the settings."""
    app = services()
    secret = app.settings.admin_secret
    if secret is None:
        abort(404)
    limit_address(app, "admin")
    given = request.authorization
    password = (given.password if given is not None else None) or ""
    if not hmac.compare_digest(password.encode(), secret.encode()):
        page = make_response(
            "This page asks for the password of the settings (admin_secret).\n", 401
        )
        page.mimetype = "text/plain"
        page.headers["WWW-Authenticate"] = 'Basic realm="ivfhir outbox", charset="UTF-8"'
        return page
    found = app.store.outbox()
    page = make_response(
        render_template(
            "admin_outbox.html",
            rows=[_row(app, each) for each in found],
            parked=sum(each.entry.state == PARKED for each in found),
            unsettled=sum(each.entry.state == UNSETTLED for each in found),
        )
    )
    page.headers["Content-Security-Policy"] = security_headers([])["Content-Security-Policy"]
    return page


def _row(app: AppServices, waiting: Waiting) -> dict[str, object]:
    row = entry_row(waiting, now=int(app.clock().timestamp()), moment=partial(_moment, app))
    following = "now" if row["state"] == SENDING else row.get("next")
    return {**row, "state": _STATES[row["state"]], "next": following}


def _moment(app: AppServices, at: int) -> str:
    return dates.moment(datetime.fromtimestamp(at, ZoneInfo(app.settings.time_zone)))
