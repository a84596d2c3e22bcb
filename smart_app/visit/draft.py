"""What a draft holds: the plan, what it was made from, and what was asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ivfhir.fhir.types import Resource


@dataclass(frozen=True)
class PlanRequest:
    """What the clinician asked for: values by parameter, start, reason and kind of an override."""

    values: Mapping[str, str]
    start: str
    override_reason: str | None = None
    override_kind: str | None = None

    def override_body(self) -> dict[str, str | None] | None:
        """Return the override as a draft's body keeps it; None without one."""
        if self.override_reason is None:
            return None
        return {"reason": self.override_reason, "kind": self.override_kind}


@dataclass(frozen=True)
class Basis:
    """What a draft rests on, as it was or as it is now.

    Attributes:
        decision: the Decision's entry of its protocol.
        as_of: the instant for which the answers hold.
        subject: the Decision's `patient`.
        versions: version of every resource that the answers rest on; '' where it has none.
        earlier: the protocol's active plans, each with its parts.
        doses: of the regimen that was chosen, by drug.
        refused: why that regimen cannot be given; '' where it can, or none was chosen.
        documents: the current documents of the protocol's plans; None where they could not be
            looked for.
        plans_unread: why the active plans could not be looked for; '' where they could.
    """

    decision: Mapping[str, Any]
    as_of: str
    subject: Mapping[str, Any]
    versions: Mapping[str, str]
    earlier: tuple[Mapping[str, Any], ...]
    doses: Mapping[str, str] = field(default_factory=dict)
    refused: str = ""
    documents: tuple[Mapping[str, str], ...] | None = ()
    plans_unread: str = ""


@dataclass(frozen=True)
class DraftContent:
    """What is kept of a draft.

    Attributes:
        care_plan: the plan, with its requests contained.
        decision: the Decision's entry of its protocol.
        as_of: the instant for which the answers hold.
        subject: the Decision's `patient`.
        patient: the Patient as read.
        more: further terms of the banner, so that the review shows what was seen.
        read_at: when the record was read.
        entries: how many entries it had.
        request: what was asked for.
        warnings: what the dates mean for the protocol's goals.
        expiring: concept, last day and day of the result of facts too old on the day of the start.
        versions: version of every resource that the answers rest on; '' where it has none.
        earlier: the protocol's active plans, each with its parts.
        refused: the types that the EHR did not let the app read.
        offers: what each regimen that serves the plan would give.
        confirmed: what the clinician stated for the regimen that was chosen, as it is needed.
        documents: as of `Basis`.
        plans_unread: as of `Basis`.
    """

    care_plan: Resource
    decision: Mapping[str, Any]
    as_of: str
    subject: Mapping[str, Any]
    patient: Resource
    more: tuple[tuple[str, str], ...]
    read_at: datetime
    entries: int
    request: PlanRequest
    warnings: tuple[str, ...]
    expiring: tuple[tuple[str | None, ...], ...]
    versions: Mapping[str, str]
    earlier: tuple[Mapping[str, Any], ...]
    refused: tuple[str, ...] = ()
    offers: tuple[Mapping[str, Any], ...] = ()
    confirmed: tuple[str, ...] = ()
    documents: tuple[Mapping[str, str], ...] | None = ()
    plans_unread: str = ""

    def basis(self) -> Basis:
        """Return what it rests on, without doses."""
        return Basis(
            self.decision,
            self.as_of,
            self.subject,
            self.versions,
            self.earlier,
            documents=self.documents,
            plans_unread=self.plans_unread,
        )

    def documents_but(self, draft_id: str) -> tuple[Mapping[str, str], ...]:
        """Return the documents of other plans than a draft's own, which an earlier try left."""
        return tuple(each for each in self.documents or () if each["plan"] != draft_id)

    def earlier_but(self, draft_id: str) -> tuple[Mapping[str, Any], ...]:
        """Return the active plans but a draft's own, which an earlier try left."""
        return tuple(each for each in self.earlier if each.get("plan") != draft_id)

    def to_body(self) -> dict[str, Any]:
        """Return it as the store keeps it, in JSON values."""
        return {
            "carePlan": self.care_plan,
            "decision": self.decision,
            "asOf": self.as_of,
            "subject": self.subject,
            "patient": self.patient,
            "more": [list(term) for term in self.more],
            "readAt": self.read_at.isoformat(),
            "entries": self.entries,
            "values": dict(self.request.values),
            "start": self.request.start,
            "override": self.request.override_body(),
            "warnings": list(self.warnings),
            "expiring": [list(fact) for fact in self.expiring],
            "versions": dict(self.versions),
            "earlier": list(self.earlier),
            "refused": list(self.refused),
            "offers": list(self.offers),
            "confirmed": list(self.confirmed),
            "documents": None if self.documents is None else list(self.documents),
            "plansUnread": self.plans_unread,
        }

    @classmethod
    def of_body(cls, body: Mapping[str, Any]) -> "DraftContent":
        """Return what the store kept."""
        documents = body.get("documents", ())
        return cls(
            care_plan=body["carePlan"],
            decision=body["decision"],
            as_of=body["asOf"],
            subject=body["subject"],
            patient=body["patient"],
            more=tuple((str(term), str(words)) for term, words in body["more"]),
            read_at=datetime.fromisoformat(body["readAt"]),
            entries=body["entries"],
            request=request_of(body),
            warnings=tuple(body.get("warnings", ())),
            expiring=tuple(tuple(fact) for fact in body.get("expiring", ())),
            versions=body["versions"],
            earlier=tuple(body["earlier"]),
            refused=tuple(body.get("refused", ())),
            offers=tuple(body.get("offers", ())),
            confirmed=tuple(body.get("confirmed", ())),
            documents=None if documents is None else tuple(documents),
            plans_unread=str(body.get("plansUnread", "")),
        )


def request_of(body: Mapping[str, Any]) -> PlanRequest:
    """Return what the clinician asked for, of a kept draft."""
    kept = body["override"]
    # Drafts of earlier versions hold the reason alone.
    given = {"reason": kept} if isinstance(kept, str) else kept or {}
    return PlanRequest(body["values"], body["start"], given.get("reason"), given.get("kind"))
