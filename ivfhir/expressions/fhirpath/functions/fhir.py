"""FHIR's own functions (http://hl7.org/fhir/R4/fhirpath.html#functions)."""

from ivfhir.expressions.fhirpath.compiled import (
    Compiled,
    Invocation,
    of_one,
    of_truth,
)
from ivfhir.expressions.fhirpath.functions.function import Function, checked
from ivfhir.expressions.fhirpath.narrative import is_allowed
from ivfhir.expressions.fhirpath.nodes import (
    Items,
    Node,
    add_children,
    root_node,
    type_of,
    value_of,
)
from ivfhir.expressions.fhirpath.place import PlacedError
from ivfhir.expressions.fhirpath.references import resolved
from ivfhir.expressions.fhirpath.run import Members, Run
from ivfhir.expressions.fhirpath.types import UNTYPED, fhir_type
from ivfhir.expressions.operators.logical import Truth
from ivfhir.expressions.values.value import Value
from ivfhir.fhir.r4 import definition_of
from ivfhir.fhir.types import STRUCTURE_DEFINITIONS


def extension(call: Invocation) -> Compiled:
    """Return the extensions of that URL."""
    nodes = call.base.nodes
    wanted = checked(call.one(0), "text", call.name, call.at)

    def raws(run: Run, this: Value) -> Items:
        url = wanted(run, this)
        found: Items = []
        for each in nodes(run, this):
            add_children(each, "extension", found)
        return [
            each.value
            for each in found
            if each.value.__class__ is dict and each.value.get("url") == url
        ]

    type_ = fhir_type("Extension")
    return Compiled(
        nodes=lambda run, this: [Node(raw, type_) for raw in raws(run, this)],
        types=(type_,),
        raws=raws,
        each=raws,
        ordered=call.base.ordered,
    )


def has_value(call: Invocation) -> Compiled:
    """Return whether there is one primitive, and it has a value."""
    nodes = call.base.nodes

    def truth(run: Run, this: Value) -> Truth:
        items = nodes(run, this)
        return len(items) == 1 and _primitive_value(items[0]) is not None

    return of_truth(truth)


def get_value(call: Invocation) -> Compiled:
    """Return the value of the one primitive."""
    nodes = call.base.nodes

    def one(run: Run, this: Value) -> Value:
        items = nodes(run, this)
        return _primitive_value(items[0]) if len(items) == 1 else None

    return of_one(one)


def _primitive_value(item: Value) -> Value:
    if item.__class__ is Node and item.type.convert is None:
        return None
    return value_of(item)


def resolve(call: Invocation) -> Compiled:
    """Return the resources that references or URIs name; what is not found is left out."""
    nodes = call.base.nodes

    def found(run: Run, this: Value) -> Items:
        items = nodes(run, this)
        run.spend(len(items))
        resources = [resolved(each, run) for each in items]
        return [root_node(each) for each in resources if each.__class__ is dict]

    return Compiled(nodes=found, ordered=call.base.ordered)


def member_of(call: Invocation) -> Compiled:
    """Return whether a code, Coding or CodeableConcept is in a value set; empty if not known."""
    nodes = call.base.nodes
    wanted = checked(call.one(0), "text", call.name, call.at)

    def truth(run: Run, this: Value) -> Truth:
        items = nodes(run, this)
        if len(items) > 1:
            raise PlacedError("memberOf() takes one code; use all(memberOf(…))", call.at)
        url = wanted(run, this)
        members = run.services.value_set(url) if items and url is not None else None
        return None if members is None else _is_member(items[0], members)

    return of_truth(truth)


def _is_member(item: Value, members: Members) -> Truth:
    """Return whether one of the codes is listed; None where none is, but one cannot be told."""
    if item.__class__ is Node and item.type.convert is None:
        found: Items = []
        add_children(item, "coding", found)
        codings = [each.value for each in found or [item] if each.value.__class__ is dict]
        answers = [_is_listed(each.get("system"), each.get("code"), members) for each in codings]
        return True if True in answers else None if None in answers or not answers else False
    code = value_of(item)
    return any(each == code for _, each in members) if isinstance(code, str) else None


def _is_listed(system: Value, code: Value, members: Members) -> Truth:
    """Return whether a Coding is listed, None without a code or where a system is missing."""
    if not isinstance(code, str):
        return None
    if not isinstance(system, str):
        return None if any(each == code for _, each in members) else False
    if (system, code) in members:
        return True
    return None if (None, code) in members else False


def conforms_to(call: Invocation) -> Compiled:
    """Return whether an item conforms to a profile; empty where that cannot be told.

    That an item is not of one of R4's types is known here, all else is asked of the services.
    """
    nodes = call.base.nodes
    wanted = checked(call.one(0), "text", call.name, call.at)

    def truth(run: Run, this: Value) -> Truth:
        items = nodes(run, this)
        url = wanted(run, this)
        if len(items) > 1:
            raise PlacedError("conformsTo() takes one item; use all(conformsTo(…))", call.at)
        if not items or url is None:
            return None
        item, name = items[0], url.removeprefix(STRUCTURE_DEFINITIONS)
        is_type = url.startswith(STRUCTURE_DEFINITIONS) and definition_of(name) is not None
        own = type_of(item)
        if is_type and own is not UNTYPED and not (own.namespace == "FHIR" and name in own.lineage):
            return False
        known = run.services.conforms(item, url) if item.__class__ is Node else None
        if known is None and not is_type:
            raise PlacedError(f"the profile {url} is not known here", call.at)
        return known

    return of_truth(truth)


def html_checks(call: Invocation) -> Compiled:
    """Return whether a narrative holds only what R4 allows it to."""
    nodes = call.base.nodes

    def truth(run: Run, this: Value) -> Truth:
        items = [value_of(each) for each in nodes(run, this)]
        return all(isinstance(each, str) and is_allowed(each) for each in items) if items else None

    return of_truth(truth)


FUNCTIONS = {
    "extension": Function(extension, 1, 1),
    "hasValue": Function(has_value),
    "getValue": Function(get_value),
    "resolve": Function(resolve),
    "memberOf": Function(member_of, 1, 1),
    "conformsTo": Function(conforms_to, 1, 1),
    "htmlChecks": Function(html_checks),
}
