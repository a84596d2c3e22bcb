"""The codes of the code systems that HL7 itself keeps, where all of them are published.

    "http://terminology.hl7.org/CodeSystem/…": [["a", "b"], true]

A line is the codes, and whether their case counts. R4's own list of a system of
terminology.hl7.org is of 2018, so the codes that HL7 Terminology has since are beside them. What
is said to be an example, a fragment or empty, or lists less than it counts, is left out: what is
not there is not known.
"""

import json
from collections.abc import Iterable
from typing import Any

CodeSystems = dict[str, tuple[list[str], bool]]
OF_HL7 = ("http://hl7.org/fhir/", "http://terminology.hl7.org/")
"""Systems of others are theirs to list, and may have grown."""


PATTERN = "xxx"
"""So the table of identifier types (v2-0203) writes `NNxxx` for a country's own."""


def build_code_systems(definitions: Iterable[dict[str, Any]]) -> CodeSystems:
    """Return the codes by system, those of all editions of a system together."""
    found: dict[str, tuple[dict[str, None], bool]] = {}
    unsure: set[str] = set()
    for each in definitions:
        url = each.get("url", "")
        if each["resourceType"] != "CodeSystem" or not url.startswith(OF_HL7):
            continue
        codes = codes_of(each.get("concept", []))
        if not is_whole(each, codes):
            unsure.add(url)
        others, counts = found.get(url, ({}, True))
        found[url] = others | dict.fromkeys(codes), counts and each.get("caseSensitive", False)
    return {url: (list(row[0]), row[1]) for url, row in found.items() if url not in unsure}


def is_whole(code_system: dict[str, Any], codes: list[str]) -> bool:
    """Return whether a code system lists all of its codes, none as a pattern, and is no example."""
    said: int = code_system.get("count", 1)
    complete = code_system.get("content") == "complete" and len(codes) >= max(said, 1)
    spelt_out = not any(PATTERN in each for each in codes)
    return complete and spelt_out and "example" not in code_system["url"].lower()


def codes_of(concepts: list[dict[str, Any]]) -> list[str]:
    """Return the codes of concepts and of those below them."""
    return [
        code for each in concepts for code in (each["code"], *codes_of(each.get("concept", [])))
    ]


def as_text(code_systems: CodeSystems) -> str:
    """Return the codes as JSON, a line a system, in alphabetical order."""
    lines = [
        f"{json.dumps(url)}:{json.dumps(code_systems[url], separators=(',', ':'))}"
        for url in sorted(code_systems)
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"
