"""The authorization endpoint of the simulated EHR: checks the request, lets the user choose.

Source: https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#obtain-authorization-code
"""

import re
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, abort, redirect, render_template, request
from werkzeug.wrappers import Response

from smart_app.fake_ehr.config import FakeEhrSettings
from smart_app.fake_ehr.grants import (
    CODE_LIFE_S,
    LAUNCH_LIFE_S,
    Authorization,
    LaunchContext,
    Waiting,
)
from smart_app.fake_ehr.services import ehr
from smart_app.smart.scopes import AUDIT_EVENT, GrantedScopes

blueprint = Blueprint("authorize", __name__)

OPEN_PATIENT = "ehr-open-patient"
"""Cookie that says whose record this browser opened last in the EHR."""

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_WORDS = frozenset(
    {"openid", "fhirUser", "profile", "launch", "launch/patient", "online_access", "offline_access"}
)


_DOCUMENTS = "patient/DocumentReference.crus"


@blueprint.get("/fhir/.well-known/smart-configuration")
def smart_configuration() -> dict[str, object]:
    """Say where the endpoints are and what they can do."""
    settings = ehr().settings
    names_audit = settings.audit and not ehr().faults.hits("unnamed-audit")
    return {
        "issuer": settings.iss,
        "jwks_uri": f"{settings.public_url}/auth/jwks",
        "authorization_endpoint": f"{settings.public_url}/auth/authorize",
        "token_endpoint": f"{settings.public_url}/auth/token",
        "revocation_endpoint": f"{settings.public_url}/auth/revoke",
        "token_endpoint_auth_methods_supported": [
            "client_secret_basic",
            "client_secret_post",
            "private_key_jwt",
        ],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "scopes_supported": [
            *sorted(_WORDS),
            "patient/*.read" if settings.version_1 else "patient/*.cruds",
            *([_audit_scope(settings)] if names_audit else []),
            *([_DOCUMENTS] if settings.documents_only else []),
        ],
        "capabilities": [
            *("launch-ehr", "launch-standalone", "client-public", "client-confidential-symmetric"),
            *("client-confidential-asymmetric", "sso-openid-connect", "context-ehr-patient"),
            *(
                "context-standalone-patient",
                "permission-patient",
                "permission-user",
                "permission-online",
            ),
            "permission-v1" if settings.version_1 else "permission-v2",
        ],
    }


@blueprint.get("/auth/jwks")
def jwks() -> dict[str, object]:
    """Publish the keys that sign id_tokens."""
    return ehr().identity.jwks()


@blueprint.get("/auth/authorize")
def authorize() -> Response | str:
    """Check the request; answer with a code, or with the patients to choose from."""
    settings = ehr().settings
    client = settings.client(request.args.get("client_id", ""))
    if client is None or request.args.get("redirect_uri") != client.redirect_uri:
        abort(400, "Unknown client_id, or redirect_uri is not exactly the registered one.")
    problem = _problem()
    if problem is not None:
        return _answer(client.redirect_uri, error=problem[0], error_description=problem[1])
    scope = granted_scope(request.args["scope"], version_1=settings.version_1)
    patient, user = None, settings.practitioner
    if "launch" in request.args["scope"].split():
        context = ehr().grants.take(LaunchContext, request.args.get("launch", ""))
        if context is None:
            return _answer(
                client.redirect_uri,
                error="invalid_request",
                error_description="launch is unknown, used or too old",
            )
        patient, user = context.patient, context.user
    authorization = Authorization(
        client_id=client.client_id,
        redirect_uri=client.redirect_uri,
        scope=scope,
        state=request.args["state"],
        code_challenge=request.args["code_challenge"],
        nonce=request.args.get("nonce"),
        patient=patient,
        user=user,
        signed_in_at=ehr().opened_at,
    )
    if ehr().faults.hits("old-sign-in"):
        hours_ago = authorization.signed_in_at - 7200
        return _go_on(authorization.for_user(user, signed_in_at=hours_ago))
    if _must_sign_in(authorization):
        waiting = ehr().grants.put(Waiting(authorization), life_s=LAUNCH_LIFE_S)
        return render_template("sign_in.html", users=settings.users, waiting=waiting)
    return _go_on(authorization)


@blueprint.get("/auth/sign-in/<waiting>/<user>")
def sign_in(waiting: str, user: str) -> Response | str:
    """Go on as the user who signed in just now."""
    found = ehr().grants.take(Waiting, waiting)
    if found is None or user not in ehr().settings.users:
        abort(400, "This sign-in is over. Begin again in the app.")
    now = int(ehr().clock_s())
    return _go_on(found.authorization.for_user(user, signed_in_at=now))


def _must_sign_in(authorization: Authorization) -> bool:
    """Tell whether the app asks for a newer sign-in than there is.

    Source: https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest (prompt, max_age)
    """
    max_age = request.args.get("max_age", "")
    old = max_age.isdecimal() and ehr().clock_s() - authorization.signed_in_at > int(max_age)
    return old or "login" in request.args.get("prompt", "").split()


def _go_on(authorization: Authorization) -> Response | str:
    if authorization.patient is None and "launch/patient" in authorization.scope.split():
        waiting = ehr().grants.put(Waiting(authorization), life_s=LAUNCH_LIFE_S)
        open_patient = request.cookies.get(OPEN_PATIENT)
        patients = sorted(ehr().patients(), key=lambda each: each.id != open_patient)
        return render_template(
            "choose.html", patients=patients, waiting=waiting, open_patient=open_patient
        )
    return _code(authorization)


@blueprint.get("/auth/choose/<waiting>/<patient>")
def choose(waiting: str, patient: str) -> Response:
    """Go on with the patient that the user chose."""
    found = ehr().grants.take(Waiting, waiting)
    if found is None:
        abort(400, "This sign-in is over. Begin again in the app.")
    return _code(found.authorization.for_patient(patient))


def granted_scope(asked: str, *, version_1: bool) -> str:
    """Return the asked scopes that this EHR knows and, as the faults have it, grants."""
    words = []
    for word in asked.split():
        parsed = GrantedScopes(word)
        is_version_1 = word.endswith((".read", ".write", ".*"))
        known = (
            any(parsed.may(_type_of(word), letter) for letter in "cruds")
            and is_version_1 is version_1
        )
        if word in _WORDS or known:
            words.append(word)
    if ehr().faults.hits("read-only"):
        words = [_without(word, "cud") for word in words if not word.endswith(".write")]
    for only, kind in (
        (ehr().settings.documents_only, "DocumentReference"),
        (ehr().settings.care_plans_only, "CarePlan"),
    ):
        if only:
            words = [
                word if _type_of(word) in (AUDIT_EVENT, kind) else _without(word, "cud")
                for word in words
            ]
    if ehr().faults.hits("no-update"):
        words = [_without(word, "u") for word in words]
    if ehr().faults.hits("no-allergies"):
        words = [word for word in words if _type_of(word) != "AllergyIntolerance"]
    if not ehr().settings.audit or ehr().faults.hits("no-audit"):
        words = [word for word in words if _type_of(word) != AUDIT_EVENT]
    return " ".join(words)


def _audit_scope(settings: FakeEhrSettings) -> str:
    return f"patient/{AUDIT_EVENT}.{'write' if settings.version_1 else 'c'}"


def _without(word: str, interactions: str) -> str:
    """Return a scope of version 2 without these interactions, any other word as it is."""
    place, dot, letters = word.rpartition(".")
    return (
        place + dot + letters.translate(str.maketrans("", "", interactions))
        if re.fullmatch("[cruds]+", letters)
        else word
    )


def _type_of(word: str) -> str:
    return word.partition("/")[2].partition(".")[0]


def _problem() -> tuple[str, str] | None:
    """Return what is wrong with the request, as error and description; None when nothing is."""
    args = request.args
    has_pkce = args.get("code_challenge_method") == "S256" and _CHALLENGE.fullmatch(
        args.get("code_challenge", "")
    )
    checks = (
        (not ehr().faults.hits("deny"), "access_denied", "The user refused access"),
        (args.get("response_type") == "code", "unsupported_response_type", "It must be code"),
        (args.get("state"), "invalid_request", "state is missing"),
        (has_pkce, "invalid_request", "PKCE with S256 is required"),
        (args.get("aud") == ehr().settings.iss, "invalid_request", "aud is not this FHIR server"),
        (args.get("scope", "").split(), "invalid_scope", "scope is missing"),
    )
    return next(((error, words) for holds, error, words in checks if not holds), None)


def _code(authorization: Authorization) -> Response:
    code = ehr().grants.put(authorization, life_s=CODE_LIFE_S)
    return _answer(authorization.redirect_uri, code=code, state=authorization.state)


def _answer(redirect_uri: str, **parameters: str) -> Response:
    """Send the browser back to the app, with state and issuer."""
    issuer = (
        "https://elsewhere.example" if ehr().faults.hits("wrong-issuer") else ehr().settings.iss
    )
    state = request.args.get("state")
    query = {**({"state": state} if state else {}), **parameters, "iss": issuer}
    return redirect(
        f"{redirect_uri}{'&' if urlsplit(redirect_uri).query else '?'}{urlencode(query)}", 303
    )
