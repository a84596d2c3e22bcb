"""What is certain of a value before it is computed: that it is not null, and what is in it.

Text that is written for a certain value asks less of it. A shape is a promise, so where values come
from outside (parameters, presets, operands of unknown calls) nothing is certain.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import reduce

from ivfhir.expressions.elm import types as t
from ivfhir.expressions.values.value import Value


@dataclass(frozen=True, slots=True)
class Shape:
    """What is certain of a value.

    Args:
        known: it is not null.
        parts: of a tuple that has these elements, and more perhaps: name -> shape. Where the value
            can be null, it is that of every other value.
        element: of each element of a list.
        is_object: it is a JSON object.
        is_nothing: it is null, or the element of an empty list: all is true of it.
    """

    known: bool = False
    parts: tuple[tuple[str, "Shape"], ...] = ()
    element: "Shape | None" = None
    is_object: bool = False
    is_nothing: bool = False

    def part(self, name: str) -> "Shape | None":
        """Return the shape of an element of a tuple, None where it may not have it."""
        return dict(self.parts).get(name)


OPEN = Shape()
"""Nothing is certain."""
KNOWN = Shape(known=True)
NULL = Shape(is_nothing=True)
ABSENT = Shape(known=True, is_nothing=True)
"""An element of an empty list."""
OBJECT = Shape(known=True, is_object=True)


def known(shape: Shape) -> Shape:
    """Return the shape of a value of which it was seen that it is not null."""
    return shape if shape.known else replace(shape, known=True)


def listed(element: Shape) -> Shape:
    """Return the shape of a list of such elements."""
    return Shape(known=True, element=element)


def element_of(shape: Shape) -> Shape:
    """Return the shape of each element of a list."""
    if shape.is_nothing:
        return ABSENT
    return OPEN if shape.element is None else shape.element


def tuple_of(parts: Mapping[str, Shape]) -> Shape:
    """Return the shape of a tuple with these elements."""
    return Shape(known=True, parts=tuple(parts.items()))


def either(a: Shape, b: Shape) -> Shape:
    """Return what is certain of a value of one shape or the other."""
    if a == b:
        return a
    if a.is_nothing or b.is_nothing:
        return replace(b if a.is_nothing else a, known=a.known and b.known)
    others = dict(b.parts)
    return Shape(
        known=a.known and b.known,
        parts=tuple((name, either(s, others[name])) for name, s in a.parts if name in others),
        element=None if a.element is None or b.element is None else either(a.element, b.element),
        is_object=a.is_object and b.is_object,
    )


def any_of(shapes: Iterable[Shape]) -> Shape:
    """Return what is certain of a value of any of some shapes."""
    return reduce(either, shapes, ABSENT)


def of_constant(value: Value) -> Shape:
    """Return the shape of a value that is known when compiling."""
    if value is None:
        return NULL
    if value.__class__ is list:
        return listed(any_of(map(of_constant, value)))
    if value.__class__ is dict:
        return tuple_of({name: of_constant(part) for name, part in value.items()})
    return KNOWN


def passed(shape: Shape, type_: t.ElmType) -> Shape:
    """Return as much of a shape as goes from one function or define into another.

    Lists and tuples keep theirs, what else is in them is open: then a function that is called from
    many places is written once or twice, and not once for each of them.
    """
    if isinstance(type_, t.ListOf):
        element = ABSENT if shape.is_nothing else shape.element
        if element is None:
            return Shape(shape.known)
        inside = passed(element, type_.element)
        return Shape(shape.known, element=inside if is_structure(type_.element) else bare(inside))
    if isinstance(type_, t.TupleOf):
        inner = (
            dict.fromkeys(dict(type_.elements), ABSENT) if shape.is_nothing else dict(shape.parts)
        )
        parts = tuple(
            (name, passed(inner[name], part) if is_structure(part) else OPEN)
            for name, part in type_.elements
            if name in inner
        )
        return Shape(shape.known, parts)
    is_element = isinstance(type_, str) and type_.startswith("FHIR.")
    return Shape(shape.known, is_object=shape.is_object or (shape.is_nothing and is_element))


def remembered(shape: Shape, type_: t.ElmType) -> Shape:
    """Return what is certain of a define's value: a caller may have put it into memory as null."""
    return passed(shape, type_) if is_structure(type_) else OPEN


def fitted(value: Value, shape: Shape, type_: t.ElmType) -> Value:
    """Return a value that is put into memory with what is certain of it: lists, and all elements.

    Raises:
        ValueError: it is null, and must not be.
    """
    if isinstance(type_, t.TupleOf) and value.__class__ is dict:
        parts = dict(shape.parts)
        of_part = {
            name: fitted(value.get(name), parts.get(name, OPEN), p) for name, p in type_.elements
        }
        return {**value, **of_part}
    if isinstance(type_, t.ListOf) and value.__class__ is list:
        return [fitted(each, element_of(shape), type_.element) for each in value]
    if value is None and shape.known and is_structure(type_):
        if isinstance(type_, t.ListOf):
            return []
        raise ValueError
    return value


def bare(shape: Shape) -> Shape:
    """Return the shape of an element that has no parts: whether it is a JSON object."""
    return shape if shape.is_object else OPEN


def is_structure(type_: t.ElmType) -> bool:
    """Return whether a value of a type has parts whose shapes matter."""
    return isinstance(type_, t.ListOf | t.TupleOf)
