"""One HTTP exchange that ends in time and in size, whatever the other side does.

A timeout of a socket counts from byte to byte, so a server that drips keeps a caller for hours; a
small compressed body grows a thousandfold. So a watch closes the connection at the end of the time,
under TLS handshake, headers or body alike, and the body is read in pieces until its size is
reached.
"""

import contextlib
import contextvars
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from types import TracebackType
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

_PIECE = 1 << 16
_ENCODINGS = frozenset({"", "identity", "gzip", "x-gzip", "deflate"})
"""What a body may be packed in, once: a body packed twice grows a millionfold."""

_UNREADABLE = (ValueError, OverflowError, HTTPException, HTTPError)
"""What the libraries below requests let through when a server does not speak HTTP."""


class TooLargeError(Exception):
    """The body is larger than asked for, or packed in a way that hides its size."""


class TooLateError(Exception):
    """The time was over before the answer was there."""


@dataclass(frozen=True)
class Answer:
    """An answer, its body whole and unpacked."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def ok(self) -> bool:
        """Tell whether the status is a success (2xx)."""
        return 200 <= self.status_code < 300  # noqa: PLR2004 - the class of success

    @property
    def is_redirect(self) -> bool:
        """Tell whether the answer points elsewhere."""
        return self.status_code in (301, 302, 303, 307, 308)


def watched_session(session: requests.Session | None = None) -> requests.Session:
    """Return a session whose connections a watch can end; one with its own adapters stays so."""
    session = session or requests.Session()
    for scheme in ("http://", "https://"):
        if type(session.adapters.get(scheme)) is HTTPAdapter:
            session.mount(scheme, _Adapter())
    return session


def trusting_session(ca_file: str | None) -> requests.Session:
    """Return a session that trusts the certificates of a file; those of the machine for None."""
    session = requests.Session()
    if ca_file is not None:
        session.verify = ca_file
        session.trust_env = False  # REQUESTS_CA_BUNDLE would replace the file.
    return session


def exchange(
    session: requests.Session,
    method: str,
    url: str,
    *,
    within_s: float | None,
    most_bytes: int,
    **more: Any,  # noqa: ANN401 - as requests has them
) -> Answer:
    """Send a request, follow no redirect, and return the answer.

    Args:
        session: from `watched_session`.
        method: the HTTP method.
        url: where to.
        within_s: seconds until the last byte; None for no end but that of `timeout`.
        most_bytes: size of the body after decompression.
        more: what `requests` takes further, such as `timeout`.

    Raises:
        TooLateError: the time was over.
        TooLargeError: the body is larger, or packed more than once.
        requests.RequestException: as ever.
    """
    with _Watch(within_s) as watch:
        try:
            response = session.request(method, url, stream=True, allow_redirects=False, **more)
            with contextlib.closing(response):
                content = _body(response, most_bytes)
        except (requests.RequestException, *_UNREADABLE) as error:
            if watch.over:
                raise TooLateError from error
            if isinstance(error, requests.RequestException):
                raise
            raise requests.ConnectionError("the answer is no HTTP") from error
        if watch.over:  # The end of the body may be where the watch cut it off.
            raise TooLateError
    return Answer(response.status_code, response.headers, content)


def _body(response: requests.Response, most_bytes: int) -> bytes:
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in _ENCODINGS:
        raise TooLargeError
    content = bytearray()
    for piece in response.iter_content(_PIECE):
        content += piece
        if len(content) > most_bytes:
            raise TooLargeError
    return bytes(content)


class _Watch:
    """Ends the connections of the block at a time: the blocked reader then meets their end."""

    def __init__(self, seconds: float | None) -> None:
        self.over = False
        self._lock = threading.Lock()
        self._handles: list[socket.socket] = []
        self._timer = None if seconds is None else threading.Timer(seconds, self._end)

    def __enter__(self) -> "_Watch":
        self._token = _watch.set(self)
        if self._timer is not None:
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _watch.reset(self._token)
        if self._timer is not None:
            self._timer.cancel()
        with self._lock:
            for handle in self._handles:
                handle.close()
            self._handles.clear()

    def hold(self, connection: socket.socket) -> None:
        """Remember a connection by a handle of our own: TLS and keep-alive change the first one."""
        if self._timer is None:
            return
        handle = socket.fromfd(
            connection.fileno(), connection.family, connection.type, connection.proto
        )
        with self._lock:
            self._handles.append(handle)
            if self.over:
                _shut(handle)

    def _end(self) -> None:
        with self._lock:
            self.over = True
            for handle in self._handles:
                _shut(handle)


def _shut(handle: socket.socket) -> None:
    with contextlib.suppress(OSError):
        handle.shutdown(socket.SHUT_RDWR)


_watch: contextvars.ContextVar[_Watch | None] = contextvars.ContextVar("watch", default=None)


class _Watched:
    """Shows the watch each connection that is made or used again."""

    sock: Any

    def _new_conn(self) -> socket.socket:
        made: socket.socket = super()._new_conn()  # type: ignore[misc]  # urllib3's own
        watch = _watch.get()
        if watch is not None:
            watch.hold(made)
        return made

    def request(self, *args: Any, **more: Any) -> None:  # noqa: ANN401 - as urllib3 has them
        watch = _watch.get()
        if watch is not None and self.sock is not None:
            watch.hold(self.sock)
        super().request(*args, **more)  # type: ignore[misc]  # urllib3's own


class _HttpConnection(_Watched, HTTPConnection):
    pass


class _HttpsConnection(_Watched, HTTPSConnection):
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _HttpConnection


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _HttpsConnection


_POOLS = {"http": _HttpPool, "https": _HttpsPool}


class _Adapter(HTTPAdapter):
    """An adapter of watched connections, through a proxy too."""

    def init_poolmanager(self, *args: Any, **more: Any) -> None:  # noqa: ANN401 - as requests has them
        super().init_poolmanager(*args, **more)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: Any, **more: Any) -> Any:  # noqa: ANN401 - as requests has them
        manager = super().proxy_manager_for(proxy, **more)
        manager.pool_classes_by_scheme = _POOLS
        return manager
