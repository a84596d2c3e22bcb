"""WSGI apps on sockets of this machine, for the demo and the simulated EHR."""

import contextlib
import errno
import signal
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from ivfhir.errors import SettingsError


class QuietHandler(WSGIRequestHandler):
    """A request handler that logs nothing: request lines hold codes, states and tokens."""

    def log(self, type: str, message: str, *args: object) -> None:
        """Say nothing."""


def listen(host: str, port: int, *, option: str) -> socket.socket:
    """Return a socket that listens on the port (0: any free one).

    Args:
        host: name or address.
        port: the port.
        option: what the user writes to choose another, for the error's words.

    Raises:
        SettingsError: the port is taken, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise SettingsError(
                f"Port {port} is taken by another program; choose another with {option}."
            ) from error
        raise SettingsError(f"Cannot listen on {host}, port {port}: {error.strerror}.") from error
    return listener


def make_local_server(
    listener: socket.socket, app: Flask, ssl_context: ssl.SSLContext | None = None
) -> BaseWSGIServer:
    """Return a threaded server of the app on the socket; the caller starts and ends it."""
    host, port = listener.getsockname()[:2]
    server = make_server(
        host,
        port,
        app,
        threaded=True,
        request_handler=QuietHandler,
        fd=listener.fileno(),
        ssl_context=ssl_context,
    )
    server.daemon_threads = True  # type: ignore[attr-defined]  # the threaded server has it
    return server


@contextlib.contextmanager
def serving(
    servers: Sequence[tuple[socket.socket, Flask, ssl.SSLContext | None]],
) -> Iterator[None]:
    """Serve each app on its socket, in threads, while the block runs."""
    running = [make_local_server(*each) for each in servers]
    threads = [
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
        for server in running
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for server in running:
            server.shutdown()
        for thread in threads:
            thread.join()
        for server in running:
            server.server_close()
        for listener, _, _ in servers:
            listener.close()


def serve_forever(servers: Sequence[tuple[socket.socket, Flask, ssl.SSLContext | None]]) -> None:
    """Serve the apps until the process is told to end (Ctrl-C or TERM)."""
    with until_told_to_end(), serving(servers):
        wait_for_end()


@contextlib.contextmanager
def until_told_to_end() -> Iterator[None]:
    """Leave the block, whatever it is doing, when the process is told to end (Ctrl-C or TERM).

    Only the first signal counts: what the block then cleans up is not cut short by a second one.
    """
    numbers = (signal.SIGINT, signal.SIGTERM)

    def leave(_number: int, _frame: object) -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, leave) for number in numbers}
    try:
        with contextlib.suppress(KeyboardInterrupt):
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def wait_for_end() -> None:
    """Wait until a signal ends the block of `until_told_to_end`."""
    while True:
        time.sleep(3600)
