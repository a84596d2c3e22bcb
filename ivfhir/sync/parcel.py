"""A plan as one server gets it: separate resources, or one CarePlan with what it contains."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ivfhir.fhir.json import Written
from ivfhir.fhir.types import BUNDLE, CARE_PLAN, PROVENANCE, Resource
from ivfhir.sync.ladder import Rung
from ivfhir.sync.mapping import Mapped
from ivfhir.sync.plans import PART_TYPES, SyncPlan, reached_inside
from ivfhir.writing.bundle import PLAN_SYSTEM, created_entry, full_url, part_value, revocation
from ivfhir.writing.content import CONTENT_SYSTEM

_TAGGED = PART_TYPES | {CARE_PLAN}


def to_parcel(
    plan: SyncPlan,
    mapped: Mapped,
    *,
    rung: Rung,
    conditional: Callable[[str], bool],
    replaces: Sequence[str] = (),
    revoke: Sequence[Resource] = (),
) -> Resource:
    """Return the transaction Bundle that brings a plan to a server.

    Args:
        plan: the plan.
        mapped: the same in the server's words.
        rung: CONTAINED makes one CarePlan that contains its parts, all others separate resources.
        conditional: tells whether a type is created only when its identifier is new.
        replaces: references of the plans whose place it takes.
        revoke: resources as read that end with it.
    """
    care_plan = dict(mapped.care_plan)
    if replaces:
        kept = [each for each in care_plan.get("replaces", ()) if "reference" in each]
        known = {each["reference"] for each in kept}
        added = [{"reference": each} for each in replaces if each not in known]
        care_plan["replaces"] = [*kept, *added]
    if rung is Rung.CONTAINED:
        resources = {"": _whole(care_plan, mapped.parts, mapped.embedded)}
    else:
        parts = mapped.parts.items()
        resources = {"": care_plan}
        resources |= {key: _with_embedded(part, mapped.embedded) for key, part in parts}
        placed = {each["id"] for part in resources.values() for each in part.get("contained", ())}
        needed = reached_inside(care_plan, mapped.embedded)
        # What nobody points to stays where it came.
        needed |= {key: each for key, each in mapped.embedded.items() if key not in placed}
        if needed:
            resources[""] = {**care_plan, "contained": list(needed.values())}
    names = {f"#{key}": full_url(part_value(plan.plan_id, key)) for key in resources if key}
    names["#"] = full_url(part_value(plan.plan_id))
    entries = [
        created_entry(
            _without_ours(resource),
            part_value(plan.plan_id, key or None),
            names if rung is not Rung.CONTAINED else {},
            conditional,
            tagged=_TAGGED,
        )
        for key, resource in resources.items()
    ]
    return transaction([*entries, *map(revocation, revoke)])


def whole_plan(mapped: Mapped) -> Resource:
    """Return a plan in the server's words as one CarePlan that contains its parts, all of them."""
    inside = [{**part, "id": key} for key, part in mapped.parts.items()]
    contained = [*map(_without_ours, inside), *mapped.embedded.values()]
    care_plan = _without_ours(mapped.care_plan)
    return {**care_plan, "contained": contained} if contained else care_plan


def transaction(entries: Sequence[Mapping[str, Any]]) -> Resource:
    """Return the transaction Bundle of some entries, each resource written once for all uses."""
    written = [{**each, "resource": _written(each["resource"])} for each in entries]
    return {"resourceType": BUNDLE, "type": "transaction", "entry": written}


def _written(resource: Resource) -> Resource:
    return resource if isinstance(resource, Written) else Written(resource)


def _whole(
    care_plan: Resource, parts: Mapping[str, Resource], embedded: Mapping[str, Resource]
) -> Resource:
    inside = [
        {**part, "id": key}
        for key, part in parts.items()
        if part["resourceType"] != PROVENANCE  # It tells of the write, which is another one here.
    ]
    contained = [*map(_without_ours, inside), *embedded.values()]
    return {**care_plan, "contained": contained} if contained else care_plan


def _with_embedded(resource: Resource, embedded: Mapping[str, Resource]) -> Resource:
    """Return a resource with those contained ones that it points to, and that these point to."""
    needed = reached_inside(resource, embedded)
    return {**resource, "contained": list(needed.values())} if needed else resource


def _without_ours(resource: Resource) -> Resource:
    """Return a resource without the marks of an earlier write, which this one gives anew."""
    meta = {
        name: value
        for name, value in resource.get("meta", {}).items()
        if name not in ("versionId", "lastUpdated", "source")
    }
    meta["tag"] = [
        tag for tag in meta.get("tag", ()) if tag.get("system") not in (CONTENT_SYSTEM, PLAN_SYSTEM)
    ]
    kept = {name: value for name, value in meta.items() if value}
    bare = {name: value for name, value in resource.items() if name not in ("meta", "identifier")}
    if kept:
        bare["meta"] = kept
    own = resource.get("identifier", ())
    if isinstance(own, dict):  # A type that has one Identifier, not a list, keeps it.
        return {**bare, "identifier": own}
    others = [each for each in own if each.get("system") != PLAN_SYSTEM]
    return {**bare, "identifier": others} if others else bare
