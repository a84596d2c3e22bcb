"""Answers fetched in advance count once, for a while, and until something is written."""

import pytest

from ivfhir.errors import NotFoundError
from ivfhir.sync.bulk import Look
from ivfhir.sync.foreseen import FRESH_S, Foreseen


class Server:
    """Finds nothing, and remembers what it was asked."""

    def __init__(self):
        self.asked = []

    def search(self, resource_type, params):
        self.asked.append((resource_type, dict(params)))
        return []

    def read(self, resource_type, resource_id):
        self.asked.append((resource_type, resource_id))
        return {"resourceType": resource_type, "id": resource_id}

    def transact(self, bundle):
        return bundle

    def create(self, resource, *, if_none_exist=None):
        return resource

    def update(self, resource, *, if_match=None):
        return resource


PLAN = {"resourceType": "CarePlan", "id": "1", "title": "fetched"}
BY_PATIENT = Look("CarePlan", "patient", ("Patient/p",))
BY_ID = Look("CarePlan", "_id", ("1", "2"))


@pytest.fixture
def now():
    return [100.0]


@pytest.fixture
def server():
    return Server()


@pytest.fixture
def foreseen(server, now):
    known = Foreseen(server, lambda: now[0])
    known.learn({BY_PATIENT: [PLAN], BY_ID: [PLAN]}, asked_at=100.0)
    return known


def test_what_is_known_not_to_be_there_is_not_read_alone_but_only_once(server, now):
    foreseen = Foreseen(server, lambda: now[0])
    foreseen.learn({BY_ID: [PLAN]}, asked_at=100.0, all_there=True)
    assert foreseen.search("CarePlan", {"_id": "1,2"}) == [PLAN]
    with pytest.raises(NotFoundError):
        foreseen.read("CarePlan", "2")
    assert server.asked == []
    assert foreseen.read("CarePlan", "2")["id"] == "2"


def test_what_a_list_of_a_doubtful_server_left_out_is_read_alone(server, foreseen):
    assert foreseen.search("CarePlan", {"_id": "1,2"}) == [PLAN]
    assert foreseen.read("CarePlan", "2")["id"] == "2"


def test_an_answer_is_used_once(server, foreseen):
    assert foreseen.search("CarePlan", BY_PATIENT.params) == [PLAN]
    assert foreseen.search("CarePlan", {"_id": "1,2"}) == [PLAN]
    assert server.asked == []
    assert foreseen.search("CarePlan", BY_PATIENT.params) == []
    assert foreseen.search("CarePlan", {"_id": "1,2"}) == []
    assert len(server.asked) == 2


def test_any_of_the_ids_can_be_read_or_searched(server, foreseen):
    assert foreseen.read("CarePlan", "1") == PLAN
    assert foreseen.search("CarePlan", {"_id": "2"}) == []
    assert server.asked == []


def test_what_was_not_found_is_read_of_the_server(server, foreseen):
    assert foreseen.read("CarePlan", "2")["id"] == "2"
    assert server.asked == [("CarePlan", "2")]


def test_what_nobody_fetched_is_asked_of_the_server(server, foreseen):
    for params in ({"_id": "1,3"}, {"patient": "Patient/q"}, {**BY_PATIENT.params, "x": "y"}):
        assert foreseen.search("CarePlan", params) == []
    assert foreseen.search("Goal", BY_PATIENT.params) == []
    assert len(server.asked) == 4


def test_an_answer_grows_old(server, foreseen, now):
    now[0] += FRESH_S
    assert foreseen.search("CarePlan", BY_PATIENT.params) == []
    assert foreseen.read("CarePlan", "1") != PLAN
    assert len(server.asked) == 2


def test_a_later_answer_does_not_make_an_earlier_one_younger(server, foreseen, now):
    now[0] += FRESH_S - 1
    foreseen.learn({Look("Goal", "_id", ("7",)): []}, asked_at=now[0])
    assert foreseen.search("Goal", {"_id": "7"}) == []
    now[0] += 1
    assert foreseen.search("CarePlan", BY_PATIENT.params) == []
    assert server.asked == [("CarePlan", BY_PATIENT.params)]


@pytest.mark.parametrize("write", ["transact", "create", "update"])
def test_what_was_fetched_before_a_write_does_not_count_after_it(server, foreseen, write):
    getattr(foreseen, write)({})
    assert foreseen.search("CarePlan", BY_PATIENT.params) == []
    assert foreseen.read("CarePlan", "1") != PLAN
    assert len(server.asked) == 2
