"""The check at load: every node of a library is of a type that is known."""

from ivfhir.errors import UnsupportedError
from ivfhir.expressions.elm.scope import Node, place
from ivfhir.expressions.elm.table import NODES, STRUCTURE
from ivfhir.expressions.values.value import Value

SKIPPED = frozenset({"annotation", "signature", "resultTypeSpecifier"})


def check_nodes(library: str, define: str, root: Node | None) -> None:
    """Refuse a definition that has a node of a type that is not known.

    Raises:
        UnsupportedError: names library, define, place and operator.
    """
    stack: list[tuple[Value, Node]] = [(root, root or {})]
    while stack:
        node, located = stack.pop()
        if isinstance(node, list):
            stack.extend((item, located) for item in node)
        elif isinstance(node, dict):
            located = node if "locator" in node else located
            kind = node.get("type")
            if isinstance(kind, str) and kind not in NODES and kind not in STRUCTURE:
                _refuse(library, define, located, kind)
            stack.extend((v, located) for k, v in node.items() if k not in SKIPPED)


def _refuse(library: str, define: str, located: Node, kind: str) -> None:
    """Refuse an operator."""
    raise UnsupportedError(place(library, define, located) + f"operator {kind} is not supported")
