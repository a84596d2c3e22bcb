"""Whether JSON is a fixed value, holds a pattern, or lies within bounds.

http://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.fixed_x_
"""

from decimal import Decimal

from ivfhir.expressions.fhirpath.nodes import Node, value_of
from ivfhir.expressions.fhirpath.types import fhir_type
from ivfhir.expressions.operators.comparison import order
from ivfhir.expressions.operators.errors import CqlError
from ivfhir.fhir.json import dumps
from ivfhir.fhir.types import Json

SHOWN = 160
"""Characters of a value that a message shows."""


def is_fixed(value: Json, fixed: Json) -> bool:
    """Return whether a value is exactly another: the same members, the same items in order."""
    if isinstance(fixed, dict):
        if not isinstance(value, dict) or value.keys() != fixed.keys():
            return False
        return all(is_fixed(value[name], each) for name, each in fixed.items())
    if isinstance(fixed, list):
        if not isinstance(value, list) or len(value) != len(fixed):
            return False
        return all(is_fixed(*pair) for pair in zip(value, fixed, strict=True))
    return _is_scalar(value, fixed)


def holds_pattern(value: Json, pattern: Json) -> bool:
    """Return whether all of a pattern is in a value: of a list each item in one of the value's."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(
            name in value and holds_pattern(value[name], each) for name, each in pattern.items()
        )
    if isinstance(pattern, list):
        return isinstance(value, list) and all(
            any(holds_pattern(item, each) for item in value) for each in pattern
        )
    return _is_scalar(value, pattern)


def compared(value: Json, type_name: str, bound: Json) -> int | None:
    """Return -1, 0 or 1 as a value is below, at or above a bound; None where that is not known.

    Args:
        value: JSON of an element.
        type_name: of R4, of both.
        bound: JSON of the bound.
    """
    type_ = fhir_type(type_name)
    pair = [value_of(Node(each, type_)) for each in (value, bound)]
    if any(each is None for each in pair):
        return None
    try:
        return order(*pair)
    except CqlError:
        return None


def shown(value: Json) -> str:
    """Return a value that a profile asks for, as a message shows it."""
    text = dumps(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _is_scalar(value: Json, other: Json) -> bool:
    if isinstance(value, bool) or isinstance(other, bool):
        return value is other
    number = (int, float, Decimal)
    if isinstance(value, number) and isinstance(other, number):
        return Decimal(str(value)) == Decimal(str(other))
    return type(value) is type(other) and value == other
