"""The rule that says into a vein or into the target's artery: B.7 of the specification.

It stands in a folder of its own beside the protocols, since it rests on several of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ivfhir.errors import KnowledgeError
from ivfhir.expressions.elm import ElmLibrary
from ivfhir.knowledge.criteria import Criteria, criteria_of
from ivfhir.knowledge.package import ROUTE, knowledge_root
from ivfhir.knowledge.registry import Registry

NAME = "ROUTE"
"""Name of the library, and what the define that it answers with begins with."""


@dataclass(frozen=True)
class RouteRule:
    """The rule, ready to evaluate; it has no criteria of its own.

    Attributes:
        library: the one that defines `ROUTE_Route`, compiled.
        libraries: canonical of each of its libraries -> it.
        criteria: none.
        base_criteria: those of the protocols that it rests on -> the FHIR types that they need.
        resource_types: FHIR types that it retrieves through them.
    """

    library: ElmLibrary
    libraries: Mapping[str, ElmLibrary]
    criteria: Criteria
    base_criteria: Criteria
    resource_types: frozenset[str]


@dataclass(frozen=True)
class BrokenRoute:
    """A rule that could not be loaded: its own library, or a protocol that it needs, is broken."""

    error: KnowledgeError


def load_route(registry: Registry | None = None) -> RouteRule | BrokenRoute | None:
    """Return the rule, or why it could not be loaded; None where there is none.

    Args:
        registry: of the protocols that are evaluated beside it, so that they share one program.
    """
    folder = knowledge_root() / ROUTE
    if not (folder / "cql" / f"{NAME}.json").is_file():
        return None
    registry = registry or Registry()
    try:
        package = registry.package(folder)
        library = registry.library(package, NAME)
        documents = package.elm(NAME)
        criteria, base_criteria = criteria_of(documents, registry.linked(documents))
        registry.expansions(package, library)
    except KnowledgeError as error:
        return BrokenRoute(error)
    types = (
        library.retrieved_types(define) for define in library.defines if define.startswith(NAME)
    )
    return RouteRule(
        library, {NAME: library}, criteria, base_criteria, frozenset[str]().union(*types)
    )
