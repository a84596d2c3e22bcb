"""Of several plans that were accepted at the same time one stays, whoever looks and when."""

from itertools import permutations

import pytest

from ivfhir.errors import ServerError, VersionConflictError
from ivfhir.servers.memory import MemoryRepository
from ivfhir.write_back import write_back
from ivfhir.writing.bundle import PLAN_SYSTEM
from ivfhir.writing.rivals import settle_rivals
from tests.ivfhir.writing.test_earlier import plan_of, put, transaction

LUNG = "https://example.org/PlanDefinition/LUNG"


def accept_plan(repository, name, *, protocol=f"{LUNG}|1"):
    """Write a plan, as a session does; return its reference."""
    plan = {**plan_of("p"), "instantiatesCanonical": [protocol]}
    receipt = write_back(repository, transaction(repository, plan, name))
    (own,) = [each.reference for each in receipt.entries if each.reference.startswith("CarePlan/")]
    return own


def settle(repository, own, *, known=(), may=lambda name, interaction: True):
    return settle_rivals(repository, own, known=known, may=may)


def statuses(repository, kind="CarePlan"):
    """Return the statuses of all resources of a type, by their plan's name."""
    found = repository.search(kind, {"patient": "Patient/p"})
    return {
        (each["identifier"][0]["value"], each.get("status") or each["lifecycleStatus"])
        for each in found
    }


def test_a_plan_alone_stays():
    repository = MemoryRepository()
    assert settle(repository, accept_plan(repository, "a")) is None
    assert statuses(repository) == {("a", "active")}


@pytest.mark.parametrize("order", list(permutations("abc")))
def test_whoever_looks_first_the_same_plan_stays(order):
    repository = MemoryRepository()
    own = {name: accept_plan(repository, name) for name in "cab"}
    for name in order:
        found = settle(repository, own[name])
        if found:
            assert found.stays == own["a"]
            assert found.left == ()
    assert statuses(repository) == {("a", "active"), ("b", "revoked"), ("c", "revoked")}
    orders = statuses(repository, "ServiceRequest")
    assert {status for value, status in orders if value.startswith("a.")} == {"draft"}
    assert {status for value, status in orders if value[0] in "bc"} == {"revoked"}


def dated(**stored):
    """Return a server that says when it stored a plan, by the plan's name."""

    class Dated(MemoryRepository):
        def search(self, *args):
            return [self._with_date(each) for each in super().search(*args)]

        def read(self, *args):
            return self._with_date(super().read(*args))

        def _with_date(self, resource):
            when = stored.get(resource.get("identifier", [{}])[0].get("value"))
            date = {"lastUpdated": f"2025-03-03T{when}"} if when else {}
            return {**resource, "meta": {**resource["meta"], **date}}

    return Dated()


@pytest.mark.parametrize(
    ("z", "a"),
    [
        ("10:00:01Z", "10:00:02Z"),
        ("10:00:01.9Z", "10:00:02Z"),
        ("10:00:02Z", "10:00:02.001Z"),
        ("11:00:01+01:00", "10:00:02Z"),
    ],
)
def test_the_plan_that_the_server_stored_first_stays(z, a):
    repository = dated(z=z, a=a)
    first, own = accept_plan(repository, "z"), accept_plan(repository, "a")
    found = settle(repository, own)
    assert found is not None
    assert (found.own, found.stays, found.revoked) == (own, first, (own,))
    assert found.author == "Dr Imogen Vance"


@pytest.mark.parametrize(("later", "revoked"), [("10:02:00Z", True), ("10:02:01Z", False)])
@pytest.mark.parametrize("looking", ["a", "b"])
def test_a_plan_of_more_than_two_minutes_before_or_after_is_somebody_s_choice(
    later, revoked, looking
):
    repository = dated(a="10:00:00Z", b=later)
    own = {name: accept_plan(repository, name) for name in "ab"}
    assert (settle(repository, own[looking]) is not None) is revoked
    assert statuses(repository) == {("a", "active"), ("b", "revoked" if revoked else "active")}


def test_a_plan_that_another_one_replaced_since_revokes_nothing():
    repository = MemoryRepository()
    own = accept_plan(repository, "a")
    put(repository, {**repository.read(*own.split("/")), "status": "revoked"})
    accept_plan(repository, "b")
    assert settle(repository, own) is None
    assert statuses(repository) == {("a", "revoked"), ("b", "active")}


def test_plans_that_the_review_showed_and_other_protocols_stay():
    repository = MemoryRepository()
    shown = accept_plan(repository, "shown")
    accept_plan(repository, "other", protocol="https://example.org/PlanDefinition/PORT|1")
    own = accept_plan(repository, "own")
    assert settle(repository, own, known=[shown]) is None
    assert {status for _, status in statuses(repository)} == {"active"}


def test_another_version_of_the_protocol_is_the_same_protocol():
    repository = MemoryRepository()
    stays, own = (
        accept_plan(repository, "a", protocol=f"{LUNG}|2"),
        accept_plan(repository, "b"),
    )
    assert settle(repository, own).stays == stays


def test_an_order_that_somebody_touched_stays_as_it_is():
    repository = MemoryRepository()
    accept_plan(repository, "a")
    own = accept_plan(repository, "b")
    held = [
        each
        for each in repository.search("ServiceRequest", {"patient": "Patient/p"})
        if each["identifier"][0] == {**each["identifier"][0], "system": PLAN_SYSTEM}
        and each["identifier"][0]["value"] == "b.ServiceRequest-1"
    ]
    put(repository, {**held[0], "status": "active"})
    assert settle(repository, own).revoked == (own,)
    orders = statuses(repository, "ServiceRequest")
    assert ("b.ServiceRequest-1", "active") in orders
    assert ("b.ServiceRequest-2", "revoked") in orders


def test_without_the_scope_nothing_is_revoked_and_it_is_said():
    repository = MemoryRepository()
    accept_plan(repository, "a")
    own = accept_plan(repository, "b")
    found = settle(repository, own, may=lambda name, interaction: interaction != "u")
    assert (found.revoked, found.left) == ((), (own,))
    assert {status for _, status in statuses(repository)} == {"active"}


def test_a_plan_that_another_session_revokes_at_that_moment_is_revoked():
    class Raced(MemoryRepository):
        """A server on which another session is always a moment earlier."""

        raced = False

        def transact(self, bundle):
            if self.raced:
                self.raced = False
                super().transact(bundle)
                raise VersionConflictError("somebody else was first", status=412)
            return super().transact(bundle)

    repository = Raced()
    accept_plan(repository, "a")
    own = accept_plan(repository, "b")
    repository.raced = True
    found = settle(repository, own)
    assert (found.revoked, found.left) == ((own,), ())


def test_a_server_that_refuses_leaves_the_plan_and_it_is_said():
    class Refusing(MemoryRepository):
        """A server that has gone read-only."""

        refuses = False

        def transact(self, bundle):
            if self.refuses:
                raise ServerError("no", status=500)
            return super().transact(bundle)

    repository = Refusing()
    accept_plan(repository, "a")
    own = accept_plan(repository, "b")
    repository.refuses = True
    assert settle(repository, own).left == (own,)


def test_another_patients_plan_is_left_alone_whatever_a_search_brings():
    class Overlooking(MemoryRepository):
        """A server that does not know the parameter `patient`, and so overlooks it."""

        def search(self, resource_type, params):
            known = {name: value for name, value in params.items() if name != "patient"}
            return super().search(resource_type, known)

    repository = Overlooking()
    own = accept_plan(repository, "a")
    plan = repository.read(*own.split("/"))
    other = {**plan, "id": "theirs", "subject": {"reference": "Patient/other"}}
    repository._put(other)
    assert settle(repository, own) is None
    assert repository.read("CarePlan", "theirs")["status"] == "active"


@pytest.mark.parametrize(("failures", "order"), [(1, "revoked"), (None, "draft")])
def test_an_order_that_cannot_be_read_for_a_moment_ends_with_its_plan(failures, order):
    class Busy(MemoryRepository):
        left = 0

        def search(self, resource_type, params):
            self._fail(resource_type)
            return super().search(resource_type, params)

        def read(self, resource_type, resource_id):
            self._fail(resource_type)
            return super().read(resource_type, resource_id)

        def _fail(self, resource_type):
            if resource_type == "ServiceRequest" and self.left > 0:
                self.left -= 1
                raise ServerError("busy", status=503)

    repository = Busy()
    accept_plan(repository, "a")
    own = accept_plan(repository, "b")
    repository.left = 2 * failures if failures else 1000  # A search, and a read alone.
    assert settle(repository, own).revoked == (own,)
    repository.left = 0
    orders = statuses(repository, "ServiceRequest")
    assert {status for value, status in orders if value.startswith("b.")} == {order}


def test_a_search_that_does_not_show_the_plan_yet_is_not_believed():
    repository = MemoryRepository()
    accept_plan(repository, "a")
    own = accept_plan(repository, "b")
    shown = repository.search
    repository.search = lambda *asked: []
    with pytest.raises(ServerError, match="does not show yet"):
        settle(repository, own)
    repository.search = shown
    assert settle(repository, own).revoked == (own,)
