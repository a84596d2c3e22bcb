"""Three answers: yes, no, and not known."""

import pytest

from ivfhir.expressions.operators.logical import all_of, any_of


@pytest.mark.parametrize(
    ("truths", "every", "one"),
    [
        ([], True, False),
        ([True, True], True, True),
        ([True, None], None, True),
        ([False, None], False, None),
        ([None, False], False, None),
        ([None], None, None),
        ([False], False, False),
    ],
)
def test_what_is_not_known_stays_so(truths, every, one):
    assert all_of(truths) is every
    assert any_of(truths) is one


def test_what_decides_ends_the_asking():
    left = iter([True, False, True, False])
    assert all_of(left) is False
    assert any_of(left) is True
    assert list(left) == [False]
