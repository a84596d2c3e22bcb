"""A plan reaches the server once, whatever the server does."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
import requests

from ivfhir.errors import (
    BadAnswerError,
    ForbiddenError,
    RejectedError,
    ServerError,
    ThrottledError,
    TokenRenewedError,
    UnauthorisedError,
    UnreachableError,
    VersionConflictError,
)
from ivfhir.outbox.failing import after_failure
from ivfhir.outbox.line import WAITING, Entry
from ivfhir.servers.http import HttpRepository
from ivfhir.servers.memory import MemoryRepository
from ivfhir.write_back import find_written, write_back
from ivfhir.writing.bundle import PLAN_SYSTEM, to_transaction
from ivfhir.writing.capabilities import read_write_support
from ivfhir.writing.withdraw import withdraw_copies
from tests.ivfhir.small_plan import PLAN_ID, accepted

BUNDLE = to_transaction(accepted(), plan_id=PLAN_ID)
COUNTS = {"CarePlan": 1, "RequestGroup": 1, "ServiceRequest": 1, "Goal": 1, "Provenance": 1}


def no_pause(seconds):
    """Do not wait."""


def stored(repository):
    return {name: len(repository.search(name, {})) for name in COUNTS}


class Faulty(MemoryRepository):
    """A server whose transactions fail as told: before or after the commit."""

    def __init__(self, error, *, commits=False, times=1):
        super().__init__()
        self.error, self.commits, self.times, self.sent = error, commits, times, 0

    def transact(self, bundle):
        self.sent += 1
        if self.sent > self.times:
            return super().transact(bundle)
        answer = super().transact(bundle) if self.commits else None
        if self.error is None:
            return {"resourceType": "OperationOutcome", "issue": [{"diagnostics": "odd"}]}
        del answer
        raise self.error


def test_a_plan_is_written_read_back_and_compared():
    repository = MemoryRepository()
    receipt = write_back(repository, BUNDLE)
    assert stored(repository) == COUNTS
    assert not receipt.already_there
    assert [entry.differences for entry in receipt.entries] == [()] * 5
    assert receipt.entries[0].reference == "CarePlan/1"
    assert receipt.entries[0].version == "1"


@pytest.mark.parametrize("commits", [False, True])
def test_a_write_refused_for_its_token_is_sent_again_only_when_it_is_not_there(commits):
    """A gateway may refuse the token for the answer to what the server behind it did."""
    repository = Faulty(TokenRenewedError("renewed", status=401), commits=commits)
    receipt = write_back(repository, BUNDLE, pause=no_pause)
    assert stored(repository) == COUNTS
    assert repository.sent == (1 if commits else 2)
    assert [entry.differences for entry in receipt.entries] == [()] * 5


def test_a_write_refused_for_its_renewed_token_too_is_not_sent_a_third_time():
    repository = Faulty(TokenRenewedError("renewed", status=401), times=5)
    with pytest.raises(UnauthorisedError):
        write_back(repository, BUNDLE, pause=no_pause)
    assert repository.sent == 2


class Unsearchable(Faulty):
    """One that nobody can look at after a transaction."""

    def __init__(self, error, *, commits=False, times=1, look=None):
        super().__init__(error, commits=commits, times=times)
        self.look = look or ServerError("503", status=503)
        self.away = False

    def transact(self, bundle):
        try:
            return super().transact(bundle)
        finally:
            self.away = True

    def search(self, resource_type, params):
        if self.away:
            raise self.look
        return super().search(resource_type, params)


@pytest.mark.parametrize("commits", [False, True])
def test_a_write_refused_for_its_token_is_not_sent_again_when_nobody_can_look(commits):
    repository = Unsearchable(TokenRenewedError("renewed", status=401), commits=commits)
    with pytest.raises(TokenRenewedError) as raised:
        write_back(repository, BUNDLE, pause=no_pause)
    assert raised.value.may_be_done
    assert repository.sent == 1


@pytest.mark.parametrize("error", [UnreachableError("no answer"), None], ids=["dropped", "outcome"])
@pytest.mark.parametrize("times", [0, 1])
def test_an_access_that_ends_after_the_commit_leaves_it_open_whether_it_is_there(error, times):
    expired = UnauthorisedError("expired", status=401)
    repository = Unsearchable(error, commits=True, times=times, look=expired)
    with pytest.raises(UnauthorisedError) as raised:
        write_back(repository, BUNDLE, pause=no_pause)
    assert raised.value.may_be_done
    repository.away = False
    assert stored(repository) == COUNTS


def test_an_answer_that_is_lost_after_the_token_was_renewed_is_looked_for():
    class LostThen(Faulty):
        def transact(self, bundle):
            if self.sent == 1:
                self.error, self.commits, self.times = UnreachableError("no answer"), True, 2
            return super().transact(bundle)

    repository = LostThen(TokenRenewedError("renewed", status=401))
    receipt = write_back(repository, BUNDLE, pause=no_pause)
    assert repository.sent == 2
    assert stored(repository) == COUNTS
    assert [entry.differences for entry in receipt.entries] == [()] * 5


def test_writing_again_writes_nothing():
    repository = MemoryRepository()
    write_back(repository, BUNDLE)
    receipt = write_back(repository, BUNDLE)
    assert stored(repository) == COUNTS
    assert receipt.already_there
    assert all(entry.differences == () for entry in receipt.entries)


@pytest.mark.parametrize(
    "error",
    [
        UnreachableError("no answer"),
        VersionConflictError("a race", status=409),
        ServerError("500", status=500),
        None,
    ],
    ids=["dropped", "409", "500", "outcome"],
)
def test_an_answer_that_is_lost_after_the_commit_is_found_out(error):
    repository = Faulty(error, commits=True)
    receipt = write_back(repository, BUNDLE, pause=no_pause)
    assert repository.sent == 1
    assert stored(repository) == COUNTS
    assert all(entry.differences == () for entry in receipt.entries)


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (UnreachableError("no answer"), UnreachableError),
        (VersionConflictError("changed", status=412), VersionConflictError),
        (ServerError("500", status=500), ServerError),
        (None, BadAnswerError),
        (ForbiddenError("no", status=403), ForbiddenError),
        (RejectedError("no", status=422), RejectedError),
        (ThrottledError("slow down"), ThrottledError),
        (UnauthorisedError("expired", status=401), UnauthorisedError),
    ],
)
def test_what_did_not_arrive_leaves_nothing_and_can_be_sent_again(error, raised):
    repository = Faulty(error)
    with pytest.raises(raised):
        write_back(repository, BUNDLE, pause=no_pause)
    assert stored(repository) == dict.fromkeys(COUNTS, 0)
    assert find_written(repository, BUNDLE) is None
    write_back(repository, BUNDLE)
    assert stored(repository) == COUNTS


def test_a_commit_that_comes_late_is_waited_for():
    repository = Faulty(UnreachableError("no answer"))
    waited = []

    def pause(seconds):
        waited.append(seconds)
        if len(waited) == 2:
            MemoryRepository.transact(repository, BUNDLE)

    receipt = write_back(repository, BUNDLE, pause=pause)
    assert receipt.entries[0].reference == "CarePlan/1"
    assert waited == [0.0, 0.5]


def test_an_entry_that_is_not_done_makes_the_answer_unclear():
    class Partial(MemoryRepository):
        def transact(self, bundle):
            entries = [{"response": {"status": "500"}} for _ in bundle["entry"]]
            return {"resourceType": "Bundle", "type": "transaction-response", "entry": entries}

    with pytest.raises(BadAnswerError, match="not done"):
        write_back(Partial(), BUNDLE, pause=no_pause)


def test_a_place_is_read_from_the_resource_when_there_is_no_location():
    class NoLocation(MemoryRepository):
        def transact(self, bundle):
            answer = super().transact(bundle)
            for entry in answer["entry"]:
                del entry["response"]["location"]
            return answer

    receipt = write_back(NoLocation(), BUNDLE)
    assert receipt.entries[0].reference == "CarePlan/1"


class Shuffling(MemoryRepository):
    """A server that answers the entries of a transaction in another order, as R4 forbids."""

    def transact(self, bundle):
        answer = super().transact(bundle)
        return {**answer, "entry": answer["entry"][::-1]}


def test_an_answer_in_another_order_names_no_other_resource():
    """Ids are given type by type: an id under the wrong type is somebody else's resource."""
    theirs = {"resourceType": "Goal", "id": "2", "lifecycleStatus": "active"}
    repository = Shuffling([theirs])
    receipt = write_back(repository, BUNDLE, pause=no_pause)
    assert all(entry.differences == () for entry in receipt.entries)
    assert receipt.withdrawn == receipt.left_over == ()
    assert repository.read("Goal", "2")["lifecycleStatus"] == "active"


def test_an_answer_in_another_order_takes_no_older_plan_for_the_new_one():
    class Swapping(MemoryRepository):
        def transact(self, bundle):
            answer = super().transact(bundle)
            first, *others, last = answer["entry"]
            return {**answer, "entry": [last, *others, first]}

    old = {"resourceType": "CarePlan", "id": "o", "status": "active", "intent": "plan"}
    repository = Swapping([old | {"subject": {"reference": "Patient/p"}}])
    older = repository.read("CarePlan", "o")
    bundle = to_transaction(accepted(), plan_id=PLAN_ID, revoke=[older])
    receipt = write_back(repository, bundle, pause=no_pause)
    assert receipt.entries[0].reference == "CarePlan/1"
    assert receipt.entries[0].differences == ()


def test_parts_of_one_type_in_another_order_are_told_apart_by_their_identifiers():
    plan = accepted()
    (order,) = (each for each in plan["contained"] if each["id"] == "P.1")
    second = {**order, "id": "P.2", "code": {"text": "Look again"}}
    plan = {**plan, "contained": [*plan["contained"], second]}
    bundle = to_transaction(plan, plan_id=PLAN_ID)

    class Swapping(MemoryRepository):
        def transact(self, bundle):
            answer = super().transact(bundle)
            place = {each["resource"]["resourceType"]: n for n, each in enumerate(answer["entry"])}
            first, last = 2, place["ServiceRequest"]
            entries = answer["entry"]
            entries[first], entries[last] = entries[last], entries[first]
            return answer

    receipt = write_back(Swapping(), bundle)
    assert all(entry.differences == () for entry in receipt.entries)
    assert len({entry.reference for entry in receipt.entries}) == 6


@pytest.mark.parametrize("odd", [None, 5, [], {}, "x", {"response": None}, {"response": ["201"]}])
@pytest.mark.parametrize("whole", [False, True])
def test_an_answer_of_another_shape_is_unclear_and_the_plan_is_looked_for(odd, whole):
    class Odd(MemoryRepository):
        def transact(self, bundle):
            answer = super().transact(bundle)
            return {**answer, "entry": odd if whole else [odd, *answer["entry"][1:]]}

    receipt = write_back(Odd(), BUNDLE, pause=no_pause)
    assert all(entry.differences == () for entry in receipt.entries)


def test_what_a_server_changes_is_told():
    class Changing(MemoryRepository):
        def transact(self, bundle):
            answer = super().transact(bundle)
            goal = self.search("Goal", {})[0]
            goal["description"] = {"text": "Something else"}
            self._put(goal)
            return answer

    receipt = write_back(Changing(), BUNDLE)
    by_type = {entry.resource_type: entry for entry in receipt.entries}
    assert by_type["Goal"].differences == ("description.text is not as it was sent",)
    assert by_type["Goal"].version == "2"
    assert by_type["CarePlan"].differences == ()


def test_copies_of_a_careless_server_are_withdrawn():
    class Careless(MemoryRepository):
        """Its conditional creates do not look."""

        def transact(self, bundle):
            entries = [
                {
                    **entry,
                    "request": {k: v for k, v in entry["request"].items() if k != "ifNoneExist"},
                }
                for entry in bundle["entry"]
            ]
            return super().transact({**bundle, "entry": entries})

    repository = Careless()
    repository.transact(BUNDLE)
    repository.transact(BUNDLE)
    receipt = write_back(repository, BUNDLE)
    plans = repository.search("CarePlan", {})
    assert [plan["status"] for plan in plans] == ["active", "entered-in-error"]
    goals = [goal["lifecycleStatus"] for goal in repository.search("Goal", {})]
    assert goals == ["proposed", "entered-in-error"]
    assert set(receipt.withdrawn) == {
        "CarePlan/6",
        "RequestGroup/7",
        "ServiceRequest/8",
        "Goal/9",
    }
    assert receipt.entries[0].reference == "CarePlan/1"
    assert all(entry.differences == () for entry in receipt.entries)


def test_a_copy_with_which_somebody_has_worked_is_left_and_named():
    repository = MemoryRepository()
    unconditional = to_transaction(accepted(), plan_id=PLAN_ID, conditional=lambda name: False)
    repository.transact(unconditional)
    repository.transact(unconditional)
    order, goal = repository.read("ServiceRequest", "8"), repository.read("Goal", "9")
    repository._put({**order, "status": "completed"})
    repository._put({**goal, "note": [{"text": "the patient's own words"}]})
    receipt = write_back(repository, BUNDLE)
    assert receipt.withdrawn == ("CarePlan/6", "RequestGroup/7")
    assert receipt.left_over == ("ServiceRequest/8", "Goal/9")
    assert repository.read("ServiceRequest", "8")["status"] == "completed"
    assert repository.read("Goal", "9")["lifecycleStatus"] == "proposed"


def test_copies_that_cannot_be_withdrawn_are_named():
    class Stubborn(MemoryRepository):
        def transact(self, bundle):
            if bundle["entry"][0]["request"]["method"] == "PUT":
                raise ForbiddenError("no", status=403)
            return super().transact(bundle)

    repository = Stubborn()
    unconditional = to_transaction(accepted(), plan_id=PLAN_ID, conditional=lambda name: False)
    repository.transact(unconditional)
    repository.transact(unconditional)
    receipt = write_back(repository, BUNDLE)
    assert "CarePlan/6" in receipt.left_over
    assert receipt.withdrawn == ()
    assert not receipt.copies_unknown


def test_that_copies_could_not_be_looked_for_is_told():
    class Blind(MemoryRepository):
        blind = False

        def transact(self, bundle):
            answer = super().transact(bundle)
            self.blind = True
            return answer

        def search(self, resource_type, params):
            if self.blind:
                raise ServerError("no", status=500)
            return super().search(resource_type, params)

    assert write_back(Blind(), BUNDLE).copies_unknown


def test_a_replaced_plan_that_changed_meanwhile_stops_the_write():
    repository = MemoryRepository([{"resourceType": "CarePlan", "id": "old", "status": "active"}])
    old = repository.read("CarePlan", "old")
    repository._put({**old, "note": [{"text": "somebody else"}]})
    bundle = to_transaction(accepted(), plan_id=PLAN_ID, revoke=[old])
    with pytest.raises(VersionConflictError):
        write_back(repository, bundle, pause=no_pause)
    assert stored(repository)["CarePlan"] == 1
    assert repository.read("CarePlan", "old")["status"] == "active"


def prepared(repository, plan_id):
    """Return the transaction of a plan, its patient put on the server."""
    patient = {"resourceType": "Patient", "id": f"{plan_id}-p"}
    request = {"method": "PUT", "url": f"Patient/{plan_id}-p"}
    repository.transact(
        {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [{"resource": patient, "request": request}],
        }
    )
    plan = _of_patient(accepted(), f"{plan_id}-p")
    types = ("CarePlan", "RequestGroup", "ServiceRequest", "Goal", "Provenance")
    support = read_write_support(repository.capabilities(), types)
    return to_transaction(plan, plan_id=plan_id, conditional=support.conditional.__contains__)


def race(base, plan_id, senders):
    """Send one plan many times at once, without any claim; return what came of each."""
    first = HttpRepository(base, session=requests.Session())
    bundle = prepared(first, plan_id)
    gate = threading.Barrier(senders)

    def send(_):
        repository = HttpRepository(base, session=requests.Session())
        gate.wait()
        try:
            return write_back(repository, bundle)
        except ServerError as error:
            return error

    with ThreadPoolExecutor(senders) as pool:
        results = list(pool.map(send, range(senders)))
    write_back(first, bundle)
    plans = first.search("CarePlan", {"identifier": f"{PLAN_SYSTEM}|{plan_id}"})
    return results, [plan for plan in plans if plan["status"] == "active"]


def _of_patient(value, patient_id):
    """Return a copy whose references to the record point to a patient that exists there."""
    if isinstance(value, dict):
        return {name: _of_patient(item, patient_id) for name, item in value.items()}
    if isinstance(value, list):
        return [_of_patient(item, patient_id) for item in value]
    elsewhere = isinstance(value, str) and value.startswith(
        ("Patient/", "Observation/", "Practitioner/")
    )
    return f"Patient/{patient_id}" if elsewhere else value


@pytest.mark.server
def test_a_group_that_a_racing_create_left_beside_its_plan_is_withdrawn(sekmet):
    """The server's conditional create found the plan, and overlooked its group."""
    repository = HttpRepository(sekmet, session=requests.Session())
    bundle = prepared(repository, "stray")
    receipt = write_back(repository, bundle)
    places = {each.value: each.reference for each in receipt.entries}
    value, group = next(
        (value, each) for value, each in places.items() if each.startswith("RequestGroup/")
    )
    copied = repository.read(*group.split("/")) | {"id": "another"}
    stray = repository.create(copied).reference
    assert stray != group
    kept, withdrawn, left = withdraw_copies(repository, bundle, {**places, value: stray})
    assert (withdrawn, left) == ((stray,), ())
    assert kept == places
    assert repository.read(*stray.split("/"))["status"] == "entered-in-error"
    assert repository.read(*group.split("/"))["status"] == "active"
    assert withdraw_copies(repository, bundle, places) == (places, (), ())


def test_twenty_senders_leave_one_active_plan_on_a_careless_server(sekmet):
    _, active = race(sekmet, "race-small", 20)
    assert len(active) == 1


@pytest.mark.server
def test_twenty_senders_leave_one_plan_on_hapi(hapi):
    results, active = race(hapi, "race-hapi", 20)
    assert len(active) == 1
    # A server that is still cold may fail some of twenty at once: they may call again.
    assert any(not isinstance(result, ServerError) for result in results)


class NoProvenanceSearch(Faulty):
    """A server that lets nobody search for a Provenance; it looks itself where it must."""

    def search(self, resource_type, params):
        if resource_type == "Provenance" and not {"_id", "_tag"} & set(params):
            raise RejectedError("no such search", status=400)
        return super().search(resource_type, params)


def test_without_a_search_for_provenance_a_lost_answer_writes_nothing_twice():
    repository = NoProvenanceSearch(UnreachableError("lost"), commits=True)
    receipt = write_back(repository, BUNDLE, pause=no_pause)
    assert repository.sent == 1
    *others, signature = receipt.entries
    assert all(entry.differences == () for entry in others)
    assert (signature.resource_type, signature.differences) == ("Provenance", None)
    found = find_written(repository, BUNDLE)
    assert found is not None
    assert found.already_there
    again = write_back(repository, BUNDLE, pause=no_pause)
    assert again.already_there
    assert repository.sent == 1


def test_without_a_search_for_provenance_one_that_was_just_written_is_read_by_its_id():
    repository = NoProvenanceSearch(UnreachableError("lost"), times=0)
    receipt = write_back(repository, BUNDLE, pause=no_pause)
    assert all(entry.differences == () for entry in receipt.entries)


@pytest.mark.parametrize(
    "error", [ServerError("busy", status=503), ForbiddenError("no", status=403)]
)
def test_a_part_that_cannot_be_read_is_not_taken_for_missing(error):
    """The server creates twice what it is sent twice; the answer to the first was lost."""

    class Silent(Faulty):
        def search(self, resource_type, params):
            if resource_type == "Goal":
                raise error
            return super().search(resource_type, params)

        def read(self, resource_type, resource_id):
            if resource_type == "Goal":
                raise error
            return super().read(resource_type, resource_id)

    repository = Silent(UnreachableError("lost"), commits=True)
    unconditional = to_transaction(accepted(), plan_id=PLAN_ID, conditional=lambda name: False)
    for _ in range(3):
        with suppress(ServerError):
            write_back(repository, unconditional, pause=no_pause)
    assert repository.sent == 1
    assert len(repository.search("CarePlan", {})) == 1


@pytest.mark.server
def test_twenty_plans_at_once_arrive_though_a_cold_hapi_fails_some(hapi):
    """What it fails at is sent again, as the outbox does; nothing that it fails at is for good."""
    first = HttpRepository(hapi, session=requests.Session())
    bundles = [prepared(first, f"cold-{number}") for number in range(20)]
    gate = threading.Barrier(len(bundles))

    def send(bundle):
        repository = HttpRepository(hapi, session=requests.Session())
        gate.wait()
        for attempt in range(1, 9):
            try:
                return write_back(repository, bundle)
            except ServerError as error:
                entry = Entry("e", hapi, "line", 0, WAITING, attempt, attempt - 1, 0, 0)
                after = after_failure(error, entry, now=0, keep_s=3600, random=lambda: 0.0)
                if after.state != WAITING:
                    return None
        return None

    with ThreadPoolExecutor(len(bundles)) as pool:
        receipts = list(pool.map(send, bundles))
    assert all(receipt is not None for receipt in receipts)
    for number in range(20):
        identifier = f"{PLAN_SYSTEM}|cold-{number}"
        assert len(first.search("CarePlan", {"identifier": identifier})) == 1
