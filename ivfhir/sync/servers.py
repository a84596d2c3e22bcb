"""Servers by name: the `[[server]]` tables of `ivfhir.toml`, and plain addresses."""

import os
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ivfhir.errors import SettingsError, UsageError
from ivfhir.servers.base_address import BaseAddress
from ivfhir.servers.http import HttpRepository
from ivfhir.servers.limits import Limits
from ivfhir.servers.transport import trusting_session

CONFIG = "ivfhir.toml"
_KEYS = frozenset({"name", "url", "token", "client_id", "private_key_file", "profile", "scope"})
_UNLIMITED = Limits(
    total_bytes=1 << 60, values=1 << 60, pages=1 << 40, entries=1 << 40
)  # A run is long; what one answer may hold stays limited.
_PREFER = "minimal"
"""What is written is read back anyway."""

SCOPE = "system/*.crus"


@dataclass(frozen=True)
class Server:
    """One server that can be written to.

    Attributes:
        name: what the command line calls it.
        url: FHIR base URL.
        token: bearer token; None for none.
        client_id: of a backend service that signs in with a key instead.
        private_key_file: its key, PEM or JWK.
        profile: name of a server profile; None to tell by the CapabilityStatement.
        scope: what a backend service asks for.
    """

    name: str
    url: str
    token: str | None = field(default=None, repr=False)
    client_id: str | None = None
    private_key_file: str | None = None
    profile: str | None = None
    scope: str = SCOPE


def find_servers(words: list[str], config: Path | None) -> list[Server]:
    """Return the servers that `--to` names, each once.

    Args:
        words: a URL or the name of a table each.
        config: the settings file; None takes `ivfhir.toml` of this folder when it is there.

    Raises:
        UsageError: a word is neither.
        SettingsError: a table cannot be meant.
    """
    known = {server.name: server for server in read_servers(config)}
    found: dict[str, Server] = {}
    token = os.environ.get("IVFHIR_TOKEN", "").strip() or None
    plain: set[str] = set()
    for word in words:
        if word.lower().startswith(("http://", "https://")):
            url = BaseAddress(word).url.rstrip("/")
            same = next((each for each in known.values() if each.url.rstrip("/") == url), None)
            server = same or Server(url, url, token)
            plain |= set() if same else {url}
        elif word in known:
            server = known[word]
        else:
            names = f" There is: {', '.join(known)}." if known else ""
            raise UsageError(
                f"'{word}' is no address and no [[server]] of the settings; give "
                f"https://host/fhir, or --config FILE.{names}"
            )
        found.setdefault(server.url.rstrip("/"), server)
    if token is not None and len(plain) > 1:
        raise UsageError(
            "IVFHIR_TOKEN is for one server, and several addresses are given; name them as "
            "[[server]] with a token each."
        )
    return list(found.values())


_Renew = Callable[[str], str | None]


class Connector:
    """Makes connections to a server; those of one server share its token."""

    def __init__(
        self,
        connect: Callable[[], HttpRepository],
        *,
        address: str,
        scope: Callable[[], str] = lambda: "",
    ) -> None:
        """Connect to nothing yet.

        Args:
            connect: makes a connection.
            address: the server's.
            scope: returns the system scopes that the server granted; '' where nobody says.
        """
        self._connect, self._scope = connect, scope
        self.address = address.rstrip("/") + "/"

    def __call__(self) -> HttpRepository:
        """Return a connection of its own for a thread."""
        return self._connect()

    def scope(self) -> str:
        """Return the system scopes of the last token; '' where nobody says."""
        return self._scope()


def connector(
    server: Server,
    *,
    ca_file: str | None = None,
    connect: Callable[[str | None, _Renew | None], HttpRepository] | None = None,
) -> Connector:
    """Return what makes connections to a server.

    Args:
        server: the server.
        ca_file: certificates to trust, None for those of the machine.
        connect: makes one, from a token and what renews it; None for one that has no end in time
            and number of answers, as a run of `ivfhir sync` needs it.

    Raises:
        UsageError: the extra for backend services is missing.
    """

    def unlimited(token: str | None, renew: _Renew | None) -> HttpRepository:
        return HttpRepository(
            server.url,
            token=token,
            session=trusting_session(ca_file),
            renew=renew,
            limits=_UNLIMITED,
            prefer=_PREFER,
        )

    made = connect or unlimited
    if server.client_id is None:
        return Connector(lambda: made(server.token, None), address=server.url)
    try:
        from ivfhir.servers.backend_service import BackendService  # noqa: PLC0415 - an extra
    except ModuleNotFoundError:
        raise UsageError(
            f"{server.name} signs in with a key, which needs: pip install 'ivfhir[sync]'."
        ) from None
    service = BackendService(
        server.url,
        server.client_id,
        Path(server.private_key_file or ""),
        scope=server.scope,
        ca_file=ca_file,
    )
    return Connector(
        lambda: made(service.token(), service.renew),
        address=server.url,
        scope=lambda: service.scope,
    )


def read_servers(config: Path | None) -> list[Server]:
    """Return the `[[server]]` tables of a settings file.

    Args:
        config: the file; None takes `ivfhir.toml` of this folder when it is there.

    Raises:
        SettingsError: the file cannot be read, or a table cannot be meant.
    """
    path = config or Path(CONFIG)
    if config is None and not path.is_file():
        return []
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8")).get("server", [])
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} cannot be read as TOML ({error}).") from None
    if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
        raise SettingsError(f"{path}: servers are tables [[server]], in double brackets.")
    servers = [_server(table, path) for table in tables]
    names = [server.name for server in servers]
    if len(set(names)) < len(names):
        raise SettingsError(f"{path} names two servers alike; a name is for one.")
    return servers


def _server(table: dict[str, object], path: Path) -> Server:
    unknown = set(table) - _KEYS
    if unknown or not all(isinstance(value, str) for value in table.values()):
        raise SettingsError(
            f"{path}: a [[server]] has text under {', '.join(sorted(_KEYS))}, and no more."
        )
    texts = {key: str(value) for key, value in table.items()}
    if not texts.get("name") or not texts.get("url"):
        raise SettingsError(f"{path}: each [[server]] needs a name and a url.")
    if ("client_id" in texts) != ("private_key_file" in texts):
        raise SettingsError(
            f"{path}: server {texts['name']} needs client_id and private_key_file together."
        )
    if "client_id" in texts and "token" in texts:
        raise SettingsError(f"{path}: server {texts['name']} has a token and a key; leave one.")
    BaseAddress(texts["url"])
    if "private_key_file" in texts:
        texts["private_key_file"] = str(path.parent / texts["private_key_file"])
    return Server(**texts)
