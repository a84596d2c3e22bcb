"""Where a server's words for a place lead in a resource.

`OperationOutcome.issue.expression` is FHIRPath (http://hl7.org/fhir/R4/operationoutcome.html), but
`location` is free, and servers differ: `Patient.name[0]`, `Observation.value[x]`,
`Bundle.entry[0].resource/*Patient/p*/.gender`, `/f:Patient/f:name[1]`, `/name/0`.
"""

import re
from collections.abc import Iterator
from functools import cache
from itertools import zip_longest
from typing import Any, NamedTuple

from ivfhir.fhir.types import Json
from ivfhir.validation.issue import Pointer
from ivfhir.validation.structure import shape_of

LONGEST = 2_000
"""Characters of a place that are looked at."""
_COMMENT = re.compile(r"/\*[^*]*\*/")
_STEP = re.compile(
    r"(?P<name>[A-Za-z_]\w*)(?:\[x\])?(?::[\w-]+)?(?:\[(?P<index>\d{1,9})\])?(?P<rest>.*)",
    re.DOTALL | re.ASCII,
)
_DOT = re.compile(r"\.(?![^(]*\))")
_FILTER = re.compile(r"(ofType|as|first|single)\(")


class _Step(NamedTuple):
    name: str
    number: int | None


def pointer_of(said: str, raw: Json) -> Pointer | None:
    """Return the way to a place in JSON, as far as the resource has it.

    Args:
        said: the place in a server's words.
        raw: the resource.

    Returns:
        Names and numbers; an item that is alone in its array is named by its number, said or not.
        None where the words name no place of this resource.
    """
    if not isinstance(raw, dict):
        return None
    steps = list(_steps(said[:LONGEST].strip(), str(raw.get("resourceType"))))
    if not steps:
        return None
    return _followed(steps[1:], raw)


def settled(pointer: Pointer, raw: Json) -> Pointer:
    """Return a pointer in the one way that a place has here: no `_`, and lone items by number."""
    here: Any = raw
    way: list[str | int] = []
    for step in pointer:
        if isinstance(step, str) and isinstance(here, list) and len(here) == 1:
            here = here[0]
            way.append(0)
        way.append(step.removeprefix("_") if isinstance(step, str) else step)
        here = inside(here, step)
    if isinstance(here, list) and len(here) == 1:
        way.append(0)
    return tuple(way)


def inside(here: Any, step: str | int) -> Any:  # noqa: ANN401 - JSON of any kind
    """Return the member or item that a step of a pointer leads to, None where there is none."""
    if isinstance(here, dict) and isinstance(step, str):
        return here.get(step)
    if isinstance(here, list) and isinstance(step, int) and step < len(here):
        return here[step]
    return None


def _steps(said: str, resource_type: str) -> Iterator[_Step]:
    """Yield the steps of a place, the resource's type first; none where it is no such place."""
    if said.startswith("/"):
        parts = [part.removeprefix("f:") for part in said[1:].split("/")]
        if parts[0].partition("[")[0] == resource_type:
            yield from _parsed(parts, first=1)
        else:
            yield _Step(resource_type, None)
            yield from _of_json(parts)
        return
    parts = _DOT.split(_COMMENT.sub("", said.strip("()") if said[:1] == "(" else said))
    if parts[0].partition("[")[0] == resource_type:
        yield from _parsed(parts, first=0)


def _parsed(parts: list[str], *, first: int) -> Iterator[_Step]:
    """Yield steps as they are written, until one that cannot be followed; `first` is an index."""
    for part in parts:
        match = _STEP.fullmatch(part.removeprefix("@"))
        if match is None:
            return
        if match["rest"]:
            if _FILTER.match(part):
                continue
            return
        index = None if match["index"] is None else int(match["index"]) - first
        yield _Step(match["name"], None if index is not None and index < 0 else index)


def _of_json(parts: list[str]) -> Iterator[_Step]:
    """Yield the steps of a JSON pointer, numbers with the names that they follow."""
    held: str | None = None
    for part in parts:
        if part.isascii() and part.isdecimal() and held is not None and len(part) < 10:  # noqa: PLR2004 - no array is so long
            yield _Step(held, int(part))
            held = None
            continue
        if held is not None:
            yield _Step(held, None)
        held = part
    if held is not None:
        yield _Step(held, None)


def _followed(steps: list[_Step], raw: Json) -> Pointer:
    here: Any = raw
    way: list[str | int] = []
    for step, after in zip_longest(steps, steps[1:]):
        key = _key_of(step.name, here, "" if after is None else after.name)
        if key is None:
            break
        way.append(key)
        here = here.get(key)
        if not isinstance(here, list):
            continue
        index = 0 if step.number is None and len(here) == 1 else step.number
        if index is None or index >= len(here):
            break
        way.append(index)
        here = here[index]
    return settled(tuple(way), raw)


@cache
def _choices() -> tuple[str, ...]:
    """Return how the JSON names of a choice end: `Quantity`, `DateTime`; an extension has all."""
    members = shape_of("Extension").members
    return tuple(key.removeprefix("value") for key in members if key.startswith("value"))


def _key_of(name: str, here: Any, after: str) -> str | None:  # noqa: ANN401 - JSON of any kind
    """Return the member that an element's name means: itself, what is beside it, or a choice.

    Of several choices, which is wrong, the one counts that has what comes `after`.
    """
    if not isinstance(here, dict):
        return None
    for key in (name, f"_{name}"):
        if key in here:
            return key
    choices = [key for each in _choices() if (key := f"{name}{each}") in here]
    if len(choices) > 1:
        choices = [key for key in choices if isinstance(here[key], dict) and after in here[key]]
    return choices[0] if len(choices) == 1 else None
