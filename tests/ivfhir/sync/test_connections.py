"""No more requests at a time than connections, and these are used again."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from ivfhir.errors import UnreachableError
from ivfhir.fhir.json import dumps
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


def test_a_look_goes_before_what_was_to_be_sent_earlier_and_each_has_its_turn():
    order, sending, go_on = [], threading.Event(), threading.Event()

    class Server:
        def transact(self, bundle, *, prefer=None):
            order.append(bundle["id"])
            if bundle["id"] == "1":
                sending.set()
                assert go_on.wait(10)
            return bundle

        def search(self, resource_type, params):
            order.append(params["_id"])
            return []

    server = Connections(Server, 1)

    def in_line(count):
        deadline = time.monotonic() + 10
        while len(server._looks) + len(server._sends) < count:
            assert time.monotonic() < deadline
            time.sleep(0.001)

    with ThreadPoolExecutor(5) as pool:
        pool.submit(server.transact, {"id": "1"})
        assert sending.wait(10)
        for number, look in enumerate((None, None, "a", "b"), start=1):
            if look is None:
                pool.submit(server.transact, {"id": str(number + 1)})
            else:
                pool.submit(server.search, "CarePlan", {"_id": look})
            in_line(number)
        go_on.set()
    assert order == ["1", "a", "b", "2", "3"]


def test_a_transaction_is_written_before_its_turn():
    sent, written, sending, go_on = [], threading.Event(), threading.Event(), threading.Event()

    class Meta(dict):
        def items(self):
            written.set()
            return super().items()

    class Server:
        def transact(self, bundle, *, prefer=None):
            sending.set()
            assert go_on.wait(10)
            sent.append((bundle["id"], dumps(bundle), prefer))
            return bundle

    server = Connections(Server, 1)
    with ThreadPoolExecutor(2) as pool:
        pool.submit(server.transact, {"id": "1"})
        assert sending.wait(10)
        pool.submit(server.transact, {"id": "2", "meta": Meta(tag=[])}, prefer="minimal")
        was_written = written.wait(10)
        go_on.set()
    assert was_written
    assert sent[1] == ("2", '{"id": "2", "meta": {"tag": []}}', "minimal")
