"""The second half of a sign-in: the EHR's answer becomes a launch, or a refusal in words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ivfhir.errors import LaunchError, ServerError
from ivfhir.fhir.texts import sound_name
from smart_app import audit
from smart_app.config import Ehr
from smart_app.services import AppServices
from smart_app.smart.cookies import dated_secret
from smart_app.smart.discovery import SmartConfiguration
from smart_app.smart.id_token import Identity, verify_id_token
from smart_app.smart.oauth import TokenAnswer
from smart_app.smart.renewal import token_client, usable_until

_ID = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9\-.]{1,64}")
_USER = re.compile(
    r"(?:https?://\S+/)?(Practitioner|PractitionerRole|Patient|RelatedPerson|Person)/[A-Za-z0-9\-.]{1,64}"
)
_ERROR_CODE = re.compile(r"[a-z_]{1,40}")
_LONGEST_WORDS = 300
_LEEWAY_S = 60


@dataclass(frozen=True, repr=False)
class FinishedSignIn:
    """A launch that this browser may now hold, and the page below it to show."""

    launch_id: str
    secret: str
    return_to: str


def finish_sign_in(
    app: AppServices, begun: Mapping[str, Any], answer: Mapping[str, str]
) -> FinishedSignIn:
    """Turn the EHR's answer into a launch.

    Args:
        app: the services.
        begun: what `/launch` kept.
        answer: the query of `/callback`.

    Raises:
        LaunchError: the EHR refused, or something in its answers is missing or not to be trusted.
        ServerError: the EHR did not answer.
    """
    _check_answer(begun, answer)
    ehr = app.settings.ehr_of(begun["iss"])
    if ehr is None:
        raise LaunchError(
            "This EHR is no longer in the app's settings.", mender="Whoever runs this app"
        )
    app.take_turn(begun["iss"])
    tokens = token_client(app, ehr, dict(begun)).exchange(
        answer["code"], code_verifier=begun["code_verifier"], redirect_uri=app.settings.redirect_uri
    )
    identity = _identity(app, ehr, begun, tokens)
    patient = tokens.patient
    if patient is None or not _ID.fullmatch(patient):
        raise LaunchError(
            "The EHR did not say which patient this is about. Open a patient's record first, then "
            "open the app from there."
        )
    _check_same(begun, patient, identity)
    _check_recent(app, begun, identity)
    return _keep(app, begun, tokens, patient, identity)


def _check_answer(begun: Mapping[str, Any], answer: Mapping[str, str]) -> None:
    """Refuse an error, an answer without code, and an answer of another issuer.

    Source: https://www.rfc-editor.org/rfc/rfc9207#section-2.4
    """
    issuer = answer.get("iss")
    if (issuer is None and begun["answers_with_iss"]) or (
        issuer is not None and issuer != begun["issuer"]
    ):
        raise LaunchError(
            "The answer came from another issuer than the EHR the sign-in was begun with."
        )
    code = answer.get("error")
    if code == "access_denied":
        raise LaunchError(
            "Access was refused in the EHR, so nothing was read. Open the app again and allow it, "
            "or ask who may.",
            mender="You",
        )
    if code is not None:
        named = code if _ERROR_CODE.fullmatch(code) else "unnamed error"
        words = answer.get("error_description", "")[:_LONGEST_WORDS]
        said = f' It says: "{words}"' if words.isprintable() and words else ""
        raise LaunchError(f"The EHR refused the sign-in ({named}).{said}")
    if not answer.get("code"):
        raise LaunchError("The EHR's answer holds no code, so the sign-in cannot go on.")


def _identity(
    app: AppServices, ehr: Ehr, begun: Mapping[str, Any], tokens: TokenAnswer
) -> Identity | None:
    """Return who signed in; None from an EHR without OpenID Connect, which sends no id_token."""
    if tokens.id_token is None:
        return None
    configuration = SmartConfiguration(
        issuer=begun["issuer"],
        authorization_endpoint="",
        token_endpoint=begun["token_endpoint"],
        jwks_uri=begun["jwks_uri"],
        capabilities=frozenset(),
        token_auth_methods=(),
        answers_with_iss=False,
    )
    check = partial(
        verify_id_token,
        tokens.id_token,
        issuer=begun["issuer"],
        client_id=ehr.client_id,
        nonce=begun["nonce"],
        now_s=int(app.clock().timestamp()),
    )
    identity = app.signing_keys.verify(configuration, lambda keys: check(jwks=keys))
    base = begun["iss"].rstrip("/") + "/"
    if identity.fhir_user is None or not _USER.fullmatch(identity.fhir_user):
        return replace(identity, fhir_user=None)
    return replace(identity, fhir_user=identity.fhir_user.removeprefix(base))


def _check_same(begun: Mapping[str, Any], patient: str, identity: Identity | None) -> None:
    """Refuse to come back to a page for another patient or user than it belongs to."""
    same = begun["same"]
    if same is None:
        return
    if same["subject"] != _subject(identity):
        raise LaunchError(
            "You signed in as another user than the one this page belongs to, so nothing was "
            "opened. Open the app again from the patient's record.",
            mender="You",
        )
    if same["patient"] != patient:
        raise LaunchError(
            "The EHR opened another patient than the one this page belongs to, so nothing was "
            "opened. Sign in again and choose the same patient, or open the app from that "
            "patient's record.",
            mender="You",
        )


def _check_recent(app: AppServices, begun: Mapping[str, Any], identity: Identity | None) -> None:
    """Refuse a sign-in for signing in which the EHR did not ask the user anew.

    Source: https://openid.net/specs/openid-connect-core-1_0.html#IDToken (auth_time)
    """
    most_s = begun.get("max_age_s")
    if most_s is None:
        return
    signed_in_at = identity.signed_in_at if identity else None
    if signed_in_at is None:
        raise LaunchError(
            "The EHR did not say when you signed in (auth_time), so no plan can be accepted with "
            "this sign-in. The draft is kept. Open the app again from the patient's record; your "
            "EHR administrator can let the EHR send auth_time."
        )
    now_s = app.clock().timestamp()
    if not -_LEEWAY_S <= now_s - signed_in_at <= most_s + _LEEWAY_S:
        raise LaunchError(
            "The EHR did not ask anew who you are, so no plan can be accepted with this sign-in. "
            "The draft is kept. Sign out of the EHR, then open the app again from the patient's "
            "record.",
            mender="You",
        )


def _keep(
    app: AppServices,
    begun: Mapping[str, Any],
    tokens: TokenAnswer,
    patient: str,
    identity: Identity | None,
) -> FinishedSignIn:
    now = int(app.clock().timestamp())
    expires_at = now + app.settings.session_hours * 3600
    body: dict[str, Any] = {
        "iss": begun["iss"],
        "token_endpoint": begun["token_endpoint"],
        "auth_methods": begun["auth_methods"],
        "revocation_endpoint": begun.get("revocation_endpoint"),
        "asked": begun["asked"],
        # "If omitted, identical to the scope requested":
        # https://www.rfc-editor.org/rfc/rfc6749#section-5.1
        "scope": begun["asked"] if tokens.scope is None else tokens.scope,
        "access_token": tokens.access_token,
        "patient": patient,
        "subject": _subject(identity),
        "signed_in_at": now,
        "fhir_user": identity.fhir_user if identity else None,
        "user_name": sound_name(_user_name(app, begun["iss"], tokens.access_token, identity) or ""),
    }
    if tokens.refresh_token is not None:
        body["refresh_token"] = tokens.refresh_token
    secret = dated_secret(app.clock().timestamp())
    left_at = app.store.save_launch(
        begun["launch_id"],
        secret,
        body,
        # Without a proven user nothing is taken over: the launch owns its drafts alone.
        owner=(begun["iss"].rstrip("/"), _subject(identity) or begun["launch_id"], patient),
        usable_until=usable_until(tokens, now=now, expires_at=expires_at),
        expires_at=expires_at,
    )
    audit.record_sign_in(
        ehr=begun["iss"].rstrip("/"),
        user=body["fhir_user"] or body["subject"],
        patient=f"Patient/{patient}",
        launch=begun["launch_id"],
        done=True,
        scope=body["scope"],
    )
    return FinishedSignIn(begun["launch_id"], secret, begun["return_to"] or left_at or "match")


def _subject(identity: Identity | None) -> str | None:
    return None if identity is None else identity.subject


def _user_name(
    app: AppServices, iss: str, access_token: str, identity: Identity | None
) -> str | None:
    """Return the user's name, from their FHIR resource or the id_token; None without."""
    if identity is None:
        return None
    reference = identity.fhir_user or ""
    if reference.startswith("Practitioner/"):
        try:
            resource = app.repository(iss, access_token).read(*reference.split("/"))
        except ServerError:
            return (
                identity.name
            )  # Without the right to read it, the EHR may still have told the name.
        return human_name(resource) or identity.name
    return identity.name


def human_name(resource: Mapping[str, Any]) -> str | None:
    """Return the first usable HumanName of a resource as text, None when it has none."""
    names = resource.get("name")
    for name in names if isinstance(names, list) else []:
        if isinstance(name, dict):
            parts = [*_texts(name.get("prefix")), *_texts(name.get("given"))]
            text = _texts([name.get("text")]) or [*parts, *_texts([name.get("family")])]
            if text:
                return " ".join(text)
    return None


def _texts(values: object) -> list[str]:
    """Return the texts of a list: a part of a name may be null, with an extension instead."""
    listed = values if isinstance(values, list) else []
    return [each for each in listed if isinstance(each, str) and each]
