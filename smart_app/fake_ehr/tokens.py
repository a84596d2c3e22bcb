"""The token endpoint of the simulated EHR: access token and launch context for a code.

Source: https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#obtain-access-token
"""

import hmac
import time
from typing import Any

from flask import Blueprint, Response, jsonify, make_response, request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from smart_app.fake_ehr.config import Client
from smart_app.fake_ehr.grants import Access, Refresh, narrowed
from smart_app.fake_ehr.services import ehr
from smart_app.smart.oauth import code_challenge

blueprint = Blueprint("tokens", __name__)

_SHORT_S = 5
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@blueprint.post("/auth/token")
def token() -> Response:
    """Answer a token request."""
    fault = _fault()
    if fault is not None:
        return fault
    client = _client()
    if client is None:
        return _json({"error": "invalid_client"}, 401)
    if ehr().faults.hits("token-refused"):
        return _json({"error": "invalid_grant"}, 400)
    answers = {"authorization_code": _for_code, "refresh_token": _for_refresh}
    answer = answers.get(request.form.get("grant_type", ""))
    return _json({"error": "unsupported_grant_type"}, 400) if answer is None else answer(client)


def _fault() -> Response | None:
    """Return the answer of a fault that passes by itself, when one shall happen."""
    faults = ehr().faults
    busy = make_response("Too many requests", 429)
    busy.headers["Retry-After"] = "7"
    answers = {
        "token-500": _json({"error": "server_error"}, 500),
        "token-html": make_response("<html><body>Please sign in</body></html>", 200),
        "token-429": busy,
        "token-busy": _json({"error": "temporarily_unavailable"}, 400),
        "token-empty": _json({}, 200),
    }
    return next((answer for name, answer in answers.items() if faults.hits(name)), None)


@blueprint.post("/auth/revoke")
def revoke() -> Response:
    """End a token, and with it all that came from the same authorisation.

    Source: https://www.rfc-editor.org/rfc/rfc7009#section-2.1
    """
    if ehr().faults.hits("revocation-500"):
        return _json({"error": "server_error"}, 500)
    client = _client()
    if client is None:
        return _json({"error": "invalid_client"}, 401)
    token = request.form.get("token", "")
    refresh = ehr().grants.get(Refresh, token)
    access = refresh.access if refresh is not None else ehr().grants.get(Access, token)
    if access is not None and access.client_id == client.client_id:
        ehr().grants.revoke(access.family)
    return _json({}, 200)


def _client() -> Client | None:
    """Return the client, if it authenticated itself in the way it is registered for."""
    basic = request.authorization
    client_id = (
        basic.username
        if basic is not None and basic.type == "basic"
        else request.form.get("client_id")
    )
    assertion = request.form.get("client_assertion")
    if assertion is not None:
        return _signed_client(assertion)
    client = ehr().settings.client(client_id or "")
    if client is None or client.jwks is not None:
        return None
    given = (basic.password if basic is not None else request.form.get("client_secret")) or ""
    return client if hmac.compare_digest(given, client.client_secret or "") else None


def _signed_client(assertion: str) -> Client | None:
    """Return the client whose key signed the assertion.

    Source: https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html
    """
    if request.form.get("client_assertion_type") != _ASSERTION_TYPE:
        return None
    for client in ehr().settings.clients:
        if client.jwks is None:
            continue
        rules = jwt.JWTClaimsRegistry(
            now=int(time.time()),
            iss={"essential": True, "value": client.client_id},
            sub={"essential": True, "value": client.client_id},
            aud={"essential": True, "value": ehr().settings.public_url + request.path},
            exp={"essential": True},
            jti={"essential": True},
        )
        keys: Any = client.jwks
        try:
            claims = jwt.decode(
                assertion, KeySet.import_key_set(keys), algorithms=["RS384", "ES384"]
            ).claims
            rules.validate(claims)
        except (JoseError, ValueError):
            continue
        return client
    return None


def _for_code(client: Client) -> Response:
    authorization = ehr().grants.use_code(request.form.get("code", ""))
    verifier = request.form.get("code_verifier", "")
    if (
        authorization is None
        or authorization.client_id != client.client_id
        or authorization.redirect_uri != request.form.get("redirect_uri")
        or not verifier.isascii()
        or not hmac.compare_digest(code_challenge(verifier), authorization.code_challenge)
    ):
        return _json({"error": "invalid_grant"}, 400)
    access = Access(
        client.client_id, authorization.scope, authorization.patient, authorization.family
    )
    body = _access_body(access)
    scopes = access.scope.split()
    if "openid" in scopes and not ehr().faults.hits("no-id-token"):
        body["id_token"] = ehr().identity.id_token(
            client_id=client.client_id,
            nonce=authorization.nonce,
            patient=access.patient,
            user=authorization.user,
            signed_in_at=authorization.signed_in_at,
        )
    return _json(body, 200)


def _for_refresh(client: Client) -> Response:
    refresh = ehr().grants.take(Refresh, request.form.get("refresh_token", ""))
    if refresh is None or refresh.access.client_id != client.client_id:
        return _json({"error": "invalid_grant"}, 400)
    access = narrowed(refresh.access, request.form.get("scope"))
    return (
        _json({"error": "invalid_scope"}, 400)
        if access is None
        else _json(_access_body(access), 200)
    )


def _access_body(access: Access) -> dict[str, Any]:
    settings, grants, hits = ehr().settings, ehr().grants, ehr().faults.hits
    life_s = _SHORT_S if hits("short-token") else settings.token_life_s
    body: dict[str, Any] = {
        "access_token": grants.put(access, life_s=life_s),
        "token_type": "Bearer",
        "expires_in": life_s,
        "scope": access.scope,
        "need_patient_banner": True,
    }
    if access.patient is not None and not hits("missing-patient"):
        body["patient"] = "somebody-else" if hits("other-patient") else access.patient
    if {"online_access", "offline_access"} & set(access.scope.split()) and not hits("no-refresh"):
        body["refresh_token"] = grants.put(Refresh(access), life_s=settings.refresh_life_s)
    return body


def _json(body: dict[str, Any], status: int) -> Response:
    response = make_response(jsonify(body), status)
    response.headers["Cache-Control"] = "no-store"
    return response
