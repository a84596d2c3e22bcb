"""dynamicValue: what a define gives, as FHIR JSON, into an element of a request.

See http://hl7.org/fhir/R4/plandefinition-definitions.html#PlanDefinition.action.dynamicValue.
"""

import re
from collections.abc import Callable, Iterable
from decimal import Decimal

from ivfhir.errors import EvaluationError
from ivfhir.expressions.values import Date, DateTime, Interval, Quantity
from ivfhir.fhir.simple_path import set_element
from ivfhir.fhir.types import UCUM, Json, Resource

ValueOf = Callable[[Resource], object]
"""Returns the CQL value of an Expression for this patient."""

_ON_ACTION = re.compile(r"%?action\.")
"""How a path begins that means the action itself, not its request."""


def of_action(definition: Resource) -> list[Resource]:
    """Return the dynamicValues of an action that change the action, their paths inside it."""
    return [
        {**each, "path": _ON_ACTION.sub("", each["path"], count=1)}
        for each in definition.get("dynamicValue", [])
        if _ON_ACTION.match(each["path"])
    ]


def of_request(definition: Resource) -> list[Resource]:
    """Return the dynamicValues of an action or an activity that change its request."""
    values: list[Resource] = definition.get("dynamicValue", [])
    return [each for each in values if not _ON_ACTION.match(each["path"])]


def set_dynamic_values(
    request: Resource, dynamic_values: Iterable[Resource], value_of: ValueOf
) -> None:
    """Set the elements of a request that its definition computes; a null sets nothing.

    Args:
        request: the draft, changed in place.
        dynamic_values: the dynamicValue elements of an action or an ActivityDefinition.
        value_of: returns the CQL value of an expression.

    Raises:
        EvaluationError: a define fails, or its value has no form in FHIR.
    """
    for dynamic_value in dynamic_values:
        expression = dynamic_value["expression"]
        value = to_fhir(value_of(expression), expression["expression"])
        if value is not None:
            set_element(request, dynamic_value["path"], value)


def to_fhir(value: object, place: str) -> Json:
    """Return a CQL value as FHIR JSON: dates as text, intervals as Period or Range.

    Args:
        value: what a define gave.
        place: the define's name, for the message.

    Raises:
        EvaluationError: a value that has no FHIR form, such as an open interval.
    """
    if value is None or isinstance(value, bool | int | Decimal | str):
        return value
    if isinstance(value, Date | DateTime):
        return str(value)
    if isinstance(value, Quantity):
        return {
            "value": value.value,
            "unit": value.unit,
            "system": UCUM,
            "code": value.unit,
        }
    if isinstance(value, Interval) and value.low_closed and value.high_closed:
        names = ("low", "high") if isinstance(value.low, Quantity) else ("start", "end")
        bounds = zip(names, (value.low, value.high), strict=True)
        return {name: to_fhir(bound, place) for name, bound in bounds if bound is not None}
    if isinstance(value, list | tuple):
        return [to_fhir(item, place) for item in value]
    raise EvaluationError(
        f"{place} gives a {type(value).__name__}, which has no form in FHIR here; give a date, "
        "a closed interval, a quantity or a plain value."
    )
