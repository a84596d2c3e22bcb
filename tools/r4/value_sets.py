"""The codes of the value sets that R4 binds elements to, where the specification lists all of them.

    "http://hl7.org/fhir/ValueSet/…": {"http://hl7.org/fhir/…": ["male", "female"]}

They are R4's own expansions. A set that is said to be too large, or to have no end, and one that
lists less than it counts, is left out: what is not there is not known.
"""

import json
from typing import Any

from ivfhir.fhir.expansions import contained, is_whole, members_of
from tools.r4.definitions import Table
from tools.r4.profiles import Profiles, bound_in_profiles

ValueSets = dict[str, dict[str, list[str]]]


def build_value_sets(
    expanded: list[dict[str, Any]],
    table: Table,
    profiles: Profiles,
    defined: list[dict[str, Any]],
) -> ValueSets:
    """Return the codes of the value sets that elements of the table, and profiles, are bound to.

    Args:
        expanded: ValueSets with R4's expansions.
        table: of types.
        profiles: of R4.
        defined: ValueSets with what they are composed of: what they list counts for sets of
            profiles that R4 expands nowhere.
    """
    bound = bound_value_sets(table)
    found = {each["url"]: each["expansion"] for each in expanded if each.get("url") in bound}
    codes = {url: codes_of(expansion) for url, expansion in found.items() if is_whole(expansion)}
    more = bound_in_profiles(profiles) - bound
    listed = {each["url"]: listed_in(each) for each in defined if each.get("url") in more}
    return codes | {url: each for url, each in listed.items() if each}


def listed_in(value_set: dict[str, Any]) -> dict[str, list[str]]:
    """Return the codes by system that a compose lists one by one; nothing where it does not."""
    codes: dict[str, list[str]] = {}
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
