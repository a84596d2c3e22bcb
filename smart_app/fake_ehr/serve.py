"""`ivfhir fake-ehr`: a simulated EHR in front of a FHIR server that is already there."""

import argparse
import sys
from datetime import datetime

import requests

from ivfhir.errors import IvfhirError
from ivfhir.fhir.outcome import exit_code
from ivfhir.servers.http import HttpRepository
from smart_app.fake_ehr.app import create_fake_ehr
from smart_app.fake_ehr.config import Client, FakeEhrSettings
from smart_app.fake_ehr.sample_patients import LOAD_TIMEOUT_S, load_samples
from smart_app.local_server import listen, serve_forever


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ivfhir fake-ehr`."""
    parser.add_argument(
        "--fhir", required=True, metavar="URL", help="base URL of the FHIR server behind the EHR"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8090, help="port to listen on")
    parser.add_argument(
        "--public-url", metavar="URL", help="where browsers reach the EHR; by default host and port"
    )
    parser.add_argument(
        "--app", default="http://127.0.0.1:8000", metavar="URL", help="where browsers reach the app"
    )
    parser.add_argument(
        "--client-id", default="ivfhir", help="id under which the app is registered"
    )
    parser.add_argument(
        "--client-secret", help="secret of the app; without it the app is a public client"
    )
    parser.add_argument(
        "--token-life", type=int, default=300, metavar="SECONDS", help="life of an access token"
    )
    parser.add_argument(
        "--smart-v1", action="store_true", help="know only scopes of the form patient/*.read"
    )
    parser.add_argument("--audit", action="store_true", help="let apps create AuditEvents")
    parser.add_argument(
        "--load-samples", action="store_true", help="load the sample patients first"
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve until stopped, and return the exit code.

    Raises:
        SettingsError: an address cannot be meant, or the port is taken.
        ServerError: the FHIR server does not take the sample patients.
    """
    with listen(arguments.host, arguments.port, option="--port") as listener:
        settings = _settings(arguments, port=listener.getsockname()[1])
        if arguments.load_samples:
            repository = HttpRepository(
                settings.fhir_upstream, session=requests.Session(), read_timeout_s=LOAD_TIMEOUT_S
            )
            load_samples(repository, datetime.now().astimezone().date())
        sys.stderr.write(
            f"Simulated EHR: {settings.public_url}/ with iss {settings.iss}. Ctrl-C ends it.\n"
        )
        serve_forever([(listener, create_fake_ehr(settings), None)])
    return 0


def _settings(arguments: argparse.Namespace, *, port: int) -> FakeEhrSettings:
    app_url = arguments.app.rstrip("/")
    public_url = arguments.public_url or f"http://{arguments.host}:{port}"
    client = Client(
        client_id=arguments.client_id,
        redirect_uri=f"{app_url}/callback",
        launch_url=f"{app_url}/launch",
        client_secret=arguments.client_secret,
    )
    return FakeEhrSettings(
        public_url=public_url.rstrip("/"),
        fhir_upstream=arguments.fhir.rstrip("/"),
        clients=(client,),
        token_life_s=arguments.token_life,
        version_1=arguments.smart_v1,
        audit=arguments.audit,
    )


def main(argv: list[str] | None = None) -> int:
    """Run `python -m smart_app.fake_ehr`."""
    parser = argparse.ArgumentParser(prog="ivfhir fake-ehr", description=__doc__)
    add_arguments(parser)
    try:
        return run(parser.parse_args(argv))
    except IvfhirError as error:
        sys.stderr.write(f"{error.message}\n")
        return exit_code(error)
