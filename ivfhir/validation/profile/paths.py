"""Paths of discriminators: a part of FHIRPath (http://hl7.org/fhir/R4/profiling.html#discriminator)."""

import re

from ivfhir.fhir.r4 import lineage_of
from ivfhir.validation.issue import Place
from ivfhir.validation.profile.asked import Asked
from ivfhir.validation.profile.items import RESOURCE, Item, item_of

Steps = tuple[tuple[str, str], ...]
"""Kind (child, extension, ofType, resolve) and name of each step."""
_STEP = re.compile(
    r"(?P<this>\$this)|(?P<resolve>resolve\(\))|extension\(['\"](?P<extension>[^'\"]+)['\"]\)"
    r"|ofType\((?:FHIR\.)?(?P<ofType>\w+)\)|(?P<child>[A-Za-z]\w*)(?:\[x\])?"
)


def steps_of(path: str) -> Steps | None:
    """Return the steps of a discriminator's path; None where it is none that R4 allows."""
    steps: list[tuple[str, str]] = []
    at = 0
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None:
            return None
        kind = str(match.lastgroup)
        if kind != "this":
            steps.append((kind, match[kind]))
        at = match.end()
        if at < len(path):
            if path[at] != "." or at + 1 == len(path):
                return None
            at += 1
    return tuple(steps)


def path_of(steps: Steps) -> str:
    """Return a path as a message shows it: nothing for the item itself, else with a blank."""
    shown = {"ofType": "ofType({})", "extension": "extension('{}')"}
    names = [shown.get(kind, "{}").format(name) for kind, name in steps]
    return f"{'.'.join(names)} " if names else ""


def navigate(item: Item, steps: Steps, asked: Asked) -> list[Item] | None:
    """Return what a path leads to; None where a reference on the way cannot be followed."""
    found = [item]
    for kind, name in steps:
        if kind == "resolve":
            targets = [(each, asked.resolve(each)) for each in found]
            if any(target is None for _, target in targets):
                return None
            found = [
                item_of(t, None, RESOURCE, Place(each.place, "resolve()")) for each, t in targets
            ]
        elif kind == "ofType":
            found = [each for each in found if name in lineage_of(each.type_name)]
        else:
            wanted = "extension" if kind == "extension" else name
            found = [child for each in found for child in each.children(wanted) or ()]
            if kind == "extension":
                found = [
                    e for e in found if isinstance(e.value, dict) and e.value.get("url") == name
                ]
    return found
