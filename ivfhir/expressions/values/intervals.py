"""Intervals (https://cql.hl7.org/09-b-cqlreference.html#interval-operators-3)."""

from dataclasses import dataclass

from ivfhir.expressions.values.value import Value


@dataclass(frozen=True, slots=True)
class Interval:
    """The points between two bounds.

    Args:
        low: the lower bound; None is the least value when closed, not known when open.
        high: the upper bound; None is the greatest value when closed, not known when open.
        low_closed: the lower bound belongs to the interval.
        high_closed: the upper bound belongs to the interval.
        point_type: CQL name of the points' type, such as `System.Date`; None when not known.
    """

    low: Value
    high: Value
    low_closed: bool = True
    high_closed: bool = True
    point_type: str | None = None
