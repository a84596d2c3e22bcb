"""Which events go to the EHR: claimed once, due again in time, never with an ended access."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from smart_app.store import Store
from smart_app.store.deliveries import SENT
from smart_app.store.uses import SIGNED_OUT
from tests.smart_app.store.conftest import Clock

OWNER = ("https://ehr.example/fhir", "user", "patient")
BODY = {"iss": OWNER[0], "access_token": "token"}


@pytest.fixture
def launched(store: Store, clock: Clock) -> Store:
    """A store with a launch whose access lives ten minutes, and 12 events for its EHR."""
    now = int(clock.now)
    store.save_launch("l1", "s", BODY, owner=OWNER, usable_until=now + 600, expires_at=now + 900)
    for number in range(12):
        store.add_event({"event": "open", "page": str(number)}, deliver="l1")
    return store


def numbers(store: Store, *, limit: int = 10) -> list[int]:
    return [each.number for each in store.claim_deliveries("l1", limit=limit, hold_s=60)]


def states(store: Store) -> set[str]:
    return {event.delivery for event in store.events()}


def test_events_are_claimed_once_oldest_first_and_due_again_after_the_hold(
    launched: Store, clock: Clock
) -> None:
    assert numbers(launched) == list(range(1, 11))
    assert numbers(launched) == [11, 12]
    assert numbers(launched) == []
    launched.settle_delivery(2, SENT)
    clock.now += 60
    assert numbers(launched, limit=2) == [1, 3]


def test_processes_that_claim_at_once_share_the_events(
    launched: Store, open_store: Callable[..., Store]
) -> None:
    stores = [open_store() for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        claimed = [number for found in pool.map(numbers, stores) for number in found]
    assert len(claimed) == len(set(claimed))
    assert set(claimed) | set(numbers(launched)) | set(numbers(launched)) == set(range(1, 13))


def test_what_failed_waits_longer_each_time(launched: Store, clock: Clock) -> None:
    for pause_s in (15, 30, 60, 120, 240, 480, 900, 900):
        assert numbers(launched, limit=1) == [1]
        launched.postpone_deliveries([1, *range(2, 13)])
        clock.now += pause_s - 1
        assert numbers(launched) == []
        clock.now += 1


@pytest.mark.parametrize("end", ["signed out", "token over", "idle"])
def test_an_access_that_is_over_is_not_used(launched: Store, clock: Clock, end: str) -> None:
    access = launched.delivery_access("l1", idle_s=300)
    assert access is not None
    assert access.access_token == "token"
    assert "token" not in repr(access)
    assert launched.launches_with_due(idle_s=300, limit=5) == ["l1"]
    if end == "signed out":
        launched.close_launch("l1", reason=SIGNED_OUT, drafts_kept=True)
    elif end == "token over":
        clock.now += 600
    else:
        launched.use_launch("l1", idle_s=300)
        launched.keep_given("l1", {})
        clock.now += 300
    assert launched.delivery_access("l1", idle_s=300) is None
    assert launched.launches_with_due(idle_s=300, limit=5) == []
    if end == "signed out":
        assert states(launched) == {"kept-here"}


def test_events_that_go_by_age_take_their_rows_along(launched: Store, clock: Clock) -> None:
    clock.now += 2 * 86_400
    assert launched.remove_old_events(keep_days=1) == 12
    assert numbers(launched) == []
    assert launched.prove_trail().breaks == []
