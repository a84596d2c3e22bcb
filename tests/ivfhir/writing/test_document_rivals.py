"""Of several documents that were accepted at the same time one stays current, whoever looks."""

from itertools import permutations

import pytest

from ivfhir.errors import ServerError, UnreachableError
from ivfhir.servers.memory import MemoryRepository
from ivfhir.writing.document import DOCUMENT_SYSTEM
from ivfhir.writing.document_rivals import settle_document_rivals

PROTOCOL = "https://example.org/PlanDefinition/P"


def document(name, *, at="10:00:00", **changed):
    related = [{"identifier": {"system": "urn:ietf:rfc:3986", "value": f"{PROTOCOL}|1.0"}}]
    return {
        "resourceType": "DocumentReference",
        "id": name,
        "meta": {"versionId": "1", "lastUpdated": f"2025-03-03T{at}Z"},
        "identifier": [{"system": DOCUMENT_SYSTEM, "value": f"plan-{name}"}],
        "status": "current",
        "docStatus": "final",
        "subject": {"reference": "Patient/p"},
        "author": [{"display": f"Dr {name}"}],
        "content": [{"attachment": {"title": "Plan"}}],
        "context": {"related": related},
        **changed,
    }


class Server(MemoryRepository):
    """Keeps the moment at which a document was stored; changes one by `transact`."""

    def __init__(self, *documents, fails=None):
        super().__init__(documents)
        self.kept = {each["id"]: each for each in documents}
        self.fails = fails

    def search(self, resource_type, params):
        return list(self.kept.values())

    def read(self, resource_type, resource_id):
        return self.kept[resource_id]

    def transact(self, bundle):
        if self.fails is not None:
            raise self.fails
        (entry,) = bundle["entry"]
        assert entry["request"]["ifMatch"] == 'W/"1"'
        self.kept[entry["resource"]["id"]] = entry["resource"]
        return {"resourceType": "Bundle", "type": "transaction-response", "entry": []}

    def statuses(self):
        return {name: each["status"] for name, each in self.kept.items()}


def settle(server, name, *, known=(), may_update=True):
    own = f"DocumentReference/{name}"
    return settle_document_rivals(server, own, known=known, may_update=may_update)


def test_a_document_alone_stays():
    assert settle(Server(document("a")), "a") is None


@pytest.mark.parametrize("order", list(permutations("abc")))
def test_whoever_looks_first_what_was_stored_first_stays(order):
    server = Server(
        document("c", at="10:00:02"), document("a", at="10:00:01"), document("b", at="10:00:00")
    )
    for name in order:
        found = settle(server, name)
        if found:
            assert (found.own, found.stays) == (f"DocumentReference/{name}", "DocumentReference/b")
            assert (found.author, found.left) == ("Dr b", ())
    assert server.statuses() == {"a": "superseded", "b": "current", "c": "superseded"}


def test_of_one_moment_the_lower_identifier_stays():
    server = Server(document("b"), document("a"))
    assert settle(server, "b").stays == "DocumentReference/a"


@pytest.mark.parametrize(
    "other",
    [
        {"at": "10:02:01"},
        {"docStatus": "preliminary"},
        {"status": "superseded"},
        {"subject": {"reference": "Patient/q"}},
        {"identifier": [{"system": DOCUMENT_SYSTEM, "value": "plan-own"}]},
        {"identifier": [{"system": "urn:other", "value": "1"}]},
        {"context": {}},
        {
            "relatesTo": [
                {"code": "replaces", "target": {"reference": "https://x/DocumentReference/own"}}
            ]
        },
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_what_was_not_accepted_beside_it_unseen_stays_as_it_is(other):
    server = Server(document("own"), document("other", **other))
    before = server.statuses()
    assert settle(server, "own") is None
    assert server.statuses() == before


def test_one_that_appends_to_it_is_a_rival_all_the_same():
    appends = [{"code": "appends", "target": {"reference": "DocumentReference/own"}}]
    server = Server(document("own"), document("p", at="10:00:01", relatesTo=appends))
    assert settle(server, "own").revoked == ("DocumentReference/p",)


def test_what_the_review_showed_stays():
    server = Server(document("own"), document("shown"))
    assert settle(server, "own", known=["DocumentReference/shown"]) is None
    assert set(server.statuses().values()) == {"current"}


def test_a_document_that_ended_since_ends_none():
    server = Server(document("own", status="superseded"), document("other"))
    assert settle(server, "own") is None
    assert server.statuses()["other"] == "current"


@pytest.mark.parametrize("hinders", [{"fails": UnreachableError("no answer")}, {}])
def test_what_could_not_be_changed_is_left(hinders):
    server = Server(document("own"), document("p", at="10:00:01"), **hinders)
    found = settle(server, "own", may_update=bool(hinders))
    assert (found.revoked, found.left) == ((), ("DocumentReference/p",))


def test_that_they_cannot_be_looked_for_is_told():
    server = Server(document("own"))
    server.search = lambda *_: (_ for _ in ()).throw(UnreachableError("no answer"))
    with pytest.raises(ServerError):
        settle(server, "own")


def test_a_search_that_does_not_show_the_document_yet_is_not_believed():
    server = Server(document("own"), document("p", at="09:59:59"))
    shown = server.search
    server.search = lambda *_: []
    with pytest.raises(ServerError, match="does not show yet"):
        settle(server, "own")
    server.search = shown
    assert settle(server, "own").revoked == ("DocumentReference/own",)
