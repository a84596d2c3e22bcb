"""The nginx example, started for real: TLS, HSTS, its own headers, and the journey in a frame."""

import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from flask import Flask, jsonify, request
from playwright.sync_api import Browser

from ivfhir.servers.http import HttpRepository
from smart_app.demo_certificate import make_certificate
from smart_app.fake_ehr import Client, FakeEhrSettings, create_fake_ehr
from smart_app.fake_ehr.sample_patients import load_samples
from smart_app.local_server import listen, serving
from tests.servers.needs import need
from tests.smart_app.test_journey_in_browser import walk, written
from tests.smart_app.test_killed_in_a_write import free_port, wait_until

EXAMPLE = Path(__file__).parents[2] / "deploy" / "nginx.conf"
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin")

pytestmark = pytest.mark.server


@dataclass(frozen=True)
class Proxy:
    """A running nginx: its two addresses, the file of its certificate, and its folder."""

    https: str
    http: str
    certificate: Path
    folder: Path


@contextmanager
def running_nginx(folder: Path, upstream_port: int, https_port: int) -> Iterator[Proxy]:
    """Run the example with names and ports of this machine."""
    need(None if NGINX else "needs nginx: apt-get install -y --no-install-recommends nginx")
    certificate, http_port = make_certificate(folder), free_port(above=900)
    text = EXAMPLE.read_text(encoding="utf-8")
    for theirs, ours in (
        ("listen [::]:80;", ""),
        ("listen [::]:443 ssl http2;", ""),
        ("listen [::]:443 ssl default_server;", ""),
        ("listen 80;", f"listen 127.0.0.1:{http_port};"),
        ("listen 443 ssl http2;", f"listen 127.0.0.1:{https_port} ssl http2;"),
        ("listen 443 ssl default", f"listen 127.0.0.1:{https_port} ssl default"),
        ("https://ivfhir.hospital.example$", f"https://localhost:{https_port}$"),
        ("server_name ivfhir.hospital.example;", "server_name localhost;"),
        ("127.0.0.1:8000", f"127.0.0.1:{upstream_port}"),
        ("/etc/ssl/certs/ivfhir.pem", str(certificate)),
        ("/etc/ssl/private/ivfhir.key", str(certificate)),
        ("/run/nginx.pid", str(folder / "nginx.pid")),
        ("/var/log/nginx", str(folder)),
    ):
        assert theirs in text, theirs
        text = text.replace(theirs, ours)
    configuration = folder / "nginx.conf"
    configuration.write_text(text, encoding="utf-8")
    command = [str(NGINX), "-p", str(folder), "-e", str(folder / "error.log")]
    command += ["-c", str(configuration)]
    subprocess.run([*command, "-t", "-q"], check=True)
    with subprocess.Popen([*command, "-g", "daemon off;"]) as process:
        try:
            wait_until(lambda: accepts(https_port), within_s=20)
            yield Proxy(
                f"https://localhost:{https_port}",
                f"http://127.0.0.1:{http_port}",
                certificate,
                folder,
            )
        finally:
            process.terminate()


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def echo(tmp_path: Path) -> Iterator[Proxy]:
    """The proxy in front of a server that shows which headers reached it."""
    app = Flask("echo")
    app.add_url_rule("/<path:_path>", view_func=lambda _path: jsonify(dict(request.headers)))
    listener = listen("127.0.0.1", 0, option="--port")
    with (
        serving([(listener, app, None)]),
        running_nginx(tmp_path, listener.getsockname()[1], free_port(above=800)) as proxy,
    ):
        yield proxy


def get(proxy: Proxy, path: str, **headers: str) -> requests.Response:
    return requests.get(
        f"{proxy.https}{path}", headers=headers, verify=str(proxy.certificate), timeout=10
    )


def test_what_a_browser_claims_of_its_address_does_not_reach_the_app(echo: Proxy) -> None:
    claims = {
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Prefix": "/evil",
        "X-Forwarded-Port": "1",
        "Forwarded": "for=203.0.113.9;host=evil.example",
    }
    seen = get(echo, "/anything", **claims).json()
    assert seen["X-Forwarded-For"] == "127.0.0.1"
    assert seen["X-Forwarded-Proto"] == "https"
    assert seen["X-Forwarded-Host"] == "localhost"
    assert "evil" not in str(seen)
    assert "203.0.113.9" not in str(seen)


def test_every_answer_asks_for_https_for_a_year(echo: Proxy) -> None:
    for path in ("/anything", "/health/nobody-knows"):
        assert get(echo, path).headers["Strict-Transport-Security"] == "max-age=31536000"
    assert get(echo, "/anything").headers["Server"] == "nginx"


def test_plain_http_is_sent_to_https_of_our_own_name(echo: Proxy) -> None:
    answer = requests.get(
        f"{echo.http}/launch?iss=x",
        headers={"Host": "evil.example"},
        allow_redirects=False,
        timeout=10,
    )
    assert answer.status_code == 308
    assert answer.headers["Location"] == f"{echo.https}/launch?iss=x"


def test_another_name_gets_no_answer(echo: Proxy) -> None:
    port = int(echo.https.rpartition(":")[2])
    context = ssl.create_default_context(cafile=str(echo.certificate))
    context.check_hostname = False
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        pytest.raises(ssl.SSLError, match=r"(?i)unrecognized.name"),
    ):
        context.wrap_socket(plain, server_hostname="other.example")


def test_the_access_log_keeps_no_query_and_no_path(echo: Proxy) -> None:
    get(echo, "/l/launch-canary/match?code=code-canary&state=state-canary")
    wait_until(lambda: "GET 200" in (echo.folder / "access.log").read_text())
    logs = (echo.folder / "access.log").read_text() + (echo.folder / "error.log").read_text()
    assert "canary" not in logs


@pytest.mark.browser
def test_the_journey_in_a_frame_of_another_site_without_script(
    browser: Browser, sekmet: str, tmp_path: Path
) -> None:
    https_port, app_port = free_port(above=800), free_port(above=700)
    load_samples(HttpRepository(sekmet, session=requests.Session()), datetime.now(UTC).date())
    with ExitStack() as stack:
        proxy = stack.enter_context(running_nginx(tmp_path, app_port, https_port))
        ehr_url = stack.enter_context(running_ehr(proxy, sekmet))
        stack.enter_context(running_app(proxy, app_port, ehr_url))
        context = browser.new_context(ignore_https_errors=True, java_script_enabled=False)
        stack.callback(context.close)
        page = context.new_page()
        page.goto(ehr_url)
        page.get_by_role("link", name="Open ivfhir for Edmund HALLORAN in a frame").click()
        element = page.wait_for_selector("iframe")
        frame = element.content_frame() if element else None
        assert frame is not None
        assert len(written(sekmet, walk(frame, None))) == 48
        assert frame.url.startswith(proxy.https)


@contextmanager
def running_ehr(proxy: Proxy, fhir_url: str) -> Iterator[str]:
    """Run the simulated EHR over https, on another host than the app's."""
    listener = listen("127.0.0.1", 0, option="--port")
    url = f"https://127.0.0.1:{listener.getsockname()[1]}"
    client = Client("ward", f"{proxy.https}/callback", f"{proxy.https}/launch")
    ehr = create_fake_ehr(
        FakeEhrSettings(public_url=url, fhir_upstream=fhir_url, clients=(client,))
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(proxy.certificate)
    with serving([(listener, ehr, context)]):
        yield url


@contextmanager
def running_app(proxy: Proxy, port: int, ehr_url: str) -> Iterator[None]:
    """Run the app behind the proxy, in processes of its own."""
    settings = proxy.folder / "ivfhir.toml"
    settings.write_text(
        f"""
public_url = "{proxy.https}"
port = {port}
trusted_proxies = 1
ca_file = "{proxy.certificate}"
database_url = "sqlite:///{proxy.folder / "app.sqlite3"}"
key_file = "{proxy.folder / "key"}"
log_level = "error"

[[ehr]]
iss = "{ehr_url}/fhir"
client_id = "ward"
""",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "ivfhir.cli.main", "serve", "--config", str(settings)]
    with subprocess.Popen(command) as app:
        try:
            wait_until(lambda: get(proxy, "/health").ok)
            yield
        finally:
            app.terminate()
