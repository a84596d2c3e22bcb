"""Property: an element of a resource, a tuple, or one of CQL's own structures.

The static type says which element it is, so that a path costs one closure. Where the type is open
(a choice, Any) the value is asked at run time.
"""

from operator import attrgetter, itemgetter

from ivfhir.expressions.elm.calls import one
from ivfhir.expressions.elm.calls import strict as strict_call
from ivfhir.expressions.elm.fusion import Fusion, strict
from ivfhir.expressions.elm.readers import reader
from ivfhir.expressions.elm.scope import OFFSET, Compiled, Frame, Node, Reader, Scope
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


def compile_property(scope: Scope, node: Node) -> Compiled:
    """Compile a Property with a source expression or the name of a local."""
    if "source" in node:
        source = scope.compile(node["source"])
    else:
        source = local(scope, node, node["scope"])
    return steps(scope, node, source, node["path"])


def local(scope: Scope, node: Node, name: str) -> Compiled:
    """Return the expression that is a local: an alias, a let or an operand."""
    if name not in scope.names:
        scope.refuse(node, f"there is no {name} here")
    slot, type_ = scope.names[name]
    return of_slot(slot, type_)


def of_slot(slot: int, type_: ElmType) -> Compiled:
    """Return the expression that is the value in a frame slot."""
    return Compiled(itemgetter(slot), type_, slot=slot, emit=lambda m: m.slot(slot))


def steps(scope: Scope, node: Node, source: Compiled, path: str) -> Compiled:
    """Return the element at a dotted path."""
    for name in path.split("."):
        source = step(scope, node, source, name)
    return source


def step(scope: Scope, node: Node, source: Compiled, path: str) -> Compiled:
    """Return an element of a compiled source."""
    type_ = source.type
    run = source.run
    if isinstance(type_, TupleOf):
        return tuple_step(source, type_, path)
    if isinstance(type_, IntervalOf):
        if path not in INTERVAL_ELEMENTS:
            scope.refuse(node, f"an interval has no element {path}")
        closed = path.endswith("Closed")
        return attribute(source, INTERVAL_ELEMENTS[path], BOOLEAN if closed else type_.point)
    if type_ in SYSTEM_ELEMENTS:
        found = SYSTEM_ELEMENTS[type_].get(path)
        if found is None:
            scope.refuse(node, f"{type_} has no element {path}")
        if type_ == CONCEPT and path == "codes":
            return strict_call(lambda concept: list(concept.codes), found[1], source)
        return attribute(source, found[0], found[1])
    if isinstance(type_, str) and type_.startswith("FHIR."):
        return fhir_step(scope, node, source, path)
    if is_open(type_) or type_ == NULL:
        return Compiled(lambda f: dynamic(run(f), path, f), open_type(type_, path))
    scope.refuse(node, f"{type_} has no element {path}")


def tuple_step(source: Compiled, type_: TupleOf, path: str) -> Compiled:
    """Return an element of a tuple."""
    run = source.run

    def element(f: Frame) -> Value:
        value = run(f)
        return None if value is None else value.get(path)

    def element_of_slot(f: Frame) -> Value:
        value = f[slot]
        return None if value is None else value.get(path)

    emit = strict(lambda _, v: f"{v[0]}.get({path!r})", source)
    if source.slot is None:
        return Compiled(element, type_.get(path), emit=emit)
    slot = source.slot
    return Compiled(element_of_slot, type_.get(path), emit=emit)


def attribute(source: Compiled, name: str, type_: ElmType) -> Compiled:
    """Return an attribute of a value that may be null."""
    run = one(attrgetter(name), source.run)
    return Compiled(run, type_, emit=strict(lambda _, v: f"{v[0]}.{name}", source))


def fhir_step(scope: Scope, node: Node, source: Compiled, path: str) -> Compiled:
    """Return an element of a FHIR type."""
    owner = str(source.type).removeprefix("FHIR.")
    found = reader(owner, path)
    if found is None:
        if is_resource(owner):
            run = source.run
            return Compiled(lambda f: dynamic(run(f), path, f), ANY)
        scope.refuse(node, f"FHIR type {owner} has no element {path}")
    if primitive_of(owner) is not None and path != "value":
        return sibling_step(scope, node, source, path)
    read, type_ = found
    if path == "value" and primitive_of(owner) == type_:
        return primitive_value(source, read, type_)
    run = source.run

    element = find_element(owner, path)
    plain = element is not None and is_object(element)

    def emit(m: Fusion) -> str:
        if plain:
            return object_text(m, source, path)
        return f"{m.name(read)}({m.value(source)})"

    return Compiled(lambda f: read(run(f)), type_, parent=source, owner=owner, path=path, emit=emit)


def is_object(element: Element) -> bool:
    """Return whether an element is one JSON object of one type."""
    if element.is_list or element.is_choice or element.types[0].startswith("System."):
        return False
    return primitive_of(element.types[0]) is None


def object_text(m: Fusion, source: Compiled, path: str) -> str:
    """Return the text of an element that is a JSON object, null for JSON of another kind."""
    v, w = m.temporary(), m.temporary()
    whole = f"({v} := {m.value(source)}).__class__ is dict"
    return f"({w} if {whole} and ({w} := {v}.get({path!r})).__class__ is dict else None)"


def primitive_value(source: Compiled, read: Reader, type_: ElmType) -> Compiled:
    """Return the value of a primitive, straight from the JSON that holds it where that is known."""
    raw = source if source.parent is None else raw_element(source.parent, source.path)
    run = raw.run
    if type_ == DATE_TIME:
        return Compiled(
            lambda f: read_placed(run(f), f[0]),
            type_,
            emit=lambda m: f"{m.name(read_placed)}({m.value(raw)}, {m.memory})",
        )
    return Compiled(lambda f: read(run(f)), type_, emit=lambda m: f"{m.name(read)}({m.value(raw)})")


def raw_element(parent: Compiled, name: str) -> Compiled:
    """Return what takes a primitive from the JSON of its element, whatever kind of JSON it is."""
    run = parent.run

    def get(f: Frame) -> Value:
        raw = run(f)
        return raw.get(name) if raw.__class__ is dict else None

    def emit(m: Fusion) -> str:
        v = m.temporary()
        return f"({v}.get({name!r}) if ({v} := {m.value(parent)}).__class__ is dict else None)"

    return Compiled(get, ANY, emit=emit)


def read_placed(raw: Value, memory: list[Value]) -> DateTime | None:
    """Return the DateTime of raw JSON; a time without offset is in the offset of the evaluation."""
    value = parse_date_time(raw) if raw.__class__ is str else None
    if value is not None and value.offset is None and len(value.parts) >= HOUR:
        return placed(value, memory)
    return value


def placed(value: DateTime | None, memory: list[Value]) -> DateTime | None:
    """Return a DateTime; a time without offset is in the offset of the evaluation."""
    if value is not None and value.offset is None and len(value.parts) >= HOUR:
        offset: int = memory[OFFSET]
        return value.at_offset(offset)
    return value


def sibling_step(scope: Scope, node: Node, source: Compiled, path: str) -> Compiled:
    """Return id or extension of a primitive.

    They are in the JSON sibling `_name` of the element.
    """
    parent, name = source.parent, "_" + source.path
    found = reader("Element", path)
    if parent is None or found is None or isinstance(source.type, ListOf):
        scope.refuse(node, f"{path} of a primitive is read only directly from its element")
    run, (read, type_) = parent.run, found

    def get(f: Frame) -> Value:
        raw = run(f)
        return read(raw.get(name)) if raw.__class__ is dict else None

    return Compiled(get, type_)


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


def dynamic(value: Value, path: str, f: Frame) -> Value:
    """Return an element of a value that tells its own type."""
    if value is None:
        return None
    if value.__class__ is dict:
        if "resourceType" not in value:
            return value.get(path)
        return fhir_dynamic(str(value["resourceType"]), value, path, f)
    if isinstance(value, Typed):
        return fhir_dynamic(value.type.removeprefix("FHIR."), value.raw, path, f)
    elements = STRUCTURES.get(value.__class__)
    found = elements.get(path) if elements else None
    if found is None:
        return None
    result = getattr(value, found[0])
    return list(result) if isinstance(result, tuple) else result


def fhir_dynamic(owner: str, raw: Value, path: str, f: Frame) -> Value:
    """Return an element of raw JSON of a FHIR type, wrapped so that it tells its own type."""
    found = reader(owner, path)
    if found is None:
        return None
    read, type_ = found
    value = read(raw)
    if type_ == DATE_TIME:
        return placed(value, f[0])
    wrap = wrapper(type_, ANY)
    return value if wrap is None else wrap(value)


NODES = {"Property": compile_property}
