"""A number known as a range: https://cql.hl7.org/05-languagesemantics.html#uncertainty."""

import operator

from ivfhir.expressions.values import Uncertain

RANGE = Uncertain(17, 44)


def test_a_comparison_is_decided_when_every_number_decides_it_alike() -> None:
    assert (RANGE > 2) is True
    assert (RANGE > 50) is False
    assert (RANGE > 20) is None
    assert (RANGE < 45) is True
    assert (RANGE < 17) is False
    assert (RANGE <= 44) is True
    assert (RANGE <= 16) is False
    assert (RANGE >= 17) is True
    assert (RANGE >= 45) is False
    assert (RANGE >= 18) is None


def test_a_number_on_the_left() -> None:
    assert operator.lt(2, RANGE) is True
    assert operator.le(50, RANGE) is False
    assert operator.ge(20, RANGE) is None


def test_equality_is_never_certain() -> None:
    assert (RANGE == 60) is False
    assert (RANGE == 20) is None
    assert (RANGE != 60) is True
    assert (RANGE != 20) is None
    assert (Uncertain(17, 44) == RANGE) is None


def test_ranges_are_compared_with_ranges() -> None:
    assert (Uncertain(30, 40) < Uncertain(50, 60)) is True
    assert (Uncertain(30, 40) < Uncertain(35, 45)) is None
    assert (Uncertain(30, 40) < Uncertain(20, 30)) is False


def ends(found: Uncertain) -> tuple[int, int]:
    return found.low, found.high


def test_arithmetic() -> None:
    assert ends(RANGE + Uncertain(5, 10)) == (22, 54)
    assert ends(1 + RANGE) == (18, 45)
    assert ends(RANGE - 10) == (7, 34)
    assert ends(50 - RANGE) == (6, 33)
    assert ends(-RANGE) == (-44, -17)
    assert ends(RANGE * Uncertain(2, 4)) == (34, 176)
    assert repr(RANGE) == "Uncertain(17, 44)"
    assert hash(RANGE) == hash(Uncertain(17, 44))
