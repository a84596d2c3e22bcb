"""`create_app()`: the place where the app's parts are put together."""

import gc
import secrets
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, g, jsonify, request
from flask_compress import Compress
from markupsafe import Markup
from prometheus_client import CollectorRegistry
from structlog.typing import FilteringBoundLogger
from werkzeug.middleware.proxy_fix import ProxyFix

import ivfhir
from ivfhir.errors import DatabaseError
from ivfhir.knowledge.load import BrokenProtocol, ClinicalProtocol, load_protocols
from ivfhir.knowledge.overlay import load_overlay
from ivfhir.knowledge.registry import Registry
from ivfhir.servers.client_key import load_private_key
from smart_app import admin, pages
from smart_app.audit_courier import send_after_answers
from smart_app.config import Settings, load_settings
from smart_app.errors import RETRY_S, register_errors
from smart_app.housekeeping import keep_house
from smart_app.logs import make_logger
from smart_app.metrics import make_metrics
from smart_app.sealing import make_sealer
from smart_app.security import CSRF_FIELD, add_headers, is_sound_address, security_headers
from smart_app.services import AppServices, give_back_turn, services
from smart_app.smart import routes
from smart_app.smart.http import EhrHttp
from smart_app.smart.oauth import KEY_SETTING
from smart_app.store import Store

_LARGEST_FORM = 512 * 1024


def create_app(
    settings: Settings | None = None,
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    new_id: Callable[[], str] = lambda: secrets.token_hex(16),
    pause: Callable[[float], None] = time.sleep,
    protocols: Callable[
        [Registry], Mapping[str, ClinicalProtocol | BrokenProtocol]
    ] = load_protocols,
    log: FilteringBoundLogger | None = None,
) -> Flask:
    """Return the app, ready to serve.

    Args:
        settings: by default those of the environment.
        clock: the present moment, with a time zone.
        new_id: makes ids that cannot be guessed, at most 32 letters and digits.
        pause: waits for so many seconds before an EHR is asked again.
        protocols: loads the protocols into a registry, at the first request that needs them.
        log: where events go; by default JSON lines on standard error.

    Raises:
        SettingsError: a setting is missing or wrong, or the database or key cannot be had.
        UsageError: the overlay's folder is none.
        KnowledgeError: the overlay holds a mistake, or widens without a sign-off.
    """
    settings = load_settings(None) if settings is None else settings
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = _LARGEST_FORM
    # Its redirect from `//` to `/` would be a whole address, with the host that the client names.
    app.url_map.merge_slashes = False
    overlay = load_overlay(settings.overlay)
    sealer = make_sealer(settings.key, Path(settings.key_file))
    store = Store(
        settings.database_url,
        sealer,
        clock_s=lambda: clock().timestamp(),
        new_id=new_id,
        threads=settings.threads,
    )
    metrics = make_metrics(CollectorRegistry())
    app.extensions["ivfhir"] = AppServices(
        settings=settings,
        store=store,
        sealer=sealer,
        http=EhrHttp(timeout_s=settings.timeout_s, ca_file=settings.ca_file),
        log=log or make_logger(settings.log_level, count=metrics.count_event),
        metrics=metrics,
        clock=clock,
        new_id=new_id,
        load_protocols=protocols,
        pause=pause,
        registry=Registry(overlay),
    )
    for blueprint in (routes.blueprint, pages.blueprint, admin.blueprint, _machines):
        app.register_blueprint(blueprint)
    metrics.watch_app(app)
    courier = send_after_answers(app, app.extensions["ivfhir"])
    keep_house(app, app.extensions["ivfhir"], courier)
    register_errors(app)
    app.teardown_request(give_back_turn)
    _register_headers(app, settings)
    _compress_styles(app)
    app.context_processor(_template_names)
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]  # Flask's own way to wrap
    return app


def load_to_stay(
    registry: Registry,
) -> Mapping[str, ClinicalProtocol | BrokenProtocol]:
    """Return the protocols; the collector of garbage walks them no more, they stay to the end."""
    found = load_protocols(registry)
    gc.collect()
    gc.freeze()
    return found


_machines = Blueprint("machines", __name__)


@_machines.get("/health/live")
def live() -> Response:
    """Tell that this process answers, whatever its database does."""
    return jsonify({"status": "ok", "version": ivfhir.__version__})


@_machines.get("/health")
@_machines.get("/health/ready")
def health() -> tuple[Response, int, dict[str, str]]:
    """Tell a load balancer whether the app can work, and whoever runs it what is wrong if not."""
    told = {"status": "ok", "version": ivfhir.__version__, "checks": {"database": "ok"}}
    try:
        services().store.ping()
    except DatabaseError as error:
        told |= {"status": "fail", "checks": {"database": error.message}}
        return jsonify(told), 503, {"Retry-After": str(RETRY_S)}
    return jsonify(told), 200, {}


@_machines.get("/jwks.json")
def jwks() -> Response:
    """Publish the public keys with which the app signs who it is, for the EHR's registration.

    Source: https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html
    """
    files = {ehr.private_key_file for ehr in services().settings.ehrs}
    keys = [load_private_key(Path(file), setting=KEY_SETTING) for file in files if file is not None]
    return jsonify(
        {
            "keys": [
                {**each.key.as_dict(private=False), "use": "sig", "alg": each.algorithm}
                for each in keys
            ]
        }
    )


def _register_headers(app: Flask, settings: Settings) -> None:
    anywhere = security_headers(settings.ehrs)
    of_ehr = {ehr.iss.rstrip("/"): security_headers([ehr]) for ehr in settings.ehrs}

    @app.before_request
    def refuse() -> None:
        if not is_sound_address(request):
            abort(404)

    @app.after_request
    def after(response: Response) -> Response:
        cacheable = request.endpoint == "static" and response.status_code in (200, 304)
        opened = g.get("launch")
        headers = anywhere if opened is None else of_ehr[opened.fhir_base]
        add_headers(response, headers, cacheable=cacheable)
        return response


def _compress_styles(app: Flask) -> None:
    """Compress what is the same for everybody; a page's length must tell nothing of its content.

    Source: https://www.breachattack.com/
    """
    app.config.update(
        COMPRESS_MIMETYPES=["text/css", "image/svg+xml"],
        COMPRESS_ALGORITHM_STREAMING=["br", "gzip"],
    )
    Compress(app)

    @app.after_request
    def close_file(response: Response) -> Response:
        """Keep hold of a file that the compressor replaces by its own stream, to close it."""
        close = getattr(response.response, "close", None)
        if request.endpoint == "static" and close is not None:
            response.call_on_close(close)
        return response


def _template_names() -> dict[str, object]:
    return {
        "csrf_field": _csrf_field,
        "launch": g.get("launch"),
        "app_version": ivfhir.__version__,
        "overlay": services().registry.overlay,
    }


def _csrf_field() -> Markup:
    return Markup('<input type="hidden" name="{}" value="{}">').format(
        CSRF_FIELD, g.launch.csrf_token
    )
