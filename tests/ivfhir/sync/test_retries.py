"""What passes is tried again after a pause; what is for good is not."""

from threading import Barrier

import pytest

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
from ivfhir.servers.memory import MemoryRepository
from ivfhir.sync.ledger import Ledger
from ivfhir.sync.plans import read_plans
from ivfhir.sync.retries import TRIES, pause_before_retry_s
from ivfhir.sync.run import Target, sync_plans
from tests.ivfhir.sync.scene import small, write


def pause(error, attempt=1, chance=0.5):
    return pause_before_retry_s(error, attempt, random=lambda: chance)


@pytest.mark.parametrize(
    "family",
    [BadAnswerError, ServerError, TokenRenewedError, UnreachableError, VersionConflictError],
)
def test_what_passes_is_tried_again_each_time_later(family):
    pauses = [pause(family("x"), attempt) for attempt in range(1, TRIES)]
    assert pauses == sorted(set(pauses))
    assert pause(family("x"), TRIES) is None


@pytest.mark.parametrize("family", [ForbiddenError, RejectedError, UnauthorisedError])
def test_what_is_for_good_is_not(family):
    assert pause(family("x")) is None


@pytest.mark.parametrize("status", [405, 501])
def test_what_the_server_does_not_offer_is_not(status):
    assert pause(ServerError("x", status=status)) is None


def test_chance_keeps_writers_apart():
    assert pause(UnreachableError("x"), chance=0.0) < pause(UnreachableError("x"), chance=0.9)


def test_the_server_is_waited_for_as_long_as_it_asks_but_not_for_ever():
    assert pause(ThrottledError("x", retry_after_s=7), chance=0.0) == 7
    busy = ServerError("x", status=503)
    busy.retry_after_s = 9.0
    assert pause(busy, chance=0.0) == 9
    assert pause(ThrottledError("x", retry_after_s=3600)) is None


class Busy(MemoryRepository):
    """A server that says once, or always, when it will answer what it can."""

    always = False

    def __init__(self):
        super().__init__([{"resourceType": "Patient", "id": "p"}])
        self.asked = 0

    def capabilities(self):
        self.asked += 1
        if self.asked == 1 or self.always:
            raise ThrottledError("x", retry_after_s=11)
        return super().capabilities()


def test_a_server_that_says_when_it_will_answer_is_waited_for_before_it_is_met(tmp_path):
    write(tmp_path, "plan", small())
    server, pauses = Busy(), []
    target = Target("it", lambda: server, Ledger(None))
    (row,) = sync_plans(
        read_plans([tmp_path])[0], [target], random=lambda: 0.0, pause=pauses.append
    )
    assert (row.result, pauses[0]) == ("created", 11)


def test_one_that_never_answers_is_given_up(tmp_path):
    write(tmp_path, "plan", small())
    server, pauses = Busy(), []
    server.always = True
    target = Target("it", lambda: server, Ledger(None))
    with pytest.raises(ThrottledError):
        sync_plans(read_plans([tmp_path])[0], [target], random=lambda: 0.0, pause=pauses.append)
    assert pauses == [11] * (TRIES - 1)


def test_servers_that_want_to_be_waited_for_are_waited_for_together(tmp_path):
    write(tmp_path, "plan", small())
    servers, both, lasted = {"a": Busy(), "b": Busy()}, Barrier(2), []

    def pause(seconds):
        if seconds == 11:
            both.wait(60)
        lasted.append(seconds)

    targets = [Target(name, lambda each=each: each, Ledger(None)) for name, each in servers.items()]
    rows = sync_plans(read_plans([tmp_path])[0], targets, random=lambda: 0.0, pause=pause)
    assert [row.result for row in rows] == ["created", "created"]
    assert lasted[:2] == [11, 11]
