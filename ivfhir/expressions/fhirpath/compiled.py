"""A compiled expression: closures over a run and `$this`, from general to special.

`$this` is an item (a node or a System value, None for nothing) or, inside a function over elements
of one complex type, bare JSON: the type is then known when compiling, and no node is made.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ivfhir.expressions.fhirpath.nodes import Items, Node, root_node, values_of
from ivfhir.expressions.fhirpath.place import PlacedError
from ivfhir.expressions.fhirpath.run import Run
from ivfhir.expressions.fhirpath.syntax import Tree
from ivfhir.expressions.fhirpath.types import SYSTEM, UNTYPED, Step, Type
from ivfhir.expressions.operators.logical import Truth
from ivfhir.expressions.values.value import Value

Many = Callable[[Run, Value], Items]
One = Callable[[Run, Value], Value]
Types = tuple[Type, ...] | None
"""The types that the items can have; None where they are not known."""


@dataclass(slots=True)
class Compiled:
    """An expression. What is None is not to be had and is made from `nodes`.

    Attributes:
        nodes: the items.
        types: what they can be.
        ordered: their order means something.
        values: their System values, complex ones as nodes; those without a value are left out.
        raws: the JSON objects of items that all have the one complex type of `types`.
        each: as many items as `nodes`, of whatever is cheapest: for counting.
        one: the System value of the only item there can be, None for none.
        raw: the JSON object of the only item there can be, None for none.
        truth: its truth, for what is a Boolean by nature.
        choice: the objects, and the step, that give a choice: `as` and `ofType` go on from these.
        constant: the value of a literal.
        is_this: it is bare `$this`.
        key: it is a text that stands directly in bare `$this`, under this name.
    """

    nodes: Many
    types: Types = None
    ordered: bool = True
    values: Many | None = None
    raws: Many | None = None
    each: Many | None = None
    one: One | None = None
    raw: One | None = None
    truth: One | None = None
    choice: "tuple[Compiled, Step] | None" = None
    constant: Value = None
    is_this: bool = False
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """Where an expression stands.

    Attributes:
        types: of `$this`.
        bare: `$this` is the JSON of an element of the one type.
        strict: unknown elements are refused.
        careful: no shortcut that trusts the shape of the JSON.
        names: the variables that are known, None where any may be given.
        several: `as` takes several items, as R4's own rules ask of it.
    """

    types: Types
    bare: bool = False
    strict: bool = False
    careful: bool = False
    names: frozenset[str] | None = None
    several: bool = False


@dataclass(frozen=True, slots=True)
class Invocation:
    """A function call that is to be compiled.

    Attributes:
        base: what it is called on.
        arguments: as they stand in the text.
        scope: where it stands; arguments that are no criteria are evaluated there.
        name: of the function.
        at: where it stands in the text.
        compile: what compiles an argument.
    """

    base: Compiled
    arguments: tuple[Tree, ...]
    scope: Scope
    name: str
    at: int
    compile: "Compile"

    def argument(self, number: int) -> Compiled:
        """Return an argument, evaluated where the call stands."""
        return self.compile(self.arguments[number], self.scope)

    def one(self, number: int) -> One:
        """Return the single value of an argument."""
        return single(self.argument(number), self.at)


class Compile(Protocol):
    """Compiles a tree."""

    def __call__(self, tree: Tree, scope: Scope) -> Compiled:
        """Return what the tree does in a scope."""


def exact(types: Types, *, careful: bool = False) -> Type | None:
    """Return the one complex type whose JSON tells all; None where there is none."""
    if types is None or len(types) != 1 or careful:
        return None
    only = types[0]
    if only.kind == "resource":
        return only
    if only.kind in ("complex", "backbone") and only.definition is not None:
        return None if only.definition.is_abstract else only
    return None


def concrete(type_: Type) -> bool:
    """Return whether the elements of a type are known when compiling."""
    definition = type_.definition
    return type_ is not UNTYPED and definition is not None and not definition.is_abstract


def this_of(scope: Scope) -> Compiled:
    """Return `$this`."""
    only = exact(scope.types, careful=scope.careful)
    if scope.bare and only is not None:
        make: Callable[[Value], Value] = (
            root_node if only.kind == "resource" else lambda raw: Node(raw, only)
        )
        return Compiled(
            nodes=lambda run, this: [make(this)],
            types=scope.types,
            raws=lambda run, this: [this],
            each=lambda run, this: [this],
            raw=lambda run, this: this,
            is_this=True,
        )
    if only is not None:
        return Compiled(
            nodes=lambda run, this: [this],
            types=scope.types,
            raws=lambda run, this: [this.value],
            raw=lambda run, this: this.value,
        )
    return Compiled(
        nodes=lambda run, this: [] if this is None else [this], types=scope.types, one=None
    )


def each_of(compiled: Compiled) -> Many:
    """Return what gives as many items as there are."""
    return compiled.raws or compiled.each or compiled.nodes


def values(compiled: Compiled) -> Many:
    """Return what gives the System values."""
    if compiled.values is not None:
        return compiled.values
    nodes = compiled.nodes
    return lambda run, this: values_of(nodes(run, this))


def single(compiled: Compiled, at: int) -> One:
    """Return what gives the only value, None for none; more than one is an error."""
    if compiled.one is not None:
        return compiled.one
    many = values(compiled)

    def run_one(run: Run, this: Value) -> Value:
        found = many(run, this)
        if not found:
            return None
        if len(found) > 1:
            raise PlacedError(
                f"{len(found)} items where one at most is expected; choose one, as with first()", at
            )
        return found[0]

    return run_one


def truth_of(compiled: Compiled, at: int) -> One:
    """Return what gives a truth; a single item that is no Boolean counts as true.

    https://hl7.org/fhirpath/N1/#singleton-evaluation-of-collections
    """
    if compiled.truth is not None:
        return compiled.truth
    one = single(compiled, at)

    def run_truth(run: Run, this: Value) -> Truth:
        found = one(run, this)
        return found if found is None or found.__class__ is bool else True

    return run_truth


def of_truth(truth: One) -> Compiled:
    """Return an expression that is a Boolean."""

    def nodes(run: Run, this: Value) -> Items:
        found = truth(run, this)
        return [] if found is None else [found]

    return Compiled(
        nodes=nodes,
        types=(SYSTEM["Boolean"],),
        values=nodes,
        each=nodes,
        one=truth,
        truth=truth,
    )


def of_one(one: One, type_: Type | None = None) -> Compiled:
    """Return an expression that has one System value or none."""

    def nodes(run: Run, this: Value) -> Items:
        found = one(run, this)
        return [] if found is None else [found]

    return Compiled(
        nodes=nodes,
        types=None if type_ is None else (type_,),
        values=nodes if type_ is not None else None,
        one=one if type_ is not None else None,
    )


def of_values(many: Many, type_: Type | None = None) -> Compiled:
    """Return an expression that has System values."""
    return Compiled(nodes=many, values=many, types=None if type_ is None else (type_,))


def constant(value: Value, type_: Type) -> Compiled:
    """Return a literal."""
    items = [value]
    return Compiled(
        nodes=lambda run, this: items,
        types=(type_,),
        values=lambda run, this: items,
        one=lambda run, this: value,
        truth=(lambda run, this: value) if value.__class__ is bool else None,
        constant=value,
    )


def nothing() -> Compiled:
    """Return `{}`."""
    return Compiled(
        nodes=lambda run, this: [],
        types=(),
        values=lambda run, this: [],
        one=lambda run, this: None,
        truth=lambda run, this: None,
    )
