"""What passes is tried again after a pause; what is for good is not."""

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
from ivfhir.sync.retries import TRIES, pause_before_retry_s


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
