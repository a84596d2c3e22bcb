"""Steps from elements to their elements (https://hl7.org/fhirpath/N1/#path-selection)."""

from collections.abc import Callable
from functools import cache

from ivfhir.expressions.fhirpath.compiled import (
    Compiled,
    Many,
    One,
    Scope,
    Types,
    concrete,
    exact,
    nothing,
    this_of,
)
from ivfhir.expressions.fhirpath.nodes import (
    Items,
    Node,
    add_children,
    add_element,
    add_step,
    element_node,
)
from ivfhir.expressions.fhirpath.place import PlacedError
from ivfhir.expressions.fhirpath.run import Run
from ivfhir.expressions.fhirpath.types import UNTYPED, Step, Type, is_text, named_type
from ivfhir.expressions.values.value import Value
from ivfhir.fhir.r4 import definition_of, type_names

MANY_TYPES = 12
"""From so many possible types on, nobody asks which of them has an element."""


def root_member(name: str, at: int, scope: Scope) -> Compiled:
    """Return an element of `$this`, or `$this` itself where the name is that of its type."""
    this = this_of(scope)
    found = named_type("FHIR", name) if name[:1].isupper() else ()
    if not found:
        return member(this, name, at, scope)
    wanted = found[0]
    types = scope.types
    if types is None:
        return _of_type(this, wanted)
    if any(wanted.name in each.lineage or each.name in wanted.lineage for each in types):
        return (
            this if len(types) == 1 and wanted.name in types[0].lineage else _of_type(this, wanted)
        )
    if scope.strict:
        raise PlacedError(
            f"{name} is not what the expression is about ({_said(types)}); leave it out", at
        )
    return nothing()


def _of_type(this: Compiled, wanted: Type) -> Compiled:
    nodes = this.nodes
    name = wanted.name

    def chosen(run: Run, this: Value) -> Items:
        return [
            each
            for each in nodes(run, this)
            if each.__class__ is Node and name in each.type.lineage
        ]

    return Compiled(
        nodes=chosen,
        types=(wanted,),
        raws=(lambda run, this: [each.value for each in chosen(run, this)])
        if exact((wanted,))
        else None,
    )


def member(base: Compiled, name: str, at: int, scope: Scope) -> Compiled:
    """Return the elements of that name.

    Raises:
        PlacedError: in strict mode, no type that the base can have has such an element.
    """
    only = exact(base.types, careful=scope.careful) if base.raws is not None else None
    if only is not None and concrete(only):
        step = only.steps.get(name)
        if step is not None:
            return static_step(base, step)
        if scope.strict:
            raise unknown(name, (only,), at)
        return nothing()
    if scope.strict:
        check_member(base.types, name, at)
    nodes = base.nodes

    def found(run: Run, this: Value) -> Items:
        items: Items = []
        for each in nodes(run, this):
            add_children(each, name, items)
        return items

    return Compiled(nodes=found, types=types_of(base.types, name), ordered=base.ordered)


def types_of(types: Types, name: str) -> Types:
    """Return what an element of that name can be, None where that is not known."""
    if types is None or len(types) > MANY_TYPES:
        return None
    found: dict[str, Type] = {}
    for each in types:
        if each.kind == "system":
            continue
        if not concrete(each) and each.kind in ("resource", "complex", "backbone", "untyped"):
            return None
        step = each.steps.get(name)
        if step is not None:
            found |= {one.name: one for one in step.types.values()}
    return tuple(found.values())


def check_member(types: Types, name: str, at: int) -> None:
    """Refuse an element that none of the types has."""
    if types is None or types == ():
        if not types and name not in all_elements():
            raise PlacedError(f"no type of R4 has an element '{name}'; look for the spelling", at)
        return
    for each in types:
        if each is UNTYPED:
            return
        if each.definition is not None and each.definition.is_abstract:
            if name in all_elements():
                return
        elif name in each.steps:
            return
    raise unknown(name, types, at)


def unknown(name: str, types: tuple[Type, ...], at: int) -> PlacedError:
    """Return the error of an element that there is not."""
    for each in types:
        for element, step in each.steps.items():
            if name in step.json_names and name != element:
                kind = step.json_names[name]
                return PlacedError(
                    f"{_said(types)} has no '{name}': write {element}, or {element}.ofType({kind})",
                    at,
                )
    known = sorted({element for each in types for element in each.steps})
    have = f": there is {', '.join(known)}" if 0 < len(known) <= 60 else ""  # noqa: PLR2004
    return PlacedError(f"{_said(types)} has no element '{name}'{have}", at)


def _said(types: tuple[Type, ...]) -> str:
    names = [each.name if each.namespace == "FHIR" else repr(each) for each in types[:4]]
    return " or ".join(names) + (" or others" if len(types) > len(names) else "")


@cache
def all_elements() -> frozenset[str]:
    """Return the names of all elements that a type of R4 has."""
    definitions = (definition_of(name) for name in type_names())
    return frozenset(name for each in definitions if each for name in each.elements)


def static_step(base: Compiled, step: Step) -> Compiled:
    """Return a step from objects whose type is known when compiling."""
    raws = base.raws
    assert raws is not None  # noqa: S101 - the caller asked
    only = step.only
    if only is None:
        return _choice_step(base, raws, step)
    if only.convert is not None:
        return _primitive_step(base, raws, step.name, only, is_list=step.is_list)
    return object_step(base, raws, step.name, only, is_list=step.is_list)


def _choice_step(base: Compiled, raws: Many, step: Step) -> Compiled:
    def nodes(run: Run, this: Value) -> Items:
        items: Items = []
        for each in raws(run, this):
            add_step(each, step, items)
        return items

    types = {each.name: each for each in step.types.values()}
    return Compiled(
        nodes=nodes,
        types=tuple(types.values()),
        ordered=base.ordered,
        choice=(base, step),
    )


def narrowed(base: Compiled, step: Step, wanted: str) -> Compiled | None:
    """Return the one type of a choice; None where it has no such type, or types that are such."""
    alike = [each for each in step.types.values() if wanted in each.lineage]
    if len(alike) > 1 and alike[0].convert is None:
        return None
    for key, type_ in step.types.items():
        if type_.name == wanted and base.raws is not None:
            if type_.convert is not None:
                return _primitive_step(base, base.raws, key, type_, is_list=step.is_list)
            return object_step(base, base.raws, key, type_, is_list=step.is_list)
    return None


def object_step(base: Compiled, raws: Many, key: str, type_: Type, *, is_list: bool) -> Compiled:
    """Return the objects under a JSON name."""

    def found(run: Run, this: Value) -> Items:
        items: Items = []
        for each in raws(run, this):
            raw = each.get(key)
            if raw is not None:
                if raw.__class__ is list:
                    items += raw if None not in raw else _present(raw)
                else:
                    items.append(raw)
        return items

    chosen: Many = found
    raw: One | None = None
    if base.raw is not None:
        one = _object_of_this(key) if base.is_this else _object_of(base.raw, key)
        chosen, raw = _as_list(one), None if is_list else one

    def nodes(run: Run, this: Value) -> Items:
        return [element_node(each, type_) for each in chosen(run, this)]

    return Compiled(
        nodes=nodes,
        types=(type_,),
        raws=chosen if exact((type_,)) else None,
        each=chosen,
        raw=raw if exact((type_,)) else None,
        ordered=base.ordered,
    )


def _present(raw: Items) -> Items:
    """Return a list without its nulls: they are no items."""
    return [each for each in raw if each is not None]


def _object_of(parent: One, key: str) -> One:
    def found(run: Run, this: Value) -> Value:
        owner = parent(run, this)
        return None if owner is None else owner.get(key)

    return found


def _object_of_this(key: str) -> One:
    return lambda run, this: this.get(key)


def _as_list(one: One) -> Many:
    def found(run: Run, this: Value) -> Items:
        raw = one(run, this)
        if raw is None:
            return []
        if raw.__class__ is list:
            return raw if None not in raw else _present(raw)
        return [raw]

    return found


def _primitive_step(
    base: Compiled, raws: Many, key: str, type_: Type, *, is_list: bool
) -> Compiled:
    convert = type_.convert
    assert convert is not None  # noqa: S101 - the caller asked
    beside = "_" + key

    def nodes(run: Run, this: Value) -> Items:
        items: Items = []
        for each in raws(run, this):
            add_element(each, key, type_, items)
        return items

    def values(run: Run, this: Value) -> Items:
        items: Items = []
        for each in raws(run, this):
            raw = each.get(key)
            if raw.__class__ is list:
                for one in raw:
                    value = convert(one)
                    if value is not None:
                        items.append(value)
            elif raw is not None:
                value = convert(raw)
                if value is not None:
                    items.append(value)
        return items

    def each_one(run: Run, this: Value) -> Items:
        items: Items = []
        for each in raws(run, this):
            raw = each.get(key)
            if beside in each:
                add_element(each, key, type_, items)
            elif raw.__class__ is list:
                items += _present(raw)
            elif raw is not None:
                items.append(raw)
        return items

    return Compiled(
        nodes=nodes,
        types=(type_,),
        values=values,
        each=each_one,
        one=None if is_list or base.raw is None else _value_of(base.raw, key, convert, type_),
        ordered=base.ordered,
        key=key if base.is_this and not is_list and is_text(type_) else None,
    )


def _value_of(parent: One, key: str, convert: Callable[[Value], Value], type_: Type) -> One:
    if is_text(type_):

        def text(run: Run, this: Value) -> Value:
            owner = parent(run, this)
            raw = None if owner is None else owner.get(key)
            return raw if raw.__class__ is str else None

        return text

    def found(run: Run, this: Value) -> Value:
        owner = parent(run, this)
        raw = None if owner is None else owner.get(key)
        return None if raw is None else convert(raw)

    return found
