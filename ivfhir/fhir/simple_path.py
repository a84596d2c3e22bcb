"""Simple paths to an element of a resource: names and indices, as `dosageInstruction[0].route`.

The subset of FHIRPath that http://hl7.org/fhir/R4/fhirpath.html#simple allows, without functions.
"""

import re
from typing import Any

from ivfhir.errors import UnsupportedError
from ivfhir.fhir.types import Json, Resource

_STEP = re.compile(r"(?P<name>[a-z][A-Za-z0-9]*)(?:\[(?P<index>\d+)\])?")


def parse_path(path: str) -> list[str | int]:
    """Return the names and indices of a path.

    Raises:
        UnsupportedError: another form of FHIRPath.
    """
    steps: list[str | int] = []
    for part in path.split("."):
        match = _STEP.fullmatch(part)
        if match is None:
            raise UnsupportedError(f"Path '{path}' is not simple: element names and [n] only.")
        steps.append(match["name"])
        if match["index"] is not None:
            steps.append(int(match["index"]))
    return steps


def set_element(resource: Resource, path: str, value: Json) -> None:
    """Put `value` at `path`, making what is missing on the way.

    Raises:
        UnsupportedError: the path is not simple, meets an element of another shape, or would leave
            a gap in a list.
    """
    steps = parse_path(path)
    here: Any = resource
    for number, step in enumerate(steps[:-1]):
        made: Json = [] if isinstance(steps[number + 1], int) else {}
        here = _child(here, step, made, path)
    _child(here, steps[-1], None, path)
    here[steps[-1]] = value


def _child(here: Any, step: str | int, made: Json, path: str) -> Any:  # noqa: ANN401 - raw JSON
    """Return what stands at `step`; where nothing does, put `made` there and return it."""
    if isinstance(step, str):
        if not isinstance(here, dict):
            raise UnsupportedError(f"Path '{path}' needs an index before '{step}'.")
        return here.setdefault(step, made)
    if not isinstance(here, list) or step > len(here):
        raise UnsupportedError(f"Path '{path}' leaves a gap, or [{step}] meets no list.")
    if step == len(here):
        here.append(made)
    return here[step]
