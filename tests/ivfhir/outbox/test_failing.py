"""When a plan that did not arrive is tried again, and when it is parked."""

from dataclasses import replace

import pytest

from ivfhir.errors import (
    BadAnswerError,
    BusyError,
    ForbiddenError,
    NotFoundError,
    RejectedError,
    ServerError,
    ThrottledError,
    TokenRenewedError,
    UnauthorisedError,
    UnreachableError,
    VersionConflictError,
)
from ivfhir.outbox.failing import MOST_FAILURES, after_failure
from ivfhir.outbox.line import PARKED, SIGN_IN, WAITING, Entry

NOW = 1_800_000_000
DAYS_3 = 3 * 86_400
ONE = Entry("a", "https://ehr.example/fhir", "line", 1, WAITING, 1, 0, NOW - 5, NOW - 5)


def after(error, entry=ONE, *, now=NOW, chance=0.0):
    return after_failure(error, entry, now=now, keep_s=DAYS_3, random=lambda: chance)


def pauses(chance):
    tries = (1, 2, 3, 4, 5, 6, 7, 8, 100)
    error = UnreachableError("x")
    return [after(error, replace(ONE, attempts=n), chance=chance).due_at - NOW for n in tries]


def test_each_pause_is_twice_as_long_up_to_a_quarter_of_an_hour():
    longest = [15, 30, 60, 120, 240, 480, 900, 900, 900]
    assert pauses(0.999) == longest
    assert pauses(0.0) == [round(each / 2) for each in longest]


def test_what_the_server_asks_for_is_kept():
    for asked_s in (120.0, 3600.0):
        found = after(ThrottledError("x", retry_after_s=asked_s))
        assert found.state == WAITING
        assert found.due_at == NOW + asked_s
        later = after(ThrottledError("x", retry_after_s=asked_s), chance=0.9)
        assert NOW + asked_s < later.due_at <= NOW + asked_s + 5
    assert after(ThrottledError("x", retry_after_s=0.0)).due_at == NOW + 8


@pytest.mark.parametrize("asked_s", [DAYS_3 + 1.0, 99_999_999.0, 8000 * 365.25 * 86_400])
def test_what_the_server_asks_for_parks_no_plan_that_may_still_be_tried(asked_s):
    found = after(ThrottledError("x", retry_after_s=asked_s))
    assert (found.state, found.due_at) == (WAITING, NOW + 8)
    error = ServerError("x", status=503)
    error.retry_after_s = asked_s
    assert after(error, replace(ONE, attempts=4)).due_at == NOW + 60
    last = replace(ONE, attempts=200)
    end = ONE.accepted_at + DAYS_3
    assert after(error, last, now=end - 901).state == WAITING
    assert after(error, last, now=end - 450).state == WAITING
    assert after(error, last, now=end - 449).state == PARKED


def test_what_the_server_asks_for_is_kept_up_to_the_end_of_the_time():
    end = ONE.accepted_at + DAYS_3
    for early_s, due_at in ((3600, end), (3599, end - 3599 + 8)):
        found = after(ThrottledError("x", retry_after_s=3600.0), now=end - early_s)
        assert (found.state, found.due_at) == (WAITING, due_at)


def test_a_503_with_retry_after_is_one_that_is_away():
    error = ServerError("x", status=503)
    error.retry_after_s = 600.0
    assert after(error).due_at == NOW + 600
    assert after(error).failures == 0


@pytest.mark.parametrize("family", [ForbiddenError, RejectedError, VersionConflictError])
def test_a_refusal_is_parked_at_once(family):
    assert after(family("x")).state == PARKED


def test_without_a_token_it_waits_for_a_sign_in_however_often():
    found = after(UnauthorisedError("x"), replace(ONE, failures=MOST_FAILURES))
    assert (found.state, found.failures) == (SIGN_IN, MOST_FAILURES)
    assert after(TokenRenewedError("x")).state == WAITING


@pytest.mark.parametrize(
    "error",
    [UnreachableError("x"), BusyError("x"), ThrottledError("x"), ServerError("x", status=503)],
)
def test_a_server_that_is_away_is_waited_for_three_days(error):
    tried = replace(ONE, attempts=200)
    assert after(error, tried).failures == 0
    assert after(error, tried, now=ONE.accepted_at + DAYS_3 - 901).state == WAITING
    assert after(error, tried, now=ONE.accepted_at + DAYS_3 - 100).state == PARKED
    retried = replace(tried, retried_at=NOW + DAYS_3)
    assert after(error, retried, now=NOW + 2 * DAYS_3 - 901).state == WAITING
    assert after(error, retried, now=NOW + 2 * DAYS_3 - 100).state == PARKED


@pytest.mark.parametrize(
    "error", [ServerError("x", status=500), BadAnswerError("x"), NotFoundError("x")]
)
def test_a_server_that_fails_at_a_plan_does_so_eight_times_at_most(error):
    entry, states = ONE, []
    for _ in range(MOST_FAILURES):
        found = after(error, entry)
        states.append(found.state)
        entry = replace(entry, attempts=entry.attempts + 1, failures=found.failures)
    assert states == [WAITING] * (MOST_FAILURES - 1) + [PARKED]
