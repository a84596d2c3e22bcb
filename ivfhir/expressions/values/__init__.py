"""The values that CQL has and Python has not: partial dates, quantities, intervals, codes."""

from ivfhir.expressions.values.codes import Code, CodeSystem, Concept, ValueSet
from ivfhir.expressions.values.dates import Date, DateTime, Time
from ivfhir.expressions.values.intervals import Interval
from ivfhir.expressions.values.quantities import Quantity, Ratio
from ivfhir.expressions.values.typed import Typed
from ivfhir.expressions.values.uncertain import Uncertain

__all__ = [
    "Code",
    "CodeSystem",
    "Concept",
    "Date",
    "DateTime",
    "Interval",
    "Quantity",
    "Ratio",
    "Time",
    "Typed",
    "Uncertain",
    "ValueSet",
]
