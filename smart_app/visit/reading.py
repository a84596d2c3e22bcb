"""One reading of the patient's record, with the answers it gives.

A reading is kept, sealed, for a few minutes, so that the pages of one visit show one state of the
record in every worker and say how old it is; `Read again` drops it. Accepting a plan reads anew.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ivfhir.errors import (
    BadAnswerError,
    ForbiddenError,
    InputError,
    ServerError,
    UnauthorisedError,
)
from ivfhir.evaluate import evaluate
from ivfhir.expressions.values import DateTime
from ivfhir.fhir.references import is_about_another, reference_of
from ivfhir.fhir.types import CARE_PLAN, DOCUMENT_REFERENCE, PATIENT, Resource
from ivfhir.knowledge.load import ClinicalProtocol
from ivfhir.read import PatientRecord, read_record
from ivfhir.shape import check_shape
from ivfhir.sync.door import Door
from ivfhir.writing.capabilities import WriteSupport, read_write_support
from ivfhir.writing.document import protocols_in
from ivfhir.writing.earlier import PlanPart, read_plan_parts
from ivfhir.writing.earlier_documents import current_documents, is_current, is_preliminary
from smart_app.smart.launch import Launch
from smart_app.store import KeptReading
from smart_app.visit.evaluated import record_evaluation
from smart_app.visit.reading_json import decode, encode
from smart_app.visit.way import DOCUMENT, Way, means_of, way_of, worst_of

PLANS_REFUSED = (
    "The EHR does not let the app read care plans, so an earlier plan would not be seen."
)
"""Why earlier plans could not be looked for, where reading again does not help."""

KEEP_S = 300
"""Seconds for which a reading is kept."""

_MOST = 200
_MOST_CHARACTERS = 16_000_000
"""Of all copies that a worker holds, as JSON text; in memory they are about ten times as large."""


@dataclass(frozen=True)
class Reading:
    """The record as read at one moment.

    Attributes:
        record: the patient's resources.
        decision: `evaluate` as JSON, with the protocols' default parameters.
        as_of: the instant for which the answers hold.
        read_at: when it was read.
        plans: the active CarePlans of our protocols.
        plan_parts: what each of these plans refers to, by the plan's reference.
        plans_unread: why the earlier plans could not be looked for, '' when they could.
        documents: the current documents of accepted plans of our protocols, without what is in
            them; looked for only where a plan goes in as a document.
        documents_unread: why these could not be looked for, '' when they could or need not.
        hindrances: why no plan can be signed, a sentence each.
        ways: id of each protocol -> how a plan of it goes to this EHR.
        support: id of each protocol -> what the EHR's server says about writing such a plan.
    """

    record: PatientRecord
    decision: dict[str, Any]
    as_of: DateTime
    read_at: datetime
    plans: tuple[Resource, ...]
    plan_parts: Mapping[str, tuple[PlanPart, ...]]
    plans_unread: str
    documents: tuple[Resource, ...]
    documents_unread: str
    hindrances: tuple[str, ...]
    ways: Mapping[str, Way]
    support: Mapping[str, WriteSupport]

    @property
    def resources(self) -> dict[str, Resource]:
        """What was read, by `Type/id`, the patient included."""
        every = (self.record.patient, *self.record.resources)
        return {reference_of(resource): resource for resource in every if resource.get("id")}

    def of_protocol(self, protocol_id: str) -> dict[str, Any] | None:
        """Return a protocol's answer in the Decision, None when it gives none."""
        return next(
            (
                entry
                for entry in self.decision["protocols"]
                if entry["id"] == protocol_id and "outcome" not in entry
            ),
            None,
        )

    @property
    def is_whole(self) -> bool:
        """Tell whether everything was read that the EHR lets the app read."""
        failed = set(self.record.unread) - set(self.record.refused)
        plans_read = self.plans_unread in ("", PLANS_REFUSED)
        return not failed and plans_read and not self.documents_unread

    @property
    def way(self) -> Way | None:
        """How plans of the protocols that concern the patient go to the EHR; None for none."""
        concerned = [
            entry["id"]
            for entry in self.decision["protocols"]
            if entry.get("status") not in (None, "not-applicable")
        ]
        return worst_of([self.ways[name] for name in concerned if name in self.ways])

    def plans_of(self, protocol: ClinicalProtocol) -> list[Resource]:
        """Return the active CarePlans that follow the protocol, in any of its versions."""
        return [plan for plan in self.plans if follows(plan, protocol)]

    def documents_of(self, protocol: ClinicalProtocol) -> list[Resource]:
        """Return the current documents of the protocol's plans, in any of its versions."""
        url = protocol.plan_definition["url"]
        return [each for each in self.documents if url in protocols_in(each)]


class Readings:
    """The readings of the last minutes, in the database; each worker holds copies of some.

    A worker's copy is used only while it is the one that the database names, so `Read again` in one
    worker is seen in all. Copies are dropped when they are too many or too large together.
    """

    def __init__(self, *, keep_s: int = KEEP_S) -> None:
        """Keep each reading for so many seconds."""
        self._keep_s = keep_s
        self._copies: OrderedDict[str, _Copy] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, launch: Launch, read: Callable[[], Reading]) -> Reading:
        """Return the launch's reading; `read` makes one when none is young enough."""
        return self._newest(launch) or self.renew(launch, read)

    def renew(self, launch: Launch, read: Callable[[], Reading]) -> Reading:
        """Read now, and keep it in place of the launch's earlier reading.

        Returns:
            What was read; or what another request read, if it began later and is there already.
        """
        store = launch.app.store
        ticket = store.begin_reading(launch.id)
        reading = read()
        body = encode(reading)
        kept = store.keep_reading(launch.id, ticket, body, keep_s=self._keep_s)
        if kept is None:
            return self._newest(launch) or reading
        return self._hold(launch, reading, kept)

    def drop(self, launch: Launch) -> None:
        """Forget the launch's reading, in every worker."""
        launch.app.store.drop_reading(launch.id)
        with self._lock:
            self._copies.pop(launch.id, None)

    def _newest(self, launch: Launch) -> Reading | None:
        store = launch.app.store
        version = store.reading_version(launch.id, keep_s=self._keep_s)
        with self._lock:
            copy = self._copies.get(launch.id)
        if version is None or (copy is not None and copy.version == version):
            return None if version is None or copy is None else copy.reading
        kept = store.load_reading(launch.id)
        if kept is None:
            return None
        try:
            reading: Reading = decode(kept.body, Reading)
        except (KeyError, TypeError, ValueError):  # Another version of the app kept it.
            return None
        return self._hold(launch, reading, kept)

    def _hold(self, launch: Launch, reading: Reading, kept: KeptReading) -> Reading:
        now = launch.now()
        with self._lock:
            self._copies[launch.id] = _Copy(reading, kept.version, kept.size)
            self._copies.move_to_end(launch.id)
            for launch_id, copy in list(self._copies.items()):
                large = sum(each.size for each in self._copies.values()) > _MOST_CHARACTERS
                old = (now - copy.reading.read_at).total_seconds() >= self._keep_s
                if old or len(self._copies) > _MOST or (large and launch_id != launch.id):
                    del self._copies[launch_id]
        return reading


@dataclass(frozen=True)
class _Copy:
    reading: Reading
    version: int
    size: int


def read_now(launch: Launch) -> Reading:
    """Read the record from the EHR, and evaluate every protocol.

    Raises:
        ForbiddenError: the granted scopes do not let the app read the patient.
        ServerError: the patient cannot be read; what else cannot is in `record.unread`.
    """
    if not launch.scopes.may(PATIENT, "r"):
        raise ForbiddenError(
            "The EHR does not let the app read the patient's own data, so nothing was read. Your "
            "EHR administrator can grant it (patient/Patient.rs, or .read in version 1); then open "
            "the app again from the EHR."
        )
    record = read_record(
        launch.repository,
        launch.patient_id,
        launch.app.read_types,
        granted_types=launch.granted_types,
        without_any=True,
    )
    partial = record.unread.keys() & launch.partial_types
    record = replace(
        record,
        unread=_with_partial(record.unread, launch),
        refused=record.refused | partial,
    )
    as_of = launch.as_of()
    plans, plans_unread = _active_plans(launch)
    protocols = launch.app.every_protocol.values()
    decision: Any = evaluate(record, protocols, as_of=as_of, route=launch.app.route).to_json()
    rules = [*protocols, *([] if launch.app.route is None else [launch.app.route])]
    record_evaluation(launch, record, rules, as_of=as_of)
    support = _support(launch)
    ways = {
        name: way_of(launch, types, support[name])
        for name, types in launch.app.write_types_of.items()
    }
    documents, documents_unread = (
        _current_documents(launch)
        if any(way.kind == DOCUMENT for way in ways.values())
        else ([], "")
    )
    return Reading(
        record=record,
        decision=decision,
        as_of=as_of,
        read_at=launch.now(),
        plans=tuple(plans),
        plan_parts={
            reference_of(plan): read_plan_parts(launch.repository, plan, may=launch.scopes.may)
            for plan in plans
        },
        plans_unread=plans_unread,
        documents=tuple(documents),
        documents_unread=documents_unread,
        hindrances=tuple(launch.hindrances()),
        ways=ways,
        support=support,
    )


def _with_partial(unread: Mapping[str, str], launch: Launch) -> dict[str, str]:
    reasons = dict(unread)
    for resource_type in reasons.keys() & launch.partial_types:
        reasons[resource_type] = f"The EHR grants the app only a part of {resource_type}."
    return reasons


def _active_plans(launch: Launch) -> tuple[list[Resource], str]:
    """Return the active CarePlans of our protocols, and why they could not be looked for."""
    if not launch.scopes.may(CARE_PLAN, "s"):
        return [], PLANS_REFUSED
    try:
        plans = launch.repository.search(CARE_PLAN, {"patient": launch.patient_id})
        for plan in plans:
            check_shape(plan)
            if is_about_another(plan, f"{PATIENT}/{launch.patient_id}"):
                raise BadAnswerError(
                    "The search brought another patient's plans; tell the EHR's administrator."
                )
    except UnauthorisedError:
        raise
    except ForbiddenError:
        return [], PLANS_REFUSED
    except (ServerError, InputError) as error:
        return [], f"Earlier plans could not be looked for: {error.message}"
    active = [plan for plan in plans if plan.get("status") == "active"]
    protocols = launch.app.protocols.values()
    return [plan for plan in active if any(follows(plan, each) for each in protocols)], ""


def _current_documents(launch: Launch) -> tuple[list[Resource], str]:
    """Return the documents of accepted plans, and why they could not be looked for."""
    urls = [each.plan_definition["url"] for each in launch.app.protocols.values()]
    patient = f"{PATIENT}/{launch.patient_id}"
    server = Door(launch.repository, means_of(launch), patient=patient)
    try:
        found = [_with_version(server, each) for each in current_documents(server, patient, urls)]
    except UnauthorisedError:
        raise
    except ServerError as error:
        return [], f"Documents of earlier plans could not be looked for: {error.message}"
    return [each for each in found if is_current(each) and not is_preliminary(each)], ""


def _with_version(server: Door, document: Resource) -> Resource:
    """Return a document without what is in it; where the list left out its version, as it is."""
    if not document.get("meta", {}).get("versionId"):
        document = server.read(DOCUMENT_REFERENCE, document["id"])
    return {name: value for name, value in document.items() if name not in ("content", "text")}


def follows(plan: Resource, protocol: ClinicalProtocol) -> bool:
    """Return whether a CarePlan was made by the protocol, in any of its versions."""
    url = protocol.plan_definition["url"]
    return any(
        str(canonical).partition("|")[0] == url
        for canonical in plan.get("instantiatesCanonical", ())
    )


def _support(launch: Launch) -> Mapping[str, WriteSupport]:
    try:
        return launch.app.server_says(launch.fhir_base, launch.repository).of_plans
    except UnauthorisedError:
        raise
    except ServerError:
        # A server without a statement may still take a plan: the write itself will tell.
        types_of = launch.app.write_types_of.items()
        return {name: read_write_support(None, types) for name, types in types_of}
