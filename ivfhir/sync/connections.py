"""One server over a bounded number of connections, each used for one request at a time.

What a thread does between two requests holds no connection, so others send meanwhile.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import BoundedSemaphore

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
        self._turn = BoundedSemaphore(most)
        self._idle: list[WritableServer] = []

    @contextmanager
    def _one(self) -> Iterator[WritableServer]:
        with self._turn:
            try:
                server = self._idle.pop()
            except IndexError:
                server = self._connect()
            try:
                yield server
            finally:
                self._idle.append(server)

    def read(self, resource_type: str, resource_id: str) -> Resource:
        """Return the resource, as stored."""
        with self._one() as server:
            return server.read(resource_type, resource_id)

    def search(self, resource_type: str, params: Mapping[str, str]) -> list[Resource]:
        """Return every match."""
        with self._one() as server:
            return server.search(resource_type, params)

    def transact(self, bundle: Resource, *, prefer: str | None = None) -> Resource:
        """Send a transaction."""
        with self._one() as server:
            return server.transact(bundle, prefer=prefer)

    def operation(self, path: str, parameters: Resource) -> Resource:
        """POST a resource to an operation."""
        with self._one() as server:
            return server.operation(path, parameters)

    def capabilities(self) -> Resource:
        """Return the CapabilityStatement."""
        with self._one() as server:
            return server.capabilities()

    def create(self, resource: Resource, *, if_none_exist: str | None = None) -> Stored:
        """Create one resource."""
        with self._one() as server:
            return server.create(resource, if_none_exist=if_none_exist)

    def update(self, resource: Resource, *, if_match: str | None = None) -> Stored:
        """Replace one resource."""
        with self._one() as server:
            return server.update(resource, if_match=if_match)
