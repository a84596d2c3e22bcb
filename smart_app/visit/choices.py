"""What a clinician chooses in the review, and keeps choosing when the EHR asks who is there."""

from collections.abc import Mapping
from dataclasses import dataclass

from ivfhir.fhir.types import CARE_PLAN, REQUEST_GROUP
from smart_app.smart.launch import Launch
from smart_app.store import Draft


@dataclass(frozen=True)
class Choices:
    """What a clinician chose in the review.

    Attributes:
        confirmed: the tick is there.
        earlier: "replace" or "keep"; '' when nothing that was offered was chosen.
    """

    confirmed: bool
    earlier: str

    @classmethod
    def of_form(cls, form: Mapping[str, str], *, may_replace: bool) -> "Choices":
        """Return what a form gave; a choice that was not offered counts as none."""
        earlier = form.get("earlier", "")
        offered = ("replace", "keep") if may_replace else ("keep",)
        return cls(form.get("confirm") == "yes", earlier if earlier in offered else "")

    @classmethod
    def kept(cls, launch: Launch, draft: Draft) -> "Choices | None":
        """Return what was given before the EHR asked who is there, for the draft as it still is."""
        kept = launch.app.store.load_given(launch.id)
        if (kept.get("draft"), kept.get("version")) != (draft.id, draft.version):
            return None
        return cls(confirmed=True, earlier=kept["earlier"])

    def keep(self, launch: Launch, draft: Draft) -> None:
        """Keep what was chosen while the EHR asks who is there."""
        kept = {"draft": draft.id, "version": draft.version, "earlier": self.earlier}
        launch.app.store.keep_given(launch.id, kept)


def may_replace(launch: Launch) -> bool:
    """Return whether the granted scopes let an earlier plan be revoked."""
    return all(launch.scopes.may(name, "u") for name in (CARE_PLAN, REQUEST_GROUP))
