"""From a reference to the resource that it names (http://hl7.org/fhir/R4/references.html)."""

from ivfhir.expressions.fhirpath.nodes import Node, value_of
from ivfhir.expressions.fhirpath.run import Run
from ivfhir.expressions.values.value import Value
from ivfhir.fhir.references import absolute_reference, parse_literal
from ivfhir.fhir.types import BUNDLE


def resolved(item: Value, run: Run) -> Value:
    """Return the resource that a Reference or a URI names, None where it is not found.

    It is looked for among what the resource contains, in the Bundle, then through the services.
    """
    raw = item.value if item.__class__ is Node else item
    text = raw.get("reference") if raw.__class__ is dict else value_of(item)
    if not isinstance(text, str) or not text:
        return None
    if text[0] == "#":
        return _contained(raw, text[1:], run)
    entry = _in_bundle(raw, text, run)
    return run.services.resolve(text) if entry is None else entry


def _contained(raw: Value, wanted: str, run: Run) -> Value:
    """Return the contained resource of that id; without an id the one that contains."""
    holder = _holder_of(raw, run)
    if holder is None:
        return None
    if not wanted:
        return holder
    inside = holder.get("contained")
    for each in inside if inside.__class__ is list else []:
        if each.__class__ is dict and each.get("id") == wanted:
            return each
    return None


def _holder_of(raw: Value, run: Run) -> Value:
    """Return the resource, itself not contained, that holds an object."""
    if run.holders is None:
        run.holders = {}
        for root in run.root or run.resource:
            _note_holders(root.value, run)
    found = run.holders.get(id(raw))
    if found is not None:
        return found
    for root in run.root or run.resource:
        return root.value
    return None


def _note_holders(root: Value, run: Run) -> None:
    """Note for each object which resource holds it; a Bundle's entries are on their own."""
    assert run.holders is not None  # noqa: S101 - the caller made it
    left = [(root, root, False)]
    while left:
        value, holder, contained = left.pop()
        if value.__class__ is list:
            left += [(each, holder, contained) for each in value]
        elif value.__class__ is dict:
            if "resourceType" in value and not contained:
                holder = value
            run.holders[id(value)] = holder
            for key, each in value.items():
                if each.__class__ is dict or each.__class__ is list:
                    left.append((each, holder, contained or key == "contained"))


def _in_bundle(raw: Value, text: str, run: Run) -> Value:
    """Return the resource of the Bundle's entry that a reference names.

    A relative reference is made absolute by the address of the entry that holds it; where that
    finds nothing, type and id must fit one entry alone, and none of another server.
    """
    bare = text.partition("/_history/")[0]
    for root in run.root or run.resource:
        if root.value.get("resourceType") != BUNDLE:
            continue
        entries = root.value.get("entry")
        rows = [e for e in entries if e.__class__ is dict] if entries.__class__ is list else []
        own = _full_url_of(raw, rows, run)
        absolute = absolute_reference(bare, own)
        for entry in rows:
            if entry.get("fullUrl") in (absolute, text):
                return entry.get("resource")
        alike = [
            entry["resource"]
            for entry in rows
            if _is_named(entry.get("resource"), bare)
            and (absolute == bare or not _has_base(entry.get("fullUrl")))
        ]
        if len(alike) == 1:
            return alike[0]
    return None


def _full_url_of(raw: Value, rows: list[Value], run: Run) -> str | None:
    """Return the address of the entry that holds an object, None where it has none."""
    holder = _holder_of(raw, run) if raw.__class__ is dict else None
    url = next((e.get("fullUrl") for e in rows if e.get("resource") is holder), None)
    return url if holder is not None and isinstance(url, str) else None


def _is_named(resource: Value, bare: str) -> bool:
    if resource.__class__ is not dict:
        return False
    return bool(f"{resource.get('resourceType')}/{resource.get('id')}" == bare)


def _has_base(url: Value) -> bool:
    literal = parse_literal(url) if isinstance(url, str) else None
    return literal is not None and bool(literal.base)
