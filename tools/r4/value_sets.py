"""The codes of the value sets that R4 binds elements to, where the specification lists all of them.

    "http://hl7.org/fhir/ValueSet/…": {"http://hl7.org/fhir/…": ["male", "female"]}

They are R4's own expansions. A set that is said to be too large, or to have no end, and one that
lists less than it counts, is left out: what is not there is not known.
"""

import json
from typing import Any

from ivfhir.fhir.expansions import contained, is_whole
from tools.r4.definitions import Table

ValueSets = dict[str, dict[str, list[str]]]


def build_value_sets(expanded: list[dict[str, Any]], table: Table) -> ValueSets:
    """Return the codes of the value sets that elements of the table are bound to."""
    bound = bound_value_sets(table)
    found = {each["url"]: each["expansion"] for each in expanded if each.get("url") in bound}
    return {url: codes_of(expansion) for url, expansion in found.items() if is_whole(expansion)}


def bound_value_sets(table: Table) -> frozenset[str]:
    """Return the canonicals, without versions, that notations of the table name."""
    notations = (notation for line in table.values() for notation in line[2].values())
    bindings = (notation.split(" ")[3] for notation in notations if notation.count(" ") == 3)  # noqa: PLR2004
    return frozenset(binding.partition("|")[0] for binding in bindings)


def codes_of(expansion: dict[str, Any]) -> dict[str, list[str]]:
    """Return the codes by system, in the order of the expansion."""
    codes: dict[str, list[str]] = {}
    for each in contained(expansion):
        if "code" in each and not each.get("abstract"):
            codes.setdefault(each["system"], []).append(each["code"])
    return codes


def as_text(value_sets: ValueSets) -> str:
    """Return the codes as JSON, a line a value set, in alphabetical order."""
    lines = [
        f"{json.dumps(url)}:{json.dumps(value_sets[url], separators=(',', ':'))}"
        for url in sorted(value_sets)
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"
