"""`create_fake_ehr()`: a SMART authorization server and launcher in front of any FHIR server."""

import time

import requests
from flask import Flask, Response, make_response, render_template
from joserfc.jwk import RSAKey
from werkzeug.exceptions import HTTPException

from ivfhir.errors import IvfhirError
from ivfhir.fhir.outcome import http_status
from smart_app.fake_ehr import authorize, fhir_proxy, pages, tokens
from smart_app.fake_ehr.config import FakeEhrSettings
from smart_app.fake_ehr.faults import Faults
from smart_app.fake_ehr.grants import Grants
from smart_app.fake_ehr.identity import Identity, new_signing_key
from smart_app.fake_ehr.services import FakeEhr
from smart_app.urls import origin_of


def create_fake_ehr(settings: FakeEhrSettings, *, key: RSAKey | None = None) -> Flask:
    """Return a simulated EHR, ready to serve; `app.extensions["fake_ehr"]` has its faults.

    Args:
        settings: its address, the FHIR server behind it, the registered apps.
        key: signs who the user is; by default one that is made here.
    """
    app = Flask(__name__)
    faults = Faults()
    app.extensions["fake_ehr"] = FakeEhr(
        settings=settings,
        faults=faults,
        grants=Grants(),
        identity=Identity(settings, faults, key or new_signing_key()),
        upstream=requests.Session(),
        clock_s=time.time,
        opened_at=int(time.time()),
    )
    for module in (pages, authorize, tokens, fhir_proxy):
        app.register_blueprint(module.blueprint)
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(IvfhirError, _failed)
    frames = " ".join(dict.fromkeys(origin_of(client.launch_url) for client in settings.clients))
    # The frame comes back to the EHR's own sign-in on its way into the app, hence 'self'.
    policy = (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
        f"frame-src 'self' {frames}"
    )

    @app.after_request
    def after(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", policy)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    return app


def _refused(error: HTTPException) -> Response:
    return make_response(
        render_template("refused.html", message=error.description), error.code or 500
    )


def _failed(error: IvfhirError) -> Response:
    return make_response(render_template("refused.html", message=error.message), http_status(error))
