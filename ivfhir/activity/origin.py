"""What every request of one plan shares."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ivfhir.fhir.types import Resource


@dataclass(frozen=True)
class Origin:
    """Whom the requests are for, when they were drafted, and why.

    Attributes:
        subject: Reference to the Patient.
        authored_on: FHIR dateTime of the evaluation.
        reasons: References to the conditions that the requests treat.
    """

    subject: Resource
    authored_on: str
    reasons: Sequence[Resource] = field(default=())


def without_empty(resource: Resource) -> Resource:
    """Return the resource without absent elements: FHIR knows no null and no empty list."""
    return {name: value for name, value in resource.items() if value not in (None, [], {}, "")}


def canonicals_of(definition: Resource) -> list[str]:
    """Return what a draft of the definition instantiates: its `url|version`; [] without a url."""
    parts = [str(definition[name]) for name in ("url", "version") if name in definition]
    return ["|".join(parts)] if "url" in definition else []


def performer_role(activity: Resource) -> Resource | None:
    """Return the role of the first practitioner who takes part, None when none is named."""
    roles = (each.get("role") for each in activity.get("participant", []))
    return next((role for role in roles if role), None)
