"""From the tree to closures: what can be decided about types and shapes is decided here, once."""

from collections.abc import Callable

from ivfhir.expressions.fhirpath import operators
from ivfhir.expressions.fhirpath.compiled import (
    Compiled,
    Invocation,
    Scope,
    constant,
    nothing,
    this_of,
)
from ivfhir.expressions.fhirpath.functions import FUNCTIONS
from ivfhir.expressions.fhirpath.functions.subsetting import index
from ivfhir.expressions.fhirpath.functions.types import cast, type_test
from ivfhir.expressions.fhirpath.paths import member, root_member
from ivfhir.expressions.fhirpath.place import PlacedError
from ivfhir.expressions.fhirpath.syntax import (
    Call,
    Empty,
    Index,
    Literal,
    Member,
    Operation,
    Sign,
    Special,
    Tree,
    TypeTest,
    Variable,
)
from ivfhir.expressions.fhirpath.types import SYSTEM, system_type_of
from ivfhir.expressions.fhirpath.variables import variable


def compile_tree(tree: Tree, scope: Scope) -> Compiled:
    """Return what a tree does in a scope.

    Raises:
        PlacedError: a function is unknown, is given too few or too many arguments, or, in strict
            mode, an element is unknown.
    """
    return BUILDERS[tree.__class__](tree, scope)


def path(tree: Member, scope: Scope) -> Compiled:
    """Return elements of a name."""
    if tree.base is None:
        return root_member(tree.name, tree.at, scope)
    return member(compile_tree(tree.base, scope), tree.name, tree.at, scope)


def type_operation(tree: TypeTest, scope: Scope) -> Compiled:
    """Return `is` or `as`."""
    function = type_test if tree.operator == "is" else cast
    return function(compile_tree(tree.operand, scope), tree.type, tree.at, scope)


def signed(tree: Sign, scope: Scope) -> Compiled:
    """Return a number with its sign."""
    return operators.negative(compile_tree(tree.operand, scope), tree.sign, tree.at)


def special(tree: Special, scope: Scope) -> Compiled:
    """Return `$this`, `$index` or `$total`."""
    if tree.name == "$this":
        return this_of(scope)
    if tree.name == "$index":
        return Compiled(nodes=lambda run, this: [run.index], types=(SYSTEM["Integer"],))
    return Compiled(nodes=lambda run, this: run.total)


def indexed(tree: Index, scope: Scope) -> Compiled:
    """Return an item by its place."""
    compiled = compile_tree(tree.base, scope)
    if scope.strict and not compiled.ordered:
        raise PlacedError("children() and descendants() have no order, so no [n]", tree.at)
    return index(compiled, compile_tree(tree.index, scope), tree.at)


def call(tree: Call, scope: Scope) -> Compiled:
    """Return a function's result."""
    function = FUNCTIONS.get(tree.name)
    if function is None:
        raise PlacedError(_unknown(tree.name), tree.at)
    given = len(tree.arguments)
    if given < function.least or (function.most is not None and given > function.most):
        wanted = str(function.least)
        if function.most != function.least:
            wanted += " or more" if function.most is None else f" to {function.most}"
        raise PlacedError(f"{tree.name}() takes {wanted} arguments, not {given}", tree.at)
    base = this_of(scope) if tree.base is None else compile_tree(tree.base, scope)
    return function.build(Invocation(base, tree.arguments, scope, tree.name, tree.at, compile_tree))


def _unknown(name: str) -> str:
    near = [each for each in FUNCTIONS if each.lower() == name.lower()]
    return f"there is no function {name}()" + (f"; there is {near[0]}()" if near else "")


def operation(tree: Operation, scope: Scope) -> Compiled:
    """Return an operator's result."""
    operands = [compile_tree(each, scope) for each in tree.operands]
    if tree.operator in operators.CHAINS:
        return operators.CHAINS[tree.operator](operands, tree.at)
    left, right = operands
    return operators.PAIRS[tree.operator](left, right, tree.operator, tree.at)


BUILDERS: dict[type, Callable[..., Compiled]] = {
    Member: path,
    Call: call,
    Operation: operation,
    Special: special,
    Index: indexed,
    TypeTest: type_operation,
    Sign: signed,
    Literal: lambda tree, scope: constant(tree.value, system_type_of(tree.value)),
    Variable: lambda tree, scope: variable(tree.name, tree.at, scope),
    Empty: lambda tree, scope: nothing(),
}
"""What compiles each kind of tree."""
