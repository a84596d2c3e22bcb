"""`make demo`: FHIR server with sample patients, simulated EHR and app, in one process."""

import argparse
import logging
import os
import socket
import ssl
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import requests
from flask import Flask

from ivfhir.errors import IvfhirError, SettingsError
from ivfhir.fhir.outcome import exit_code
from ivfhir.servers.http import HttpRepository
from smart_app.app import create_app
from smart_app.config import Ehr, Settings
from smart_app.demo_certificate import make_certificate
from smart_app.fake_ehr import Client, FakeEhrSettings, create_fake_ehr
from smart_app.fake_ehr.sample_patients import LOAD_TIMEOUT_S, load_samples
from smart_app.local_server import listen, serving, until_told_to_end, wait_for_end
from smart_app.outbox_worker import OutboxThread

if TYPE_CHECKING:
    import uvicorn

_START_S = 20.0
_CLIENT_ID = "ivfhir-demo"


@dataclass(frozen=True)
class Ports:
    """Where the three parts listen; 0 is any free port."""

    ehr: int = 8000
    app: int = 8001
    fhir: int = 8002


@dataclass(frozen=True)
class Demo:
    """The addresses of a running demo."""

    ehr_url: str
    app_url: str
    fhir_url: str


@contextmanager
def running_demo(
    ports: Ports, *, folder: Path, https: bool = False, fhir_url: str | None = None
) -> Iterator[Demo]:
    """Run the three parts while the block runs.

    Args:
        ports: where they listen.
        folder: where the app keeps its database and key.
        https: over https, the EHR on 127.0.0.1 and the app on localhost: to a browser two sites, as
            in a hospital.
        fhir_url: a FHIR server that is already there, instead of the small one; the samples are
            loaded into it, too.

    Raises:
        SettingsError: a port is taken.
    """
    scheme, app_host = ("https", "localhost") if https else ("http", "127.0.0.1")
    with ExitStack() as stack:
        ehr_socket = listen("127.0.0.1", ports.ehr, option="--port")
        stack.callback(ehr_socket.close)
        app_socket = listen("127.0.0.1", ports.app, option="--app-port")
        stack.callback(app_socket.close)
        certificate = make_certificate(folder) if https else None
        demo = Demo(
            ehr_url=f"{scheme}://127.0.0.1:{ehr_socket.getsockname()[1]}",
            app_url=f"{scheme}://{app_host}:{app_socket.getsockname()[1]}",
            fhir_url=fhir_url or stack.enter_context(_fhir_server(ports.fhir, folder)),
        )
        load_samples(
            HttpRepository(
                demo.fhir_url, session=requests.Session(), read_timeout_s=LOAD_TIMEOUT_S
            ),
            datetime.now().astimezone().date(),
        )
        app, ehr = _app(demo, folder, certificate), _ehr(demo)
        context = None
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
        stack.enter_context(serving([(ehr_socket, ehr, context), (app_socket, app, context)]))
        stack.callback(OutboxThread(app).start().stop)
        yield demo


def _app(demo: Demo, folder: Path, certificate: Path | None) -> Flask:
    settings = Settings(
        public_url=demo.app_url,
        ehrs=(Ehr(iss=f"{demo.ehr_url}/fhir", client_id=_CLIENT_ID, name="the simulated EHR"),),
        database_url=f"sqlite:///{folder / 'ivfhir.sqlite3'}",
        key_file=str(folder / "ivfhir.key"),
        time_zone=os.environ.get("IVFHIR_TIME_ZONE", "UTC"),
        ca_file=None if certificate is None else str(certificate),
        log_level="error",
    )
    return create_app(settings)


def _ehr(demo: Demo) -> Flask:
    client = Client(
        client_id=_CLIENT_ID,
        redirect_uri=f"{demo.app_url}/callback",
        launch_url=f"{demo.app_url}/launch",
    )
    return create_fake_ehr(
        FakeEhrSettings(public_url=demo.ehr_url, fhir_upstream=demo.fhir_url, clients=(client,))
    )


@contextmanager
def _fhir_server(port: int, folder: Path) -> Iterator[str]:
    """Run the small FHIR server, everything in memory, and give its base URL.

    Raises:
        SettingsError: the port is taken, or the server does not start.
    """
    import sekmet.config  # type: ignore[import-untyped]  # noqa: PLC0415 - only the demo has it
    import sekmet.main  # type: ignore[import-untyped]  # noqa: PLC0415 - only the demo has it
    import uvicorn  # noqa: PLC0415 - only the demo has it

    listener: socket.socket = listen("127.0.0.1", port, option="--fhir-port")
    number = listener.getsockname()[1]
    base_url = f"http://127.0.0.1:{number}/fhir"
    settings = sekmet.config.Settings(
        base_url=base_url,
        host="127.0.0.1",
        port=number,
        data_dir=str(folder),
        db_path=":memory:",
        simulator={"enabled": False},
        log_inbound=False,
    )
    app = sekmet.main.create_app(settings)
    logging.getLogger().setLevel(
        logging.ERROR
    )  # The server sets it to INFO, with a line a request.
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False, lifespan="on"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        _wait_until_started(server, thread)
        yield base_url
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def _wait_until_started(server: "uvicorn.Server", thread: threading.Thread) -> None:
    deadline = time.monotonic() + _START_S
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise SettingsError("The demo's FHIR server did not start.")
        time.sleep(0.02)


def main(argv: list[str] | None = None) -> int:
    """Run the demo until stopped, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m smart_app.demo", description=__doc__)
    for option, variable, default, words in (
        ("--port", "IVFHIR_DEMO_PORT", Ports.ehr, "port of the EHR, the one to open"),
        ("--app-port", "IVFHIR_DEMO_APP_PORT", Ports.app, "port of the app"),
        ("--fhir-port", "IVFHIR_DEMO_FHIR_PORT", Ports.fhir, "port of the FHIR server"),
    ):
        given = os.environ.get(variable) or default
        parser.add_argument(
            option, type=int, default=given, help=f"{words} (or {variable}; {default})"
        )
    parser.add_argument(
        "--fhir", metavar="URL", help="use this FHIR server instead of the small one"
    )
    parser.add_argument(
        "--https",
        action="store_true",
        help="over https with a certificate of its own, on two sites",
    )
    arguments = parser.parse_args(argv)
    ports = Ports(arguments.port, arguments.app_port, arguments.fhir_port)
    try:
        with (
            until_told_to_end(),
            tempfile.TemporaryDirectory(prefix="ivfhir-demo-") as folder,
            running_demo(
                ports, folder=Path(folder), https=arguments.https, fhir_url=arguments.fhir
            ) as demo,
        ):
            sys.stdout.write(f"Open {demo.ehr_url}/ in a browser. Ctrl-C ends the demo.\n")
            sys.stdout.flush()
            wait_for_end()
    except IvfhirError as error:
        sys.stderr.write(f"{error.message}\n")
        return exit_code(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
