"""Extensions with parts, and the quantities that stand in them."""

from typing import Any

from ivfhir.knowledge.toml_source import Table
from tools.knowledge.layout import CANONICAL_BASE

Json = dict[str, Any]

EXTENSION = f"{CANONICAL_BASE}/StructureDefinition"
UCUM = "http://unitsofmeasure.org"


def part(url: str, parts: list[Json]) -> Json:
    """Return an extension that holds others."""
    return {"url": url, "extension": parts}


def value(url: str, **named: Any) -> Json:  # noqa: ANN401 - value[x] of any type
    """Return an extension with a value, given as `valueCode=…`."""
    return {"url": url, **named}


def quantity(number: object, code: str, unit: str) -> Json:
    """Return a Quantity in UCUM; in words alone where there is no code."""
    coded = {"system": UCUM, "code": code} if code else {}
    return {"value": number, "unit": unit, **coded}


def range_of(ends: list[object], code: str, unit: str) -> Json:
    """Return a Range of two such Quantities."""
    low, high = (quantity(each, code, unit) for each in ends)
    return {"low": low, "high": high}


def marks(table: Table) -> list[Json]:
    """Return where each number of a table comes from."""
    return [
        part("mark", [value("of", valueString=key), value("says", valueString=mark)])
        for key, mark in table.get("marks", {}).items()
    ]


def check_marks(table: Table, what: str, numbers: tuple[str, ...]) -> None:
    """Refuse a number without a mark of where it comes from, and a mark of nothing.

    Args:
        table: the table, with its `marks`.
        what: what it is, for the message.
        numbers: keys that need a mark.
    """
    found = table.get("marks", {})
    for key in numbers:
        if key in table and key not in found:
            table.refuse(f"{what} does not say where {key} comes from; add it to marks", key)
    for key, mark in found.items():
        if not isinstance(mark, str) or not mark.startswith(("lit-conf [", "lit-GK", "design")):
            table.refuse(f"'{mark}' is no mark; write lit-conf [R9], lit-GK or design", "marks")
        if key not in {*table.data, "bounds"}:
            table.refuse(f"{what} marks '{key}', which it does not hold", "marks")
