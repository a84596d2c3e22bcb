"""What must be there before a condition can be false, read off its tree.

Most of R4's rules ask about elements that are seldom there (`data.empty() or
contentType.exists()`): then the answer is known without evaluating anything.
"""

from ivfhir.expressions.fhirpath.syntax import Call, Member, Operation, Tree

Names = frozenset[str]
_NONE: Names = frozenset()


def true_without(tree: Tree) -> Names:
    """Return elements of the context without any one of which a condition is true."""
    return _known(tree)[0]


def _known(tree: Tree) -> tuple[Names, Names]:
    """Return the elements without any one of which a condition is true, and is false."""
    known = _NONE, _NONE
    match tree:
        case Call(base=base, name="empty", arguments=()):
            known = _first(base), _NONE
        case Call(base=base, name="exists" | "hasValue", arguments=()):
            known = _NONE, _first(base)
        case Call(base=base, name="not", arguments=()) if base is not None:
            known = _known(base)[::-1]
        case Operation(operator="implies", operands=(first, second)):
            known = _known(first)[1] | _known(second)[0], _NONE
        case Operation(operator="or", operands=operands):
            true, false = zip(*map(_known, operands), strict=True)
            known = _NONE.union(*true), frozenset.intersection(*false)
        case Operation(operator="and", operands=operands):
            true, false = zip(*map(_known, operands), strict=True)
            known = frozenset.intersection(*true), _NONE.union(*false)
    return known


def _first(tree: Tree | None) -> Names:
    """Return the element of the context that a path of names begins with."""
    while isinstance(tree, Member):
        if tree.base is None:
            return frozenset({tree.name})
        tree = tree.base
    return _NONE
