"""The libraries of these tests, compiled once, and what their defines give."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from ivfhir.expressions.elm import ElmLibrary, Session, load_libraries
from ivfhir.expressions.index import ResourceIndex
from ivfhir.expressions.values import Date, DateTime, Time

CQL = Path(__file__).parent / "cql"
HELPERS = Path(__file__).parents[3] / "plan_definitions/shared/cql/FHIRHelpers-4.0.1.json"
AS_OF = DateTime((2025, 3, 3, 12, 0, 0, 0), 60)
CODES = "http://example.org/codes"
LESION = "http://example.org/ValueSet/lesion"


def elm(name: str) -> Any:
    """Return the parsed ELM of a test library."""
    return json.loads((CQL / f"{name}.json").read_text(encoding="utf-8"))


@cache
def libraries() -> dict[str, ElmLibrary]:
    """Return every test library, compiled together."""
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in CQL.glob("*.json")]
    documents.append(json.loads(HELPERS.read_text(encoding="utf-8")))
    return {name: library for (name, _), library in load_libraries(documents).items()}


@cache
def plain_session(name: str) -> Session:
    """Return a session of a library over no resources."""
    library = libraries()[name]
    given = {"AsOf": AS_OF} if "AsOf" in library.parameters else {}
    return library.session(ResourceIndex(None, []), parameters=given)


def value(name: str, define: str) -> Any:
    """Return a define's value over no resources."""
    return plain_session(name).value(define)


def day(text: str) -> Date:
    """Return the Date that a text writes."""
    return known(Date.parse(text))


def moment(text: str) -> DateTime:
    """Return the DateTime that a text writes."""
    return known(DateTime.parse(text))


def time(text: str) -> Time:
    """Return the Time that a text writes."""
    return known(Time.parse(text))


def known(found: Any) -> Any:
    """Return what was found; it is not None."""
    assert found is not None
    return found


def same(found: Any, expected: Any) -> bool:
    """Return whether values are the same kind of thing and equal: true is not 1, 1 is not 1.0."""
    if isinstance(expected, list):
        return (
            isinstance(found, list)
            and len(found) == len(expected)
            and all(map(same, found, expected))
        )
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(
            same(found[k], expected[k]) for k in expected
        )
    return type(found) is type(expected) and found == expected
