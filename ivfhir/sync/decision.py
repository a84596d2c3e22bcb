"""What is to be done with one plan on one server: the words for it, and where it is looked up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

from ivfhir.fhir.types import CARE_PLAN, DOCUMENT_REFERENCE, Resource
from ivfhir.sync.door import Door, WritableServer
from ivfhir.sync.ladder import Means
from ivfhir.sync.ledger import DONE, Ledger, SentPart, SentPlan

CREATED, UNCHANGED, UPDATED, SUPERSEDED = "created", "unchanged", "updated", "superseded"
CONFLICT, PARKED, REFUSED, DOWNLOADED = "conflict", "parked", "refused", "downloaded"
CHANGING = frozenset({CREATED, UPDATED, SUPERSEDED, DOWNLOADED})


def too_many(result: str, at_most: float) -> str:
    """Return why what would come out so is not sent: `--at-most` is a share from 0 to 1."""
    return (
        f"It would be {result}, but more than {at_most:g} of all would change, or could not be "
        "looked at; nothing was sent. Raise --at-most if that is meant."
    )


@dataclass(frozen=True)
class Decision:
    """What is to be done.

    Attributes:
        result: one of the results of `ivfhir sync`.
        references: of the plan on the server, then of those that it ends.
        differences: what differs or is lost, an object each.
        reason: why nothing is sent, a sentence; '' when something is, or nothing has to be.
        bundle: what to send; None for nothing.
        parcel: the whole plan as it would be created, to find and compare its parts.
        places: where parts are already, by identifier value.
        patient: the patient there.
        door: how the server is asked.
        whole: the plan with its parts contained, where it goes as a document or as files.
        file: where its data are written, the PDF beside it; None where it is sent.
        before: what the server has of it, as it was read; a change is made from these.
        plan_id: the identifier value that the plan has there; '' where it is not there.
    """

    result: str
    references: tuple[str, ...] = ()
    differences: tuple[Mapping[str, Any], ...] = ()
    reason: str = ""
    bundle: Resource | None = None
    parcel: Resource | None = None
    places: Mapping[str, str] = field(default_factory=dict)
    patient: str = ""
    door: Door | None = None
    whole: Resource | None = None
    file: Path | None = None
    before: tuple[Resource, ...] = ()
    plan_id: str = ""


class Place(NamedTuple):
    """One server as a run sees it.

    Attributes:
        name: what it is called in the ledger and in the answer.
        server: the server.
        means: what it offers.
        ledger: what was sent.
        patients: who was found in this run, by what the input says of them.
        folder: where plans go that it does not take at all; None for nowhere.
        in_vain: set once its search did not show what was sent, however long that was waited for.
        address: its base, with a slash at the end; '' where nobody says.
    """

    name: str
    server: WritableServer
    means: Means
    ledger: Ledger
    patients: dict[tuple[str, ...], str]
    folder: Path | None
    in_vain: Event
    address: str = ""


def known_as(kind: str, plan_id: str, at: Place) -> tuple[SentPlan | None, dict[str, SentPart]]:
    """Return what the ledger knows of a plan, and of its parts by identifier value.

    What was sent as a document tells nothing of the CarePlan, nor the other way round.

    Args:
        kind: CarePlan or DocumentReference: what the plan is looked for as.
        plan_id: the plan's identifier.
        at: the server.
    """
    known, parts = at.ledger.plan(at.name, plan_id), at.ledger.parts(at.name, plan_id)
    sent = {each.reference.partition("/")[0] for each in parts.values()}
    if kind not in sent and sent & {CARE_PLAN, DOCUMENT_REFERENCE}:
        return (known if known is not None and known.state != DONE else None), {}
    return known, parts
