"""A launch without a browser: what an accepted plan is sent with after its page was answered.

Its token is used as long as it lives, also after the window was left idle: for this the clinician
accepted the plan. It is renewed only while the launch is in use, and never used after a sign-out.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ivfhir.errors import LaunchError, SessionEndedError
from ivfhir.fhir.types import CARE_PLAN, PATIENT, Resource
from ivfhir.knowledge.load import ClinicalProtocol
from ivfhir.servers.http import HttpRepository
from ivfhir.sync.servers import Connector, Server, connector
from smart_app.services import AppServices
from smart_app.smart.launch import Launch
from smart_app.smart.renewal import EARLY_S, Renewal, renew
from smart_app.smart.scopes import GrantedScopes
from smart_app.smart.session import is_idle, launch_of


@dataclass(repr=False)
class OwnLaunch:
    """A launch with its own access; `token` is the one that is used, also once it was renewed."""

    launch: Launch
    token: str


def own_launch(app: AppServices, launch_id: str) -> OwnLaunch | None:
    """Return a launch with its own access, to send accepted plans with; None once that is over.

    Raises:
        LaunchError: its EHR is no longer in the settings.
        ServerError: the EHR did not renew the token now.
    """
    try:
        record = app.store.reload_launch(launch_id)
    except SessionEndedError:
        return None
    closed = app.store.closed(launch_id)
    if closed is not None and closed.signed_out:
        return None
    now = app.clock().timestamp()
    renewable = closed is None and not is_idle(app, launch_id)
    # A closed launch counts as over for its pages; its token's own end is kept beside that.
    until = record.usable_until if closed is None else record.expires_at
    if renewable and "refresh_token" in record.body and until - EARLY_S <= now < record.expires_at:
        try:
            record = renew(app, record)
        except LaunchError:
            return None
        until = record.usable_until
    if until <= now or "access_token" not in record.body:
        return None
    renewal = Renewal(app, launch_id)

    def another(refused: str) -> str | None:
        fresh = renewal(refused)
        own.token = fresh or own.token
        return fresh

    repository = app.repository(
        record.body["iss"],
        record.body["access_token"],
        renew=another if renewable else None,
        writing=True,
    )
    launch = launch_of(app, record, repository=repository)
    own = OwnLaunch(launch, record.body["access_token"])
    return own


def backend_launch(app: AppServices, launch_id: str) -> Launch | None:
    """Return a launch with the access of a backend service (`[[server]]`) for its EHR's address.

    Returns:
        None when the settings have none, or the launch is gone.

    Raises:
        LaunchError: its EHR is no longer in the settings.
        SettingsError: the service's key cannot be read.
        ServerError: the service could not sign in now.
    """
    try:
        record = app.store.reload_launch(launch_id)
    except SessionEndedError:
        return None
    base = str(record.body["iss"]).rstrip("/")
    server = next((each for each in app.settings.servers if each.url.rstrip("/") == base), None)
    if server is None:
        return None
    connect = _backend_connector(app, server)
    repository = connect()
    # What a backend service may do, in the words of a user's scopes: the rules are one.
    scope = (connect.scope() or server.scope).replace("system/", "user/")
    return launch_of(app, record, repository=repository, scopes=GrantedScopes(scope))


def is_enough(service: Launch, protocol: ClinicalProtocol, bundle: Resource) -> bool:
    """Tell whether a backend service may do all that the clinician may of what a plan needs.

    With less it would read another record than the clinician saw, or be refused: neither is a
    change of the record, or a refusal of the plan.

    Args:
        service: the launch with the service's access.
        protocol: the plan's.
        bundle: what is sent.
    """
    body = service.app.store.reload_launch(service.id).body
    clinician = GrantedScopes(body["scope"])
    needed = {(PATIENT, "r")}
    for name in {*protocol.resource_types, CARE_PLAN} - {PATIENT}:
        needed |= {(name, "r"), (name, "s")}
    for entry in bundle.get("entry", ()):
        name = entry["resource"]["resourceType"]
        letter = "c" if entry["request"]["method"] == "POST" else "u"
        needed |= {(name, "r"), (name, "s"), (name, letter)}
    return all(service.scopes.may(*each) for each in needed if clinician.may(*each))


def _backend_connector(app: AppServices, server: Server) -> Connector:
    def connect(token: str | None, renew: Callable[[str], str | None] | None) -> HttpRepository:
        # As for a page that writes: what it does ends before the claim on the plan does.
        return app.repository(server.url, token or "", renew=renew, writing=True)

    if server.name not in app.backend_services:
        made = connector(server, ca_file=app.settings.ca_file, connect=connect)
        app.backend_services.setdefault(server.name, made)  # Another thread's may be there.
    return app.backend_services[server.name]
