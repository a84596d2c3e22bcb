"""`ivfhir serve`: the app alone, for any configured EHR."""

import argparse
import importlib.util
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from flask import Flask

from ivfhir.errors import IvfhirError
from ivfhir.fhir.outcome import exit_code
from smart_app.app import create_app, load_to_stay
from smart_app.config import Settings, load_settings
from smart_app.local_server import listen, serve_forever
from smart_app.metrics import counting_together, forget_process, serve_metrics
from smart_app.outbox_worker import OutboxThread

KEEP_ALIVE_S = 75
"""How long a connection without a request stays open: longer than nginx keeps its own (60 s, as in
deploy/nginx.conf). Whoever keeps one longer than we do now and then sends a form into its closing,
and gets a reset or a 502 instead of a page; gunicorn's own 2 s made that likely under load."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ivfhir serve`."""
    parser.add_argument(
        "--config", type=Path, default=None, help="settings file, such as ivfhir.toml"
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve until stopped, and return the exit code.

    Raises:
        SettingsError: a setting is missing or wrong; the port is taken.
    """
    settings = load_settings(arguments.config)
    many = importlib.util.find_spec("gunicorn") is not None and sys.platform != "win32"
    with counting_together() if many and settings.metrics_port else nullcontext():
        _serve(settings, many=many)
    return 0


def _serve(settings: Settings, *, many: bool) -> None:
    app = create_app(settings)  # Wrong settings are told here, once, and not by every worker.
    app.extensions["ivfhir"].store.close()
    sys.stderr.write(
        f"ivfhir serves {settings.public_url}. Register with the EHR: launch URL "
        f"{settings.launch_url}, redirect URI {settings.redirect_uri}. Ctrl-C ends it.\n"
    )
    if many:
        _run_gunicorn(settings)
    else:
        serve_forever(
            [(listen(settings.host, settings.port, option="port"), working_app(settings), None)]
        )


def working_app(settings: Settings) -> Flask:
    """Return the app, with a thread that sends what waits where the settings want it."""
    app = create_app(settings, protocols=load_to_stay)
    if settings.outbox_thread:
        OutboxThread(app).start()
    return app


def _run_gunicorn(settings: Settings) -> None:
    from gunicorn.app.base import (  # type: ignore[import-untyped]  # noqa: PLC0415 - absent on Windows
        BaseApplication,
    )

    def _publish(_arbiter: object) -> None:
        serve_metrics(settings.metrics_host, settings.metrics_port)

    def _forget(_arbiter: object, worker: Any) -> None:  # noqa: ANN401 - gunicorn has no types
        forget_process(worker.pid)

    class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
        def load_config(self) -> None:
            options: dict[str, Any] = {
                "bind": f"{settings.host}:{settings.port}",
                "workers": settings.workers,
                "threads": settings.threads,
                "worker_class": "gthread",
                "timeout": max(60, settings.timeout_s * 3),
                "graceful_timeout": 30,
                "keepalive": KEEP_ALIVE_S,
                "loglevel": "warning",
                "accesslog": None,  # Its lines hold query strings: launch tokens, codes, states.
                "forwarded_allow_ips": "",
            }
            if settings.metrics_port:
                options |= {"when_ready": _publish, "child_exit": _forget}
            for name, value in options.items():
                self.cfg.set(name, value)

        def load(self) -> Flask:
            return working_app(settings)

    listen(settings.host, settings.port, option="port").close()
    if settings.metrics_port:
        listen(settings.metrics_host, settings.metrics_port, option="metrics_port").close()
    Server().run()


def main(argv: list[str] | None = None) -> int:
    """Run `python -m smart_app.serve`."""
    parser = argparse.ArgumentParser(prog="ivfhir serve", description=__doc__)
    add_arguments(parser)
    try:
        return run(parser.parse_args(argv))
    except IvfhirError as error:
        sys.stderr.write(f"{error.message}\n")
        return exit_code(error)


if __name__ == "__main__":
    sys.exit(main())
