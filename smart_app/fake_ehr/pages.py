"""The EHR's own pages: the list of patients, the app in a frame, faults on demand."""

from urllib.parse import urlencode

from flask import Blueprint, jsonify, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from smart_app.fake_ehr.authorize import OPEN_PATIENT
from smart_app.fake_ehr.faults import FHIR_FAULTS, SIGN_IN_FAULTS, Fault
from smart_app.fake_ehr.grants import LAUNCH_LIFE_S, LaunchContext
from smart_app.fake_ehr.services import ehr

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
def patients() -> str:
    """Show the list of patients, with the app's launch button beside each."""
    standalone = f"{ehr().settings.clients[0].launch_url}?{urlencode({'iss': ehr().settings.iss})}"
    return render_template(
        "patients.html",
        patients=ehr().patients(),
        practitioner=ehr().settings.practitioner_name,
        standalone=standalone,
        fault_count=len(ehr().faults.listed()),
    )


@blueprint.get("/open/<patient>")
def open_app(patient: str) -> Response:
    """Launch the app for a patient, in this window.

    Source: https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#launch-app-ehr-launch
    """
    return _remember(redirect(_launch_url(patient), 303), patient)


@blueprint.get("/frame/<patient>")
def frame(patient: str) -> Response:
    """Launch the app for a patient, in a frame of this page."""
    page = make_response(render_template("frame.html", launch_url=_launch_url(patient)))
    return _remember(page, patient)


@blueprint.get("/faults")
def faults() -> Response | str:
    """Show the faults to come, and those there are."""
    listed = [vars(fault) for fault in ehr().faults.listed()]
    if request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json":
        return jsonify(listed)
    return render_template("faults.html", listed=listed, sign_in=SIGN_IN_FAULTS, fhir=FHIR_FAULTS)


@blueprint.post("/faults")
def add_fault() -> Response:
    """Let a fault happen: form or JSON with `name` and, if wanted, times, skip, method, path."""
    given = request.get_json() if request.is_json else request.form
    times = given.get("times")
    ehr().faults.add(
        Fault(
            name=str(given.get("name")),
            times=int(times) if times not in (None, "") else None,
            skip=int(given.get("skip") or 0),
            method=given.get("method") or None,
            path=given.get("path") or "",
        )
    )
    return redirect(url_for("pages.faults"), 303)


@blueprint.post("/faults/clear")
def clear_faults() -> Response:
    """Let no fault happen any more."""
    ehr().faults.clear()
    return redirect(url_for("pages.faults"), 303)


def _remember(response: Response, patient: str) -> Response:
    """Let the browser remember whose record is open in this EHR, as an EHR's session does."""
    response.set_cookie(OPEN_PATIENT, patient, httponly=True, samesite="Lax")
    return response


def _user() -> str:
    """Return who is signed in: the practitioner, or whom the address names."""
    settings = ehr().settings
    user = request.args.get("user", settings.practitioner)
    return user if user in settings.users else settings.practitioner


def _launch_url(patient: str) -> str:
    launch = ehr().grants.put(LaunchContext(patient, _user()), life_s=LAUNCH_LIFE_S)
    query = urlencode({"iss": ehr().settings.iss, "launch": launch})
    return f"{ehr().settings.clients[0].launch_url}?{query}"
