"""One slow EHR takes neither every thread nor another EHR's."""

import threading
import time

import pytest

from ivfhir.errors import BusyError
from smart_app.smart.turns import Shares, Turns, shares_of


@pytest.mark.parametrize(
    ("threads", "shares"),
    [(1, (1, 0, 1)), (2, (1, 0, 1)), (4, (2, 0, 3)), (8, (4, 1, 7)), (16, (8, 2, 15))],
)
def test_some_threads_are_left_for_others(threads: int, shares: tuple[int, int, int]) -> None:
    assert shares_of(threads) == Shares(*shares)


def test_an_operator_s_share_leaves_a_thread_all_the_same() -> None:
    assert shares_of(8, calling=100) == Shares(7, 0, 7)


def test_a_turn_too_many_is_refused_after_a_little_waiting() -> None:
    turns = Turns(Shares(calling=2, waiting=1, overall=7), wait_s=0.2)
    turns.take("slow")
    turns.take("slow")
    began = time.monotonic()
    with pytest.raises(BusyError) as caught:
        turns.take("slow")
    assert 0.2 <= time.monotonic() - began < 1
    assert caught.value.retry_after_s == 5
    turns.take("other")


def test_who_waits_gets_the_turn_that_is_given_back() -> None:
    turns = Turns(Shares(calling=1, waiting=1, overall=7), wait_s=5)
    first = turns.take("ehr")
    got = threading.Event()

    def wait() -> None:
        turns.take("ehr").give_back()
        got.set()

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.1)
    with pytest.raises(BusyError):
        turns.take("ehr")  # One waits already.
    assert not got.is_set()
    first.give_back()
    thread.join(5)
    assert got.is_set()
    turns.take("ehr")


def test_all_ehrs_together_leave_a_thread() -> None:
    turns = Turns(Shares(calling=2, waiting=0, overall=3))
    turns.take("a")
    turns.take("a")
    last = turns.take("b")
    with pytest.raises(BusyError):
        turns.take("c")
    last.give_back()
    turns.take("c")


def test_a_turn_is_given_back_once() -> None:
    turns = Turns(Shares(calling=2, waiting=0, overall=7))
    first = turns.take("a")
    turns.take("a")
    first.give_back()
    first.give_back()
    turns.take("a")
    with pytest.raises(BusyError):
        turns.take("a")
