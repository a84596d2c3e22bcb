"""Property: an element of a resource, a tuple, or one of CQL's own structures.

The static type says which element it is, so that a path is a look into JSON. Where the type is open
(a choice, Any) the value is asked at run time.
"""

from dataclasses import replace

from ivfhir.expressions.elm.calls import lenient, of_memory, strict, strict_words
from ivfhir.expressions.elm.code import OFFSET, Expression, Memory, RefusedError, Writer, constant
from ivfhir.expressions.elm.readers import Read, read_boolean, read_string, reader
from ivfhir.expressions.elm.scope import Node, Scope
from ivfhir.expressions.elm.shapes import OBJECT, OPEN, Shape
from ivfhir.expressions.elm.types import (
    ANY,
    BOOLEAN,
    CODE,
    CONCEPT,
    DATE_TIME,
    DECIMAL,
    NULL,
    QUANTITY,
    RATIO,
    STRING,
    ElmType,
    IntervalOf,
    ListOf,
    TupleOf,
    choice,
    is_open,
    wrapper,
)
from ivfhir.expressions.fhir_model import Element, find_element, is_resource, primitive_of
from ivfhir.expressions.values import Code, Concept, DateTime, Interval, Quantity, Ratio, Typed
from ivfhir.expressions.values.dates import HOUR, parse_date_time
from ivfhir.expressions.values.value import Value

SYSTEM_ELEMENTS: dict[ElmType, dict[str, tuple[str, ElmType]]] = {
    QUANTITY: {"value": ("value", DECIMAL), "unit": ("unit", STRING)},
    RATIO: {"numerator": ("numerator", QUANTITY), "denominator": ("denominator", QUANTITY)},
    CODE: {name: (name, STRING) for name in ("code", "system", "version", "display")},
    CONCEPT: {"codes": ("codes", ListOf(CODE)), "display": ("display", STRING)},
    "System.ValueSet": {name: (name, STRING) for name in ("id", "version", "name")},
    "System.CodeSystem": {name: (name, STRING) for name in ("id", "version", "name")},
}
INTERVAL_ELEMENTS = {
    "low": "low",
    "high": "high",
    "lowClosed": "low_closed",
    "highClosed": "high_closed",
}
STRUCTURES: dict[type, dict[str, tuple[str, ElmType]]] = {
    Quantity: SYSTEM_ELEMENTS[QUANTITY],
    Ratio: SYSTEM_ELEMENTS[RATIO],
    Code: SYSTEM_ELEMENTS[CODE],
    Concept: SYSTEM_ELEMENTS[CONCEPT],
    Interval: {path: (name, ANY) for path, name in INTERVAL_ELEMENTS.items()},
}


def compile_property(scope: Scope, node: Node) -> Expression:
    """Compile a Property with a source expression or the name of a local."""
    source = scope.compile(node["source"]) if "source" in node else scope.local(node["scope"])
    return steps(source, node["path"])


def steps(source: Expression, path: str) -> Expression:
    """Return the element at a dotted path."""
    for name in path.split("."):
        source = step(source, name)
    return source


def step(source: Expression, path: str) -> Expression:
    """Return an element of an expression.

    Raises:
        RefusedError: its type has no such element.
    """
    type_ = source.type
    if isinstance(type_, TupleOf):
        part = source.shape.part(path)
        words = f"[{path!r}]" if part else f".get({path!r})"
        made = strict_words(
            lambda _, v: v[0] + words, type_.get(path), source, shape=in_known(source, part)
        )
        return replace(made, at_hand=source.at_hand)
    if isinstance(type_, IntervalOf):
        if path not in INTERVAL_ELEMENTS:
            raise RefusedError(f"an interval has no element {path}")
        closed = path.endswith("Closed")
        return attribute(source, INTERVAL_ELEMENTS[path], BOOLEAN if closed else type_.point)
    if type_ in SYSTEM_ELEMENTS:
        found = SYSTEM_ELEMENTS[type_].get(path)
        if found is None:
            raise RefusedError(f"{type_} has no element {path}")
        if type_ == CONCEPT and path == "codes":
            return strict(lambda concept: list(concept.codes), found[1], source)
        return attribute(source, found[0], found[1])
    if isinstance(type_, str) and type_.startswith("FHIR."):
        return fhir_step(source, path)
    if is_open(type_) or type_ == NULL:
        return dynamic_step(source, path, open_type(type_, path))
    raise RefusedError(f"{type_} has no element {path}")


def in_known(source: Expression, part: Shape | None) -> Shape:
    """Return the shape of a part of a value, which is null where the value is."""
    part = part or OPEN
    return part if source.shape.known else replace(part, known=False)


def attribute(source: Expression, name: str, type_: ElmType) -> Expression:
    """Return an attribute of a value that may be null."""
    return strict_words(lambda _, v: f"{v[0]}.{name}", type_, source)


def dynamic_step(source: Expression, path: str, type_: ElmType) -> Expression:
    """Return an element of a value whose type is known only when it is asked."""
    return of_memory(dynamic, type_, source, constant(path, STRING))


def fhir_step(source: Expression, path: str) -> Expression:
    """Return an element of a FHIR type."""
    owner = str(source.type).removeprefix("FHIR.")
    found = reader(owner, path)
    if found is None:
        if is_resource(owner):
            return dynamic_step(source, path, ANY)
        raise RefusedError(f"FHIR type {owner} has no element {path}")
    if primitive_of(owner) is not None and path != "value":
        return sibling_step(source, path)
    read, type_ = found
    if path == "value" and primitive_of(owner) == type_:
        return primitive_value(source, read, type_)
    element = find_element(owner, path)
    plain = element is not None and is_object(element)
    made = object_step(source, path, type_) if plain else lenient(read, type_, source)
    return replace(made, parent=source, owner=owner, path=path)


def is_object(element: Element) -> bool:
    """Return whether an element is one JSON object of one type."""
    if element.is_list or element.is_choice or element.types[0].startswith("System."):
        return False
    return primitive_of(element.types[0]) is None


def object_step(source: Expression, path: str, type_: ElmType) -> Expression:
    """Return an element that is a JSON object, null for JSON of another kind."""

    def text(m: Writer) -> str:
        v, w = m.temporary(), m.temporary()
        if is_certain_object(source):
            return f"({w} if ({w} := {m.value(source)}.get({path!r})).__class__ is dict else None)"
        whole = f"({v} := {m.value(source)}).__class__ is dict"
        return f"({w} if {whole} and ({w} := {v}.get({path!r})).__class__ is dict else None)"

    return Expression(type_, text, shape=replace(OBJECT, known=False))


def is_certain_object(source: Expression) -> bool:
    """Return whether a value is a JSON object, and never null."""
    return source.shape.known and source.shape.is_object


def primitive_value(source: Expression, read: Read, type_: ElmType) -> Expression:
    """Return the value of a primitive, straight from the JSON that holds it where that is known."""
    raw = source if source.parent is None else raw_element(source.parent, source.path)
    if type_ == DATE_TIME:
        return of_memory(read_placed, type_, raw)
    if read in PLAIN:
        return of_class(PLAIN[read], type_, raw)
    return lenient(read, type_, raw)


PLAIN = {read_string: "str", read_boolean: "bool"}
"""Readers that only look at the class of JSON -> its name."""


def of_class(name: str, type_: ElmType, raw: Expression) -> Expression:
    """Return a value of one class of JSON, null for JSON of another."""

    def text(m: Writer) -> str:
        v = m.temporary()
        return f"({v} if ({v} := {m.value(raw)}).__class__ is {name} else None)"

    return Expression(type_, text)


def raw_element(parent: Expression, name: str) -> Expression:
    """Return what takes a primitive from the JSON of its element, whatever kind of JSON it is."""

    def text(m: Writer) -> str:
        if is_certain_object(parent):
            return f"{m.value(parent)}.get({name!r})"
        v = m.temporary()
        return f"({v}.get({name!r}) if ({v} := {m.value(parent)}).__class__ is dict else None)"

    return Expression(ANY, text)


def read_placed(memory: Memory, raw: Value) -> DateTime | None:
    """Return the DateTime of raw JSON; a time without offset is in the offset of the evaluation."""
    value = parse_date_time(raw) if raw.__class__ is str else None
    return value if value is None or value.offset is not None else placed(memory, value)


def placed(memory: Memory, value: DateTime | None) -> DateTime | None:
    """Return a DateTime; a time without offset is in the offset of the evaluation."""
    if value is not None and value.offset is None and len(value.parts) >= HOUR:
        offset: int = memory[OFFSET]
        return value.at_offset(offset)
    return value


def sibling_step(source: Expression, path: str) -> Expression:
    """Return id or extension of a primitive.

    They are in the JSON sibling `_name` of the element.
    """
    found = reader("Element", path)
    if source.parent is None or found is None or isinstance(source.type, ListOf):
        raise RefusedError(f"{path} of a primitive is read only directly from its element")
    read, type_ = found
    return lenient(read, type_, raw_element(source.parent, "_" + source.path))


def open_type(type_: ElmType, path: str) -> ElmType:
    """Return the type of an element of a value whose type is one of several."""
    options = getattr(type_, "options", ())
    found = []
    for option in options:
        known = reader(str(option).removeprefix("FHIR."), path) if isinstance(option, str) else None
        if known is not None:
            found.append(known[1])
        elif isinstance(option, TupleOf):
            found.append(option.get(path))
        elif not (isinstance(option, str) and option.startswith("FHIR.")):
            return ANY
    result = choice(found) if found else ANY
    return result if is_open(result) or str(result).startswith("System.") else ANY


def dynamic(memory: Memory, value: Value, path: str) -> Value:
    """Return an element of a value that tells its own type."""
    if value is None:
        return None
    if value.__class__ is dict:
        if "resourceType" not in value:
            return value.get(path)
        return fhir_dynamic(memory, str(value["resourceType"]), value, path)
    if isinstance(value, Typed):
        return fhir_dynamic(memory, value.type.removeprefix("FHIR."), value.raw, path)
    elements = STRUCTURES.get(value.__class__)
    found = elements.get(path) if elements else None
    if found is None:
        return None
    result = getattr(value, found[0])
    return list(result) if isinstance(result, tuple) else result


def fhir_dynamic(memory: Memory, owner: str, raw: Value, path: str) -> Value:
    """Return an element of raw JSON of a FHIR type, wrapped so that it tells its own type."""
    found = reader(owner, path)
    if found is None:
        return None
    read, type_ = found
    value = read(raw)
    if type_ == DATE_TIME:
        return placed(memory, value)
    wrap = wrapper(type_, ANY)
    return value if wrap is None else wrap(value)
