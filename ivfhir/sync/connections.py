"""One server over a bounded number of connections, each used for one request at a time.

What a thread does between two requests holds no connection, so others send meanwhile. A look goes
before what is to be sent: many plans wait for a look, and nothing waits for one plan.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Event, Lock

from ivfhir.fhir.json import Written
from ivfhir.fhir.types import Resource
from ivfhir.servers.http import Stored
from ivfhir.sync.door import WritableServer


class Connections:
    """A `WritableServer` for many threads.

    Args:
        connect: returns a connection.
        most: how many there may be, at least 1.
    """

    def __init__(self, connect: Callable[[], WritableServer], most: int) -> None:
        """Connect to nothing yet."""
        self._connect = connect
        self._free = most
        self._looks: deque[Event] = deque()
        self._sends: deque[Event] = deque()
        self._lock = Lock()
        self._idle: list[WritableServer] = []

    @contextmanager
    def _one(self, *, to_look: bool = False) -> Iterator[WritableServer]:
        self._wait_in(self._looks if to_look else self._sends)
        try:
            try:
                server = self._idle.pop()
            except IndexError:
                server = self._connect()
            try:
                yield server
            finally:
                self._idle.append(server)
        finally:
            self._pass_on()

    def _wait_in(self, line: deque[Event]) -> None:
        turn = Event()
        with self._lock:
            if self._free:
                self._free -= 1
                return
            line.append(turn)
        turn.wait()

    def _pass_on(self) -> None:
        with self._lock:
            line = self._looks or self._sends
            if line:
                line.popleft().set()
            else:
                self._free += 1

    def read(self, resource_type: str, resource_id: str) -> Resource:
        """Return the resource, as stored."""
        with self._one(to_look=True) as server:
            return server.read(resource_type, resource_id)

    def search(self, resource_type: str, params: Mapping[str, str]) -> list[Resource]:
        """Return every match."""
        with self._one(to_look=True) as server:
            return server.search(resource_type, params)

    def transact(self, bundle: Resource, *, prefer: str | None = None) -> Resource:
        """Send a transaction, written before it is its turn."""
        written = Written(bundle)
        with self._one() as server:
            return server.transact(written, prefer=prefer)

    def operation(self, path: str, parameters: Resource) -> Resource:
        """POST a resource to an operation."""
        with self._one() as server:
            return server.operation(path, parameters)

    def capabilities(self) -> Resource:
        """Return the CapabilityStatement."""
        with self._one(to_look=True) as server:
            return server.capabilities()

    def create(self, resource: Resource, *, if_none_exist: str | None = None) -> Stored:
        """Create one resource."""
        with self._one() as server:
            return server.create(resource, if_none_exist=if_none_exist)

    def update(self, resource: Resource, *, if_match: str | None = None) -> Stored:
        """Replace one resource."""
        with self._one() as server:
            return server.update(resource, if_match=if_match)
