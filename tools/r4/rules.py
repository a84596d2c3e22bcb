"""The rules of R4 that are FHIRPath: by the element that they are said of.

    "Patient.contact": [["pat-1", "error", "SHALL at least contain …", "name.exists() or …"]]

A rule stands where it is said first; what a type inherits is not said again. Where an element's
type has a profile (SimpleQuantity), its rules are the element's. Left out is what is
checked otherwise, or cannot be meant (see OTHERWISE and BROKEN).
"""

import json
from typing import Any

from tools.r4.definitions import KINDS, StructureDefinition

Rules = dict[str, list[list[str]]]

OTHERWISE = frozenset({"ele-1"})
"""Whether an element is empty is asked of its JSON."""
BROKEN = frozenset({"cid-0"})
"""It asks for the `name` of a ChargeItemDefinition, which has none."""
MENDED = {
    "que-7": ("answer is Boolean", "answer is boolean"),
    "que-12": ("enableWhen.count() > 2", "enableWhen.count() > 1"),
}
"""que-7 asks for a Boolean of FHIRPath's own, which no element of FHIR is; a boolean is meant.
que-12 says "more than one" in words and more than two in FHIRPath; the words are meant."""


def build_rules(definitions: list[StructureDefinition]) -> Rules:
    """Return the rules of the types that are defined, not of profiles and logical models."""
    rules: Rules = {}
    profiled = rules_of_profiles(definitions)
    for definition in definitions:
        if definition["resourceType"] != "StructureDefinition":
            continue
        if definition.get("kind") not in KINDS or definition.get("derivation") == "constraint":
            continue
        for element in definition["snapshot"]["element"]:
            own = [rule_of(each) for each in element.get("constraint", []) if is_own(each)]
            own += [rule for url in profiles_of(element) for rule in profiled.get(url, ())]
            if own:
                rules.setdefault(element["path"].removesuffix("[x]"), []).extend(own)
    return rules


def rules_of_profiles(definitions: list[StructureDefinition]) -> Rules:
    """Return the rules of profiles of types, such as SimpleQuantity, by their canonical."""
    return {
        each["url"]: [rule_of(rule) for rule in first.get("constraint", []) if is_own(rule)]
        for each in definitions
        if each["resourceType"] == "StructureDefinition" and each.get("derivation") == "constraint"
        for first in each["differential"]["element"][:1]
    }


def profiles_of(element: dict[str, Any]) -> list[str]:
    """Return the profiles of the types of an element, where it is said first."""
    if element.get("base", {}).get("path") != element["path"]:
        return []
    return [url for each in element.get("type", []) for url in each.get("profile", [])]


def is_own(constraint: dict[str, Any]) -> bool:
    """Return whether a rule is first said here, and FHIRPath says it."""
    key = constraint["key"]
    return (
        "source" not in constraint and key not in OTHERWISE | BROKEN and "expression" in constraint
    )


def rule_of(constraint: dict[str, Any]) -> list[str]:
    """Return a rule: id, severity, what it says to people, FHIRPath."""
    old, new = MENDED.get(constraint["key"], ("", ""))
    rule = [constraint[name] for name in ("key", "severity", "human", "expression")]
    return [*rule[:3], rule[3].replace(old, new) if old else rule[3]]


def as_text(rules: Rules) -> str:
    """Return the rules as JSON, a line an element, in alphabetical order."""
    lines = [
        f"{json.dumps(path)}:{json.dumps(rules[path], separators=(',', ':'), ensure_ascii=False)}"
        for path in sorted(rules)
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"
