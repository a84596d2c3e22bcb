"""From a reference to the resource that it names (http://hl7.org/fhir/R4/references.html)."""

from ivfhir.expressions.fhirpath.nodes import Node, value_of
from ivfhir.expressions.fhirpath.run import Run
from ivfhir.expressions.values.value import Value
from ivfhir.fhir.targets import Targets


def resolved(item: Value, run: Run) -> Value:
    """Return the resource that a Reference or a URI names, None where it is not found.

    It is looked for among what the resource contains, in the Bundle, then through the services.
    """
    raw = item.value if item.__class__ is Node else item
    text = raw.get("reference") if raw.__class__ is dict else value_of(item)
    if not isinstance(text, str) or not text:
        return None
    holder = _holder_of(raw, run) if text[0] == "#" or raw.__class__ is dict else None
    for targets in _targets_of(run):
        found = targets.resolve(text, holder)
        if found is not None:
            return found
    return None if text[0] == "#" else run.services.resolve(text)


def _targets_of(run: Run) -> list[Targets]:
    """Return what the input holds for references."""
    if run.targets is None:
        run.targets = [Targets(root.value) for root in run.root or run.resource]
    return run.targets


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
