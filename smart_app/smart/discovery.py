"""Where an EHR's sign-in is and what it can do: `[iss]/.well-known/smart-configuration`.

Source: https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html#using-well-known
"""

from dataclasses import dataclass
from typing import Any

from ivfhir.errors import LaunchError
from smart_app.smart.answer_cache import Fresh
from smart_app.smart.http import EhrHttp
from smart_app.urls import is_trustworthy


@dataclass(frozen=True)
class SmartConfiguration:
    """What the app uses of an EHR's SMART configuration."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str | None
    capabilities: frozenset[str]
    token_auth_methods: tuple[str, ...]
    answers_with_iss: bool
    revocation_endpoint: str | None = None
    scopes: tuple[str, ...] = ()

    @property
    def allows_standalone(self) -> bool:
        """Tell whether the user can sign in without the EHR's own launch button."""
        return "launch-standalone" in self.capabilities or not self.capabilities


def discover(
    iss: str, http: EhrHttp, *, allow_http: bool = False, etag: str | None = None
) -> Fresh[SmartConfiguration]:
    """Return the SMART configuration of the FHIR server `iss`, and how long it holds.

    Args:
        iss: the FHIR base URL, from the app's own settings.
        http: the client to ask with.
        allow_http: accept endpoints on plain http (test networks).
        etag: that of a configuration which need not be sent again.

    Raises:
        LaunchError: it cannot be had, lacks an endpoint, names an untrusted one, or does not know
            PKCE S256.
    """
    fetched = http.get_json_if_changed(
        f"{iss.rstrip('/')}/.well-known/smart-configuration",
        "its SMART configuration",
        etag=etag,
    )
    if fetched.body is None:
        return Fresh(None, fetched.headers)
    return Fresh(_configuration(fetched.body, iss, allow_http), fetched.headers)


def _configuration(raw: dict[str, Any], iss: str, allow_http: bool) -> SmartConfiguration:
    endpoints = {
        name: _endpoint(raw, name, allow_http)
        for name in ("authorization_endpoint", "token_endpoint")
    }
    methods = _texts(raw, "code_challenge_methods_supported")
    if methods and "S256" not in methods:
        raise LaunchError(
            "The EHR does not support PKCE with S256, without which the app does not sign in."
        )
    issuer = raw.get("issuer")
    return SmartConfiguration(
        issuer=issuer if isinstance(issuer, str) and issuer else iss,
        jwks_uri=_endpoint(raw, "jwks_uri", allow_http) if raw.get("jwks_uri") else None,
        capabilities=frozenset(_texts(raw, "capabilities")),
        token_auth_methods=_texts(raw, "token_endpoint_auth_methods_supported"),
        answers_with_iss=raw.get("authorization_response_iss_parameter_supported") is True,
        revocation_endpoint=_revocation_endpoint(raw, allow_http),
        scopes=_texts(raw, "scopes_supported"),
        **endpoints,
    )


def find_jwks_uri(
    configuration: SmartConfiguration, http: EhrHttp, *, allow_http: bool = False
) -> str:
    """Return where the EHR's signing keys are: as its SMART or else its OpenID configuration says.

    Source:
        https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfigurationValidation

    Raises:
        LaunchError: neither names it, or the OpenID configuration is another issuer's.
    """
    if configuration.jwks_uri is not None:
        return configuration.jwks_uri
    url = f"{configuration.issuer.rstrip('/')}/.well-known/openid-configuration"
    if not is_trustworthy(url) and not allow_http:
        raise LaunchError(
            "The EHR's issuer is not an https URL, so its signing keys cannot be trusted."
        )
    raw = http.get_json(url, "its OpenID configuration")
    if raw.get("issuer") != configuration.issuer:
        raise LaunchError(
            "The EHR's OpenID configuration names another issuer than its SMART configuration."
        )
    return _endpoint(raw, "jwks_uri", allow_http)


def _endpoint(raw: dict[str, Any], name: str, allow_http: bool) -> str:
    url = raw.get(name)
    if not isinstance(url, str) or not url:
        raise LaunchError(
            f"The EHR's configuration does not name its {name}, so the app cannot sign in."
        )
    if not is_trustworthy(url, allow_http=allow_http):
        raise LaunchError(
            f"The EHR's {name} is not an https URL, so the app does not send anything to it."
        )
    return url


def _revocation_endpoint(raw: dict[str, Any], allow_http: bool) -> str | None:
    """Return where tokens can be revoked; None when it is not offered, or not to be trusted.

    Source: https://www.rfc-editor.org/rfc/rfc8414#section-2
    """
    url = raw.get("revocation_endpoint")
    return url if isinstance(url, str) and is_trustworthy(url, allow_http=allow_http) else None


def _texts(raw: dict[str, Any], name: str) -> tuple[str, ...]:
    value = raw.get(name)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
