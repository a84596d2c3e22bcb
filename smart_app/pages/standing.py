"""How a written plan stands now: its receipt is opened again when others may have ended it."""

from dataclasses import dataclass

from ivfhir.errors import InputError, NotFoundError, ServerError, UnauthorisedError
from ivfhir.fhir.references import Key, parse_literal
from ivfhir.fhir.types import CARE_PLAN
from ivfhir.wording import words
from smart_app.pages import context
from smart_app.smart.launch import Launch
from smart_app.visit.reading_one import read_allowed

_WORDS = {
    "on-hold": "On hold",
    "completed": "Completed",
    "revoked": "Revoked",
    "entered-in-error": "Marked as entered in error",
}


@dataclass(frozen=True)
class Standing:
    """How a plan stands in the EHR now.

    Attributes:
        status: its status code; '' when the EHR cannot be asked.
        gone: the EHR shows no such plan any more.
        replaced_by: references of the active plans that say that they replace it.
    """

    status: str = ""
    gone: bool = False
    replaced_by: tuple[str, ...] = ()

    @property
    def active(self) -> bool:
        """Whether it is seen to be active."""
        return self.status == "active"

    def heading(self, what: str) -> str:
        """Return the receipt's heading; `what` was written."""
        if self.gone:
            return f"No longer shown by the EHR: {what}"
        if self.active or not self.status:
            return f"Written: {what}"
        if self.status in _WORDS:
            return f"{_WORDS[self.status]} since it was written: {what}"
        return f"Now {self.status} in the EHR: {what}"

    def sentence(self, server: str) -> str:
        """Return how the plan stands in the EHR of that name; its next steps need it active."""
        if self.gone:
            return f"{server} was asked for the plan just now and shows none of that id."
        if self.active:
            return f"The plan is in {server}."
        if not self.status:
            return (
                f"The plan was written to {server}. How it stands there now could not be read, so "
                "no next steps are shown."
            )
        by = f", replaced by {words.join(list(self.replaced_by))}" if self.replaced_by else ""
        return f"In {server} the plan's status is now {self.status}{by}. No next steps are shown."


def standing_of(launch: Launch, reference: str) -> Standing:
    """Return how a `CarePlan/id` stands now.

    Raises:
        UnauthorisedError: the launch's access ended.
    """
    plan_id = reference.rpartition("/")[2]
    standing = standing_in(launch, Key(CARE_PLAN, plan_id))
    if standing.active or not standing.status:
        return standing
    return Standing(standing.status, replaced_by=_replaced_by(launch, plan_id))


def standing_in(launch: Launch, key: Key) -> Standing:
    """Return what status a resource of the launch's patient has now.

    Raises:
        UnauthorisedError: the launch's access ended.
    """
    try:
        return Standing(str(read_allowed(launch, key).get("status", "")))
    except UnauthorisedError:
        raise
    except NotFoundError:
        return Standing(gone=True)
    except (ServerError, InputError):
        return Standing()


def _replaced_by(launch: Launch, plan_id: str) -> tuple[str, ...]:
    """Return the active plans of the record that say that they replace a plan; () if unread."""
    try:
        plans = context.reading_of(launch).plans
    except UnauthorisedError:
        raise
    except (ServerError, InputError):
        return ()
    found = []
    for plan in plans:
        for each in plan.get("replaces", ()):
            literal = parse_literal(str(each.get("reference", "")))
            if literal is not None and literal.key == Key(CARE_PLAN, plan_id):
                found.append(f"{CARE_PLAN}/{plan['id']}")
    return tuple(dict.fromkeys(found))
