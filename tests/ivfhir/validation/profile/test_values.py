"""Fixed values and patterns."""

from decimal import Decimal

import pytest

from ivfhir.validation.profile.values import holds_pattern, is_fixed, shown

CODING = {"system": "s", "code": "c"}


@pytest.mark.parametrize(
    ("value", "wanted", "fixed", "held"),
    [
        ("a", "a", True, True),
        ("a", "b", False, False),
        (1, Decimal("1.0"), True, True),
        (True, 1, False, False),
        (1, True, False, False),
        (False, False, True, True),
        (None, "a", False, False),
        (CODING, {"code": "c"}, False, True),
        ({"code": "c"}, CODING, False, False),
        ([CODING], [CODING], True, True),
        (["x", CODING], [{"code": "c"}], False, True),
        ([], [CODING], False, False),
        ({}, "a", False, False),
        ("a", [1], False, False),
        ("a", {"x": 1}, False, False),
    ],
)
def test_a_value_is_fixed_or_holds_a_pattern(value, wanted, fixed, held):
    assert (is_fixed(value, wanted), holds_pattern(value, wanted)) == (fixed, held)


def test_a_long_value_is_cut():
    assert shown({"code": "c"}) == '{"code": "c"}'
    assert len(shown("x" * 1000)) < 200
