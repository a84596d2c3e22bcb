"""A plan that another one replaces: which of its parts end with it, and which stay, and why.

An order ends only while it is a draft and as it was written. One that somebody activated, changed
or carried out is theirs: it stays, and is named. So does one that cannot be read, or that the
granted scopes do not let the app change.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ivfhir.fhir.references import parse_literal, reference_of, subject_of
from ivfhir.fhir.types import GOAL, REQUEST_GROUP, Resource
from ivfhir.repository import Repository
from ivfhir.writing.bundle import value_of
from ivfhir.writing.content import is_as_written
from ivfhir.writing.ending import END_STATUS, status_of
from ivfhir.writing.read_back import bare, read_references

_OPEN_GROUP = frozenset({"draft", "active", "on-hold"})
_OPEN = {GOAL: "proposed"}


@dataclass(frozen=True)
class PlanPart:
    """A resource that a plan refers to: its RequestGroup, a request or a goal.

    Attributes:
        reference: `Type/id`, or `#id` of what the plan contains.
        title: what the plan calls it; '' when it does not say.
        resource: as it was read; None when it could not be.
        stays: why it stays when the plan is replaced, as a clause; '' when it ends with the plan.
    """

    reference: str
    title: str
    resource: Resource | None
    stays: str

    @property
    def resource_type(self) -> str:
        """Its type."""
        if self.resource is not None:
            return str(self.resource["resourceType"])
        return self.reference.partition("/")[0]

    @property
    def status(self) -> str:
        """Its status code; '' when it could not be read."""
        return "" if self.resource is None else status_of(self.resource)

    @property
    def version(self) -> str:
        """Its version; '' when it could not be read, or the server has none."""
        return str((self.resource or {}).get("meta", {}).get("versionId", ""))


@dataclass(frozen=True)
class Ended:
    """A resource that the transaction was to end: its status as it is read afterwards.

    `status` is '' when it could not be read.
    """

    reference: str
    wanted: str
    status: str


def read_plan_parts(
    repository: Repository,
    plan: Resource,
    *,
    may: Callable[[str, str], bool],
    strict: bool = False,
    may_refuse: bool = False,
) -> tuple[PlanPart, ...]:
    """Return the parts of a CarePlan, in its order: group, requests, goals.

    Args:
        repository: the server.
        plan: the CarePlan as it was read.
        may: tells whether the scopes grant an interaction ("r", "u") on a type; a type that may not
            be read is not asked for.
        strict: as for `read_references`.
        may_refuse: as for `read_references`.

    Raises:
        UnauthorisedError: the token expired on the way.
    """

    def read(references: Iterable[str]) -> dict[str, Resource]:
        resources = read_references(repository, references, strict=strict, may_refuse=may_refuse)
        return {reference_of(each): each for each in resources}

    first = [_literal(activity.get("reference")) for activity in _list(plan.get("activity"))]
    groups = [each for each in first if each.startswith(f"{REQUEST_GROUP}/")]
    found = read(each for each in groups if may(REQUEST_GROUP, "r"))
    titles = dict.fromkeys((each for each in first if each), "")
    for group in list(found.values()):
        titles |= dict(_requests(group.get("action")))
    goals = [_literal(goal) for goal in _list(plan.get("goal"))]
    titles |= dict.fromkeys((each for each in goals if each), "")
    wanted = [each for each in titles if each not in groups and may(each.partition("/")[0], "r")]
    found |= read(wanted)
    return tuple(
        PlanPart(
            reference,
            title or _goal_words(found.get(reference)),
            found.get(reference),
            _why_it_stays(plan, reference, found.get(reference), may),
        )
        for reference, title in titles.items()
    )


def read_ended(
    repository: Repository, bundle: Resource, *, strict: bool = False
) -> tuple[Ended, ...]:
    """Return what became of the resources that a transaction was to end.

    Args:
        repository: the server.
        bundle: the transaction.
        strict: raise what fails for the moment; else its status is left out.
    """
    wanted = {
        reference_of(entry["resource"]): status_of(entry["resource"])
        for entry in bundle["entry"]
        if entry["request"]["method"] == "PUT"
    }
    read = read_references(repository, wanted, strict=strict, may_refuse=True)
    found = {reference_of(each): each for each in read}
    return tuple(
        Ended(reference, status, status_of(found[reference]) if reference in found else "")
        for reference, status in wanted.items()
    )


def _why_it_stays(
    plan: Resource,
    reference: str,
    part: Resource | None,
    may: Callable[[str, str], bool],
) -> str:
    """Return the first reason that holds, as a clause; '' when none does."""
    resource_type = reference.partition("/")[0]
    if part is None:
        return "it could not be read"
    if resource_type not in END_STATUS:
        return f"a {resource_type} does not end with a plan"
    is_group, status = resource_type == REQUEST_GROUP, status_of(part)
    is_open = status in _OPEN_GROUP if is_group else status == _OPEN.get(resource_type, "draft")
    ended = status == END_STATUS[resource_type]
    reasons = (
        (_is_foreign(plan, part), "it was not written with this plan"),
        (ended, f"it is already {status}"),
        (not is_open, f"its status is {status or 'not recorded'}"),
        (not may(resource_type, "u"), f"the EHR does not let the app change a {resource_type}"),
        (not (is_group or is_as_written(part)), "it is not as it was written"),
    )
    return next((clause for holds, clause in reasons if holds), "")


def _is_foreign(plan: Resource, part: Resource) -> bool:
    """Return whether a part is another patient's, or no order or goal of this plan's own."""
    is_group = part["resourceType"] == REQUEST_GROUP
    return _subject(part) != _subject(plan) or not (is_group or _is_own(plan, part))


def _is_own(plan: Resource, part: Resource) -> bool:
    """Return whether a part carries the identifier that the plan's own gives it."""
    plan_id = value_of(plan)
    return plan_id is not None and str(value_of(part)).startswith(f"{plan_id}.")


def _subject(resource: Resource) -> str:
    return bare(str((subject_of(resource) or {}).get("reference", "")))


def _requests(actions: object) -> Iterator[tuple[str, str]]:
    """Yield reference and title of every action's resource, also of those inside others."""
    for action in _list(actions):
        reference = _literal(action.get("resource"))
        if reference:
            yield reference, str(action.get("title", ""))
        yield from _requests(action.get("action"))


def _goal_words(part: Resource | None) -> str:
    description = (part or {}).get("description")
    return str(description.get("text", "")) if isinstance(description, dict) else ""


def _literal(element: object) -> str:
    """Return `Type/id` of a Reference element; '' for a contained resource or anything else."""
    reference = element.get("reference") if isinstance(element, dict) else None
    literal = parse_literal(str(reference))
    return "" if literal is None else str(literal.key)


def _list(value: object) -> list[Any]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
