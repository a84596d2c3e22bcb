"""Settings of the app: `ivfhir.toml`, each also as an environment variable `IVFHIR_…` that wins."""

import dataclasses
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ivfhir.errors import SettingsError
from ivfhir.sync.servers import Server, read_servers
from smart_app.urls import is_trustworthy, origin_of

_LONGEST_WRITE_S = 110
_SHORTEST_SECRET = 24
_TABLES = ("ehrs", "servers")
"""Fields that are tables of the file."""


def _doc(text: str, default: object = dataclasses.MISSING, *, secret: bool = False) -> Any:  # noqa: ANN401 - as dataclasses.field itself
    """Return a dataclass field with its line of the README's table; a secret is not in the repr."""
    return field(default=default, repr=not secret, metadata={"doc": text})


@dataclass(frozen=True)
class Ehr:
    """One EHR that may launch the app: a table `[[ehr]]` of `ivfhir.toml`, or `IVFHIR_EHR_…`."""

    iss: str = _doc("FHIR base URL of the EHR, exactly as it launches with (`iss`)")
    client_id: str = _doc("the id under which the EHR registered this app")
    name: str = _doc("what the pages call this EHR", "the EHR")
    client_secret: str | None = _doc("secret of a confidential client", None, secret=True)
    private_key_file: str | None = _doc(
        "private key (PEM or JWK; RSA or EC P-384) of a confidential client that signs instead",
        None,
    )
    origins: tuple[str, ...] = _doc(
        "pages that may show the app in a frame, such as `https://ehr.example`; the origin of "
        "`iss` is always among them",
        (),
    )
    scopes: str | None = _doc("scopes to ask for, instead of those that the protocols need", None)
    audit_to_ehr: str = _doc(
        "write the audit trail's events to this EHR too: `where-allowed` (its SMART configuration "
        "names the scope to create AuditEvents, or grants it unasked), `ask` (ask for the scope "
        "although it is not named), `no`",
        "where-allowed",
    )
    offline_access: bool = _doc(
        "ask for access that outlives the user's session in the EHR, where it gives no other "
        "refresh token",
        False,
    )

    @property
    def frame_origins(self) -> tuple[str, ...]:
        """The origins that may frame the app, without doubles, in the order of the settings."""
        return tuple(dict.fromkeys((origin_of(self.iss), *self.origins)))


@dataclass(frozen=True)
class Settings:
    """Every setting of the app.

    Raises:
        SettingsError: a value cannot be meant; the message names the setting.
    """

    public_url: str = _doc(
        "where browsers reach the app; its redirect URI is this plus `/callback`"
    )
    ehrs: tuple[Ehr, ...] = _doc("the EHRs that may launch the app", ())
    servers: tuple[Server, ...] = _doc("backend services, by the server's address", ())
    host: str = _doc("address to listen on", "127.0.0.1")
    port: int = _doc("port to listen on", 8000)
    overlay: str | None = _doc(
        "folder of the site's overlay (docs/overlay.md): its own thresholds and regimens", None
    )
    time_zone: str = _doc("the site's time zone, an IANA name", "UTC")
    database_url: str = _doc(
        "SQLAlchemy URL of launches, drafts and receipts", "sqlite:///ivfhir.sqlite3"
    )
    key: str | None = _doc(
        "32 bytes in base64url that encrypt what the database holds; older keys may follow after "
        "a blank",
        None,
        secret=True,
    )
    key_file: str = _doc(
        "file with that key, made when absent; unused when `key` is given; older keys may follow "
        "on lines of their own",
        "ivfhir.key",
    )
    sign_in_minutes: int = _doc("how long a begun sign-in may take", 10)
    session_hours: int = _doc("how long a launch lasts at most", 12)
    idle_minutes: int = _doc("minutes without a page after which a launch ends; drafts stay", 30)
    signing_minutes: int = _doc(
        "accepting a plan needs a sign-in at most this old: otherwise the EHR asks again who is "
        "there; 0 for any age",
        60,
    )
    address_per_minute: int = _doc(
        "launches, and as many sign-ins and accepted plans, a minute from one address (IPv6: one "
        "/64 network); 0 for no limit",
        600,
    )
    ehr_per_minute: int = _doc("the same for one EHR", 1200)
    keep_days: int = _doc(
        "days after which an ended launch is removed with its drafts and receipts; one with an "
        "accepted plan that waits or is parked stays",
        30,
    )
    audit_days: int = _doc("days after which events of the audit trail are removed", 3653)
    outbox_hours: int = _doc(
        "hours for which an accepted plan is sent again by itself while the EHR does not take it",
        72,
    )
    outbox_thread: bool = _doc(
        "let each process of the app send what waits; false where `ivfhir worker` does", True
    )
    admin_secret: str | None = _doc(
        "password (24 characters or more) with which `/admin/outbox` shows what waits to be sent; "
        "without one there is no such page",
        None,
        secret=True,
    )
    timeout_s: int = _doc("seconds to wait for an answer of the EHR", 20)
    page_timeout_s: int = _doc(
        "seconds that all answers of the EHR for one page may take together", 30
    )
    write_timeout_s: int = _doc(
        "the same for a request that writes, at most 110 (a claim on a draft lasts 120)", 100
    )
    answer_mib: int = _doc("MiB of one answer of the EHR, after decompression", 16)
    read_mib: int = _doc("MiB of all answers of the EHR for one page together", 32)
    read_pages: int = _doc("pages of search results read for one page of the app", 300)
    read_entries: int = _doc("entries of search results read for one page of the app", 20_000)
    ehr_parallel: int = _doc(
        "requests that call one EHR at the same time, in each worker; 0 for half of `threads`", 0
    )
    ehr_cache_s: int = _doc(
        "seconds for which an EHR's configuration and CapabilityStatement hold when it does not "
        "say how long (at most an hour)",
        300,
    )
    ca_file: str | None = _doc(
        "certificates to trust when calling the EHR, instead of the public ones", None
    )
    allow_http: bool = _doc(
        "accept plain http from hosts other than this machine; test networks only", False
    )
    trusted_proxies: int = _doc("reverse proxies in front whose `X-Forwarded-…` headers count", 0)
    workers: int = _doc("gunicorn worker processes", 2)
    threads: int = _doc(
        "threads of each worker; one EHR gets five eighths of them, so that others have some left",
        16,
    )
    metrics_port: int = _doc("port of the figures for Prometheus; 0 for none", 0)
    metrics_host: str = _doc("address on which these figures are", "127.0.0.1")
    log_level: str = _doc("debug, info, warning or error", "info")

    def __post_init__(self) -> None:
        """Refuse what cannot be meant, before the first request comes."""
        object.__setattr__(self, "public_url", self.public_url.rstrip("/"))
        _check_url("public_url", self.public_url, allow_http=False)
        if origin_of(self.public_url) != self.public_url:
            raise SettingsError(
                "public_url must be scheme, host and port alone, such as https://app.example."
            )
        for ehr in self.ehrs:
            if ehr.audit_to_ehr not in ("where-allowed", "ask", "no"):
                raise SettingsError("ehr.audit_to_ehr must be where-allowed, ask or no.")
            _check_url("ehr.iss", ehr.iss, allow_http=self.allow_http)
            for origin in ehr.origins:
                if origin_of(origin) != origin:
                    raise SettingsError(
                        f"ehr.origins: {origin!r} is not an origin such as https://ehr.example (no "
                        "path)."
                    )
        if len({ehr.iss.rstrip("/") for ehr in self.ehrs}) != len(self.ehrs):
            raise SettingsError("ehr.iss: two EHRs have the same iss; keep one of them.")
        self._check_limits()
        if self.log_level not in ("debug", "info", "warning", "error"):
            raise SettingsError("log_level must be debug, info, warning or error.")
        try:
            ZoneInfo(self.time_zone)
        except (ValueError, OSError, KeyError) as error:
            raise SettingsError(
                f"time_zone: {self.time_zone!r} is no IANA time zone, such as Europe/Berlin."
            ) from error

    def _check_limits(self) -> None:
        for name in (
            *("timeout_s", "page_timeout_s", "answer_mib", "read_mib", "read_pages"),
            *("idle_minutes", "keep_days", "audit_days", "outbox_hours"),
        ):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name} must be 1 or more.")
        if self.admin_secret is not None and len(self.admin_secret) < _SHORTEST_SECRET:
            raise SettingsError(
                f"admin_secret must have {_SHORTEST_SECRET} characters or more; "
                "`openssl rand -base64 32` makes one."
            )
        if not 1 <= self.write_timeout_s <= _LONGEST_WRITE_S:
            raise SettingsError(f"write_timeout_s must be 1 to {_LONGEST_WRITE_S}.")

    @property
    def redirect_uri(self) -> str:
        """The one redirect URI to register with every EHR."""
        return f"{self.public_url}/callback"

    @property
    def https(self) -> bool:
        """Tell whether browsers reach the app over https."""
        return self.public_url.startswith("https://")

    @property
    def launch_url(self) -> str:
        """The launch URL to register with every EHR."""
        return f"{self.public_url}/launch"

    def ehr_of(self, iss: str) -> Ehr | None:
        """Return the EHR with that `iss` (a slash at its end does not matter), None if unknown."""
        wanted = iss.removesuffix("/")
        return next((ehr for ehr in self.ehrs if ehr.iss.removesuffix("/") == wanted), None)


def _check_url(name: str, url: str, *, allow_http: bool) -> None:
    if not is_trustworthy(url, allow_http=allow_http):
        raise SettingsError(f"{name}: {url!r} must be an https URL (http only on this machine).")


def load_settings(path: Path | None, environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of a file, each overridden by its environment variable.

    Args:
        path: an `ivfhir.toml`; None for the environment alone.
        environ: the environment, by default the process's.

    Raises:
        SettingsError: the file is missing or not TOML, a name is unknown, a value is of the wrong
            type.
    """
    environ = os.environ if environ is None else environ
    raw = _read_toml(path)
    ehrs = raw.pop("ehr", [])
    servers = () if raw.pop("server", None) is None else tuple(read_servers(path))
    if not isinstance(ehrs, list) or not all(isinstance(ehr, dict) for ehr in ehrs):
        raise SettingsError("ehr must be tables: write [[ehr]] before each EHR.")
    from_environ = _from_environ(Ehr, "IVFHIR_EHR_", environ)
    if from_environ:
        if len(ehrs) > 1:
            raise SettingsError(
                "IVFHIR_EHR_… needs a file with at most one [[ehr]], or it is unclear which one it "
                "means."
            )
        ehrs = [{**(ehrs[0] if ehrs else {}), **from_environ}]
    values = {**raw, **_from_environ(Settings, "IVFHIR_", environ)}
    return Settings(
        **_typed(Settings, values),
        ehrs=tuple(Ehr(**_typed(Ehr, ehr, "ehr.")) for ehr in ehrs),
        servers=servers,
    )


def setting_rows() -> list[tuple[str, str, str, str]]:
    """Return a row a setting: name in the file, variable, default as text, what it does."""
    rows = []
    for prefix, variable, model in (("", "IVFHIR_", Settings), ("ehr.", "IVFHIR_EHR_", Ehr)):
        for item in dataclasses.fields(model):
            if item.name in _TABLES:
                continue
            default = (
                "required" if item.default is dataclasses.MISSING else _default_text(item.default)
            )
            rows.append(
                (prefix + item.name, variable + item.name.upper(), default, item.metadata["doc"])
            )
    return rows


def _default_text(value: object) -> str:
    if value is None or value == ():
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _read_toml(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be read: {error.strerror}. Name the file with --config."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not TOML: {error}.") from error


def _from_environ(model: type, prefix: str, environ: Mapping[str, str]) -> dict[str, str]:
    names = [item.name for item in dataclasses.fields(model) if item.name not in _TABLES]
    return {
        name: environ[prefix + name.upper()] for name in names if prefix + name.upper() in environ
    }


def _typed(model: type, values: Mapping[str, Any], where: str = "") -> dict[str, Any]:
    fields = {item.name: item for item in dataclasses.fields(model) if item.name not in _TABLES}
    for name in values:
        if name not in fields:
            raise SettingsError(f"{where}{name} is not a setting; the README's table lists them.")
    for name, item in fields.items():
        if item.default is dataclasses.MISSING and name not in values:
            raise SettingsError(f"{where}{name} is missing: {item.metadata['doc']}.")
    return {
        name: _convert(where + name, str(fields[name].type), value)
        for name, value in values.items()
    }


def _convert(name: str, kind: str, value: object) -> object:
    """Turn a TOML value or an environment's text into what the field holds."""
    if "tuple" in kind:
        items = value.split() if isinstance(value, str) else value
        if isinstance(items, list) and all(isinstance(item, str) for item in items):
            return tuple(items)
    elif "bool" in kind:
        if isinstance(value, bool) or str(value).lower() in ("true", "false", "1", "0"):
            return value if isinstance(value, bool) else str(value).lower() in ("true", "1")
    elif "int" in kind:
        if str(value).isascii() and str(value).isdigit():
            return int(str(value))
    elif isinstance(value, str):
        return value
    raise SettingsError(f"{name} must be {_kind_in_words(kind)}.")


def _kind_in_words(kind: str) -> str:
    for word, words in (
        ("tuple", "a list of texts"),
        ("bool", "true or false"),
        ("int", "a whole number, 0 or more"),
    ):
        if word in kind:
            return words
    return "a text"
