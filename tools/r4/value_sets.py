"""The codes of R4's value sets, where the specification lists all of them.

    "http://hl7.org/fhir/ValueSet/…": {"http://hl7.org/fhir/…": ["male", "female"]}

They are R4's own expansions, and what a set without one lists. Sets that R4 binds elements to are
there, and others of at most MAX_CODES codes, for profiles that bind to them. A set that is said to
be too large, or to have no end, and one that lists less than it counts, is left out: what is not
there is not known.
"""

import json
from typing import Any

from ivfhir.fhir.expansions import contained, is_whole, members_of
from tools.r4.definitions import Table

MAX_CODES = 1_000
ValueSets = dict[str, dict[str, list[str]]]


def build_value_sets(
    expanded: list[dict[str, Any]], table: Table, defined: list[dict[str, Any]]
) -> ValueSets:
    """Return the codes of R4's value sets: of bound ones, and of others that are not too large.

    Args:
        expanded: ValueSets with R4's expansions.
        table: of types.
        defined: ValueSets with what they are composed of: what they list counts for sets that R4
            expands nowhere.
    """
    bound = bound_value_sets(table)
    whole = [each for each in expanded if is_whole(each.get("expansion", {}))]
    codes = {each["url"]: listed_in(each) for each in defined if "url" in each}
    codes |= {each["url"]: codes_of(each["expansion"]) for each in whole}
    return {url: each for url, each in codes.items() if each and (url in bound or is_small(each))}


def is_small(codes: dict[str, list[str]]) -> bool:
    """Return whether a set is small enough to be kept for profiles that may ask for it."""
    return sum(map(len, codes.values())) <= MAX_CODES


def listed_in(value_set: dict[str, Any]) -> dict[str, list[str]]:
    """Return the codes by system that a compose lists one by one; nothing where it does not."""
    codes: dict[str, list[str]] = {}
    if "compose" not in value_set:
        return codes
    for system, code in sorted(members_of(value_set) or (), key=str):
        codes.setdefault(str(system), []).append(code)
    return codes


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
