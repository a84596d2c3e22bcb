"""Which plan of a patient and server may be sent now."""

from dataclasses import replace

from ivfhir.outbox.line import (
    DELIVERED,
    DROPPED,
    PARKED,
    SENDING,
    SIGN_IN,
    WAITING,
    Entry,
    may_be_tried,
    next_of_line,
)

NOW = 1_800_000_000
FIRST = Entry("a", "https://ehr.example/fhir", "line", 1, WAITING, 0, 0, NOW - 50, NOW)
SECOND = replace(FIRST, id="b", place=2)


def test_the_one_accepted_first_goes_first():
    assert next_of_line([SECOND, FIRST], now=NOW) == FIRST


def test_of_two_with_one_place_the_same_goes_first_for_everybody():
    twin = replace(SECOND, place=1)
    assert next_of_line([twin, FIRST], now=NOW) == next_of_line([FIRST, twin], now=NOW) == FIRST


def test_nothing_overtakes_what_is_not_due_or_is_being_sent():
    for ahead in (replace(FIRST, due_at=NOW + 1), replace(FIRST, held_until=NOW + 1)):
        assert next_of_line([ahead, SECOND], now=NOW) is None
        assert not may_be_tried(SECOND, [ahead, SECOND], now=NOW)


def test_a_later_one_that_is_being_sent_holds_the_line():
    assert next_of_line([FIRST, replace(SECOND, held_until=NOW + 1)], now=NOW) is None
    assert not may_be_tried(FIRST, [FIRST, replace(SECOND, held_until=NOW + 1)], now=NOW)


def test_a_claim_that_ended_holds_nothing():
    assert next_of_line([replace(FIRST, held_until=NOW)], now=NOW) is not None


def test_what_nobody_can_send_now_holds_up_nobody():
    for state in (SIGN_IN, PARKED, DELIVERED, DROPPED):
        ahead = replace(FIRST, state=state)
        assert next_of_line([ahead, SECOND], now=NOW) == SECOND
        assert may_be_tried(SECOND, [ahead, SECOND], now=NOW)
        assert next_of_line([ahead], now=NOW) is None


def test_who_asks_need_not_wait_until_it_is_due_or_for_the_sign_in_that_was_made():
    for mine in (replace(FIRST, due_at=NOW + 900), replace(FIRST, state=SIGN_IN)):
        assert may_be_tried(mine, [mine, SECOND], now=NOW)
    for state in (PARKED, DELIVERED, DROPPED):
        mine = replace(FIRST, state=state)
        assert not may_be_tried(mine, [mine], now=NOW)


def test_the_state_that_people_are_told():
    assert FIRST.told_state(now=NOW) == WAITING
    assert replace(FIRST, held_until=NOW + 1).told_state(now=NOW) == SENDING
    assert replace(FIRST, state=PARKED, held_until=NOW + 1).told_state(now=NOW) == PARKED
