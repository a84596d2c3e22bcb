"""Pauses grow, end somewhere, and hold chance where it is given."""

from ivfhir.outbox.pauses import growing_pause_s


def test_each_is_twice_the_one_before_up_to_the_longest() -> None:
    found = [growing_pause_s(each, first_s=15, longest_s=100) for each in (1, 2, 3, 4, 5, 900)]
    assert found == [15, 30, 60, 100, 100, 100]


def test_chance_takes_up_to_half_of_it() -> None:
    drawn = [growing_pause_s(2, first_s=10, longest_s=60, random=lambda n=n: n) for n in (0, 0.5)]
    assert drawn == [10, 15]
