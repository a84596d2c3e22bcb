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

    def transact(self, bundle, *, prefer=None):
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


class Showing(Server):
    """Answers a transaction with these entries."""

    def __init__(self, *entries):
        super().__init__()
        self.entries, self.preferred = list(entries), []

    def transact(self, bundle, *, prefer=None):
        self.preferred.append(prefer)
        return {"resourceType": "Bundle", "type": "transaction-response", "entry": self.entries}


def entry(kind="Goal", name="g", *, status="201 Created", location=None, **more):
    resource = {"resourceType": kind, "id": name, "meta": {"versionId": "1"}, **more}
    where = f"http://x.example/fhir/{kind}/{name}/_history/1" if location is None else location
    return {"response": {"status": status, "location": where}, "resource": resource}


GOAL = Look("Goal", "_id", ("g",))


def test_the_answer_of_a_server_that_shows_what_it_stored_counts_as_the_look_at_it(now):
    server = Showing(entry(), entry(name="h"))
    foreseen = Foreseen(server, lambda: now[0], shows=True)
    foreseen.transact({})
    assert server.preferred == ["representation"]
    assert foreseen.holds(GOAL)
    assert foreseen.search("Goal", {"_id": "g,h"}) == [each["resource"] for each in server.entries]
    assert server.asked == []
    assert not foreseen.holds(GOAL), "once"
    foreseen.search("Goal", {"_id": "g,h"})
    assert server.asked == [("Goal", {"_id": "g,h"})]


@pytest.mark.parametrize(
    "shown",
    [
        entry("CarePlan"),
        entry("DocumentReference"),
        entry(status="200 OK"),
        entry(location="Goal/other/_history/1"),
        entry(location=""),
        entry(meta={}),
        entry(meta=[]),
        entry(identifier="x"),
        {"response": {"status": "201"}},
        {"response": {"status": "201"}, "resource": []},
        5,
    ],
)
def test_the_plan_itself_and_what_is_not_shown_as_created_is_read(now, shown):
    server = Showing(shown)
    foreseen = Foreseen(server, lambda: now[0], shows=True)
    foreseen.transact({})
    for kind in ("Goal", "CarePlan", "DocumentReference"):
        assert not foreseen.holds(Look(kind, "_id", ("g",)))
        foreseen.search(kind, {"_id": "g"})
    assert len(server.asked) == 3


def test_an_answer_grows_old_and_ends_with_the_next_write(now):
    server = Showing(entry())
    foreseen = Foreseen(server, lambda: now[0], shows=True)
    foreseen.transact({})
    now[0] += FRESH_S
    assert not foreseen.holds(GOAL)
    foreseen.transact({})
    foreseen.update({})
    assert not foreseen.holds(GOAL)


def test_no_other_server_is_asked_for_it_nor_believed(now):
    server = Showing(entry())
    foreseen = Foreseen(server, lambda: now[0])
    foreseen.transact({})
    foreseen.transact({}, prefer="minimal")
    assert server.preferred == [None, "minimal"]
    assert not foreseen.holds(GOAL)
