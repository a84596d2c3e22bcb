"""No more requests at a time than connections, and these are used again."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from ivfhir.errors import UnreachableError
from ivfhir.sync.connections import Connections


def test_connections_are_bounded_and_used_again():
    made, busy, most = [], [], []
    lock, both = threading.Lock(), threading.Barrier(2, timeout=10)

    class Server:
        def search(self, resource_type, params):
            with lock:
                assert self not in busy
                busy.append(self)
                most.append(len(busy))
            both.wait()
            with lock:
                busy.remove(self)
            return []

    def connect():
        made.append(Server())
        return made[-1]

    server = Connections(connect, 2)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: server.search("CarePlan", {}), range(12)))
    assert (len(made), max(most)) == (2, 2)


def test_a_connection_that_failed_is_used_again():
    made = []

    class Server:
        def __init__(self):
            made.append(self)

        def read(self, resource_type, resource_id):
            raise UnreachableError("gone")

    server = Connections(Server, 1)
    for _ in range(3):
        with pytest.raises(UnreachableError):
            server.read("CarePlan", "1")
    assert len(made) == 1
