"""Compilers of ELM nodes, a module for each kind."""

from collections.abc import Mapping

from ivfhir.expressions.elm.nodes import (
    casts,
    comparisons,
    conversions,
    functions,
    literals,
    logic,
    members,
    membership,
    messages,
    properties,
    queries,
    references,
    retrieves,
    temporal,
    terminology,
)
from ivfhir.expressions.elm.scope import NodeCompiler

NODES: Mapping[str, NodeCompiler] = {
    **literals.NODES,
    **properties.NODES,
    **references.NODES,
    **logic.NODES,
    **comparisons.NODES,
    **casts.NODES,
    **conversions.NODES,
    **functions.NODES,
    **temporal.NODES,
    **membership.NODES,
    **queries.NODES,
    **members.NODES,
    **messages.NODES,
    **terminology.NODES,
    **retrieves.NODES,
}
"""The compiler of each ELM node type.

Terminology's `~` and ToConcept know codes, so they come last.
"""

STRUCTURE = frozenset(
    {
        "ByColumn",
        "ByDirection",
        "ByExpression",
        "ChoiceTypeSpecifier",
        "FunctionDef",
        "IntervalTypeSpecifier",
        "ListTypeSpecifier",
        "NamedTypeSpecifier",
        "TupleTypeSpecifier",
        "With",
        "Without",
    }
)
"""Node types that are parts of others."""
