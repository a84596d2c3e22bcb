"""What a launch needs: the app, a simulated EHR on a port, a real FHIR server behind it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from jinja2.bccache import Bucket, BytecodeCache
from joserfc.jwk import RSAKey
from werkzeug.test import TestResponse

from ivfhir.knowledge.load import load_protocols
from ivfhir.knowledge.registry import Registry
from ivfhir.knowledge.route import load_route
from ivfhir.servers.http import HttpRepository
from smart_app.app import create_app
from smart_app.config import Ehr, Settings
from smart_app.fake_ehr import Client, FakeEhrSettings, create_fake_ehr
from smart_app.fake_ehr.faults import Fault, Faults
from smart_app.fake_ehr.grants import Grants
from smart_app.fake_ehr.identity import new_signing_key
from smart_app.fake_ehr.sample_patients import load_samples
from smart_app.local_server import listen, serving
from tests.servers.sekmet_server import run_sekmet
from tests.smart_app.tables_once import begin_with_tables

APP_URL = "https://app.example"
CLIENT_ID = "ivfhir-test"


@dataclass
class Clock:
    """The present moment, which a test may move."""

    ahead: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        """Return the moment."""
        return datetime.now(UTC) + self.ahead


@dataclass(frozen=True)
class RunningEhr:
    """A simulated EHR on a port of its own."""

    settings: FakeEhrSettings
    faults: Faults
    grants: Grants

    @property
    def iss(self) -> str:
        return self.settings.iss

    def fail(self, name: str, **how: object) -> None:
        """Let a fault happen, once unless said otherwise."""
        self.faults.add(Fault(**{"name": name, "times": 1, **how}))

    def launch_query(self, patient: str) -> str:
        """Press the launch button; return the query it opens the app with."""
        answer = requests.get(
            f"{self.settings.public_url}/open/{patient}", allow_redirects=False, timeout=10
        )
        return urlsplit(answer.headers["Location"]).query

    def sign_in(self, authorize_url: str, *, patient: str | None = None) -> str:
        """Go to the authorization endpoint as the browser does; return the way back."""
        answer = requests.get(authorize_url, allow_redirects=False, timeout=10)
        if patient is not None:
            waiting = answer.text.split("/auth/choose/")[1].split("/")[0]
            answer = requests.get(
                f"{self.settings.public_url}/auth/choose/{waiting}/{patient}",
                allow_redirects=False,
                timeout=10,
            )
        parts = urlsplit(answer.headers["Location"])
        assert f"{parts.scheme}://{parts.netloc}" == APP_URL
        return f"{parts.path}?{parts.query}"


@dataclass(frozen=True)
class Launched:
    """A browser that holds a launch."""

    client: FlaskClient
    launch_id: str
    response: TestResponse

    def url(self, page: str) -> str:
        """Return the path of a page of the launch."""
        return f"/l/{self.launch_id}/{page}"


@contextmanager
def running_samples(*names: str) -> Iterator[str]:
    """Run a FHIR server with the sample patients while the block runs; give its base URL.

    Args:
        names: of those that are wanted; none for all.
    """
    with run_sekmet() as base:
        repository = HttpRepository(base, session=requests.Session())
        load_samples(repository, datetime.now(UTC).date(), names)
        yield base


@pytest.fixture(scope="session")
def fhir_server() -> Iterator[str]:
    """Base URL of a FHIR server with the sample patients, shared by all tests of this folder."""
    with running_samples() as base:
        yield base


@pytest.fixture
def ehr_options() -> dict[str, object]:
    """What the simulated EHR is set up with beyond the usual; tests override it."""
    return {}


@pytest.fixture
def client_options() -> dict[str, object]:
    """How the app is registered beyond the usual: secret or keys; tests override it."""
    return {}


@pytest.fixture
def fake_ehr(
    fhir_server: str, ehr_options: dict[str, object], client_options: dict[str, object]
) -> Iterator[RunningEhr]:
    """A simulated EHR of this test's own."""
    listener = listen("127.0.0.1", 0, option="--port")
    client = Client(
        client_id=CLIENT_ID,
        redirect_uri=f"{APP_URL}/callback",
        launch_url=f"{APP_URL}/launch",
        **client_options,
    )
    settings = FakeEhrSettings(
        public_url=f"http://127.0.0.1:{listener.getsockname()[1]}",
        fhir_upstream=fhir_server,
        clients=(client,),
        **ehr_options,
    )
    ehr = create_fake_ehr(settings, key=_signing_key())
    with serving([(listener, ehr, None)]):
        parts = ehr.extensions["fake_ehr"]
        yield RunningEhr(settings, parts.faults, parts.grants)


@pytest.fixture
def clock() -> Clock:
    """The app's clock."""
    return Clock()


@pytest.fixture
def registration() -> dict[str, object]:
    """The app's settings of the EHR beyond the usual; tests override it."""
    return {}


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """The app's database; tests override it."""
    return f"sqlite:///{tmp_path / 'app.sqlite3'}"


@pytest.fixture
def app(
    fake_ehr: RunningEhr,
    clock: Clock,
    *,
    registration: dict[str, object],
    database_url: str,
    tmp_path: Path,
    make_app: Callable[..., Flask],
) -> Flask:
    """The app, set up for the simulated EHR, with a database of its own."""
    settings = Settings(
        public_url=APP_URL,
        ehrs=(Ehr(iss=fake_ehr.iss, client_id=CLIENT_ID, name="Test EHR", **registration),),
        database_url=database_url,
        key_file=str(tmp_path / "key"),
        timeout_s=5,
        log_level="error",
    )
    app = make_app(settings, clock=clock)
    yield app
    app.extensions["ivfhir"].store.close()


@pytest.fixture
def make_app() -> Callable[..., Flask]:
    """What makes an app: `create_app` with our protocols, compiled once for all."""
    return app_of_shared_protocols


def app_of_shared_protocols(settings: Settings, **how: Any) -> Flask:
    """Return an app that asks an EHR again at once.

    Without an overlay its protocols are those of every other one made here.
    """
    begin_with_tables(settings.database_url)
    how = {"pause": lambda _seconds: None, **how}
    if settings.overlay is not None:
        return create_app(settings, **how)
    registry, protocols, route = _shared_protocols()
    app = create_app(settings, protocols=lambda _: protocols, **how)
    app.extensions["ivfhir"].registry = registry
    app.extensions["ivfhir"].route = route
    app.jinja_env.bytecode_cache = _TEMPLATES
    return app


class CompiledTemplates(BytecodeCache):
    """The templates of our pages, compiled once for all apps of a process."""

    def __init__(self) -> None:
        """Begin with none."""
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give what was compiled of this source."""
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        self._kept[bucket.key] = bucket.bytecode_to_string()


_TEMPLATES = CompiledTemplates()


@cache
def _signing_key() -> RSAKey:
    return new_signing_key()


@cache
def _shared_protocols() -> tuple[Registry, Any, Any]:
    registry = Registry()
    return registry, load_protocols(registry), load_route(registry)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser of the app."""
    return new_client(app)


def new_client(app: Flask) -> FlaskClient:
    """Return a browser without cookies, which reaches the app over https."""
    client = app.test_client()
    client.environ_base["wsgi.url_scheme"] = "https"
    client.environ_base["HTTP_HOST"] = "app.example"
    return client


def come_back(client: FlaskClient, path: str) -> TestResponse:
    """Open `/callback`; where it leads to the page of a problem, return that page."""
    answer = client.get(path)
    if "/problem?" in answer.headers.get("Location", ""):
        assert answer.status_code == 303
        return client.get(answer.headers["Location"])
    return answer


@pytest.fixture
def begin(fake_ehr: RunningEhr) -> Callable[..., str]:
    """A function that launches, and returns path and query of `/callback` before it is opened."""

    def begin_launch(client: FlaskClient, patient: str = "halloran") -> str:
        answer = client.get(f"/launch?{fake_ehr.launch_query(patient)}")
        assert answer.status_code == 303, answer.text
        return fake_ehr.sign_in(answer.headers["Location"])

    return begin_launch


@pytest.fixture
def launch_for(begin: Callable[..., str]) -> Callable[..., Launched]:
    """A function that opens the app for a patient and returns the browser with its launch."""

    def launch(client: FlaskClient, patient: str = "halloran") -> Launched:
        answer = client.get(begin(client, patient))
        assert answer.status_code == 303, answer.text
        return Launched(client, answer.headers["Location"].split("/")[2], answer)

    return launch


@pytest.fixture
def launched(client: FlaskClient, launch_for: Callable[..., Launched]) -> Launched:
    """A browser that holds a launch for the eligible patient."""
    return launch_for(client)


def query_of(url: str) -> dict[str, str]:
    """Return the query of a URL, one value a name."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
