"""What the parser makes of a text: the tree of an expression. `at` counts characters before it."""

from dataclasses import dataclass

from ivfhir.expressions.values.value import Value


@dataclass(slots=True)
class Literal:
    """A value that stands in the text: bool, int, Decimal, str, Date, DateTime, Time, Quantity."""

    value: Value
    at: int


@dataclass(slots=True)
class Empty:
    """`{}`."""

    at: int


@dataclass(slots=True)
class Special:
    """`$this`, `$index` or `$total`."""

    name: str
    at: int


@dataclass(slots=True)
class Variable:
    """`%name`."""

    name: str
    at: int


@dataclass(slots=True)
class Member:
    """An element by its name: of `base`, or of what the expression is about where that is None."""

    base: "Tree | None"
    name: str
    at: int


@dataclass(slots=True)
class Call:
    """A function of `base`, or of what the expression is about where that is None."""

    base: "Tree | None"
    name: str
    arguments: tuple["Tree", ...]
    at: int


@dataclass(slots=True)
class Index:
    """`base[index]`."""

    base: "Tree"
    index: "Tree"
    at: int


@dataclass(slots=True)
class Sign:
    """`+` or `-` before an operand."""

    sign: str
    operand: "Tree"
    at: int


@dataclass(slots=True)
class Operation:
    """An operator between two operands, or between more of one associative operator."""

    operator: str
    operands: tuple["Tree", ...]
    at: int


@dataclass(slots=True)
class TypeTest:
    """`operand is type` or `operand as type`."""

    operator: str
    operand: "Tree"
    type: tuple[str | None, str]
    at: int


Tree = Literal | Empty | Special | Variable | Member | Call | Index | Sign | Operation | TypeTest


def uses(tree: Tree | None, special: str) -> bool:
    """Return whether a tree asks for `$index` or `$total`, also deep inside."""
    if isinstance(tree, Special):
        return tree.name == special
    return any(uses(each, special) for each in _parts(tree))


def _parts(tree: Tree | None) -> tuple["Tree | None", ...]:
    """Return the trees directly inside a tree."""
    match tree:
        case Member():
            return (tree.base,)
        case Call():
            return (tree.base, *tree.arguments)
        case Index():
            return (tree.base, tree.index)
        case Operation():
            return tree.operands
        case Sign() | TypeTest():
            return (tree.operand,)
    return ()
