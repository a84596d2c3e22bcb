"""One plan to one server: decide, note, send, read back, note; again where it was unclear.

Each step stands on what the server has, not on what an earlier one remembers, so it may be
stopped after any of them and begun anew.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ivfhir.errors import (
    ForbiddenError,
    InvalidWriteError,
    IvfhirError,
    NotFoundError,
    NotShownError,
    RejectedError,
    ServerError,
    UnauthorisedError,
    UnreachableError,
    UsageError,
)
from ivfhir.fhir.outcome import operation_outcome
from ivfhir.fhir.references import reference_of
from ivfhir.fhir.types import CARE_PLAN, DOCUMENT_REFERENCE, PATIENT, Resource
from ivfhir.sync.bulk import Look
from ivfhir.sync.decide import decide, settle_copies
from ivfhir.sync.decision import (
    CONFLICT,
    DOWNLOADED,
    PARKED,
    REFUSED,
    SUPERSEDED,
    UNCHANGED,
    UPDATED,
    Decision,
    Place,
    known_as,
)
from ivfhir.sync.document_race import settle_document_race
from ivfhir.sync.door import KEPT, Door
from ivfhir.sync.download import save
from ivfhir.sync.ladder import Rung
from ivfhir.sync.ledger import DONE, SentPart
from ivfhir.sync.looks import back_looks, patient_plans, shown_among
from ivfhir.sync.plans import SyncPlan, protocols_of
from ivfhir.sync.race import Race, settle_race
from ivfhir.sync.retries import lacks_it, pause_before_retry_s
from ivfhir.sync.supersede import OPEN
from ivfhir.write_back import created_places, receipt_of, send
from ivfhir.writing.bundle import created_entries, value_of
from ivfhir.writing.document import with_pdf
from ivfhir.writing.earlier import Ended, read_ended
from ivfhir.writing.outgoing import as_read, check_outgoing, warning_lines
from ivfhir.writing.read_back import (
    Compared,
    as_carried,
    as_placed,
    compare,
    read_parts,
    read_references,
)

_CLEAR = (ForbiddenError, NotFoundError, RejectedError, UnauthorisedError)
_PLANS = (f"{CARE_PLAN}/", f"{DOCUMENT_REFERENCE}/")
_LOOKS = 3
"""So often a search is asked again that does not show what was sent: some four seconds long."""
_UNSEEN = (
    "The server's search does not show it yet, so whether another plan of this protocol was sent "
    "at the same moment is not known; the next run looks again."
)


@dataclass(frozen=True)
class Outcome:
    """What became of a plan on a server; as JSON it is a row of `ivfhir sync`.

    Attributes:
        plan: its identifier.
        to: the server.
        result: created, unchanged, updated, superseded, downloaded, conflict, parked or refused.
        references: of the plan there, then of those whose place it took.
        differences: what differs from what was meant, an object each.
        outcome: an OperationOutcome: why it is refused, parked or in conflict.
        error: the server's failure behind `parked`.
    """

    plan: str
    to: str
    result: str
    references: tuple[str, ...] = ()
    differences: tuple[Mapping[str, Any], ...] = ()
    outcome: Resource | None = None
    error: ServerError | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the row."""
        row: dict[str, Any] = {
            "plan": self.plan,
            "to": self.to,
            "result": self.result,
            "references": list(self.references),
            "differences": [dict(each) for each in self.differences],
        }
        return row if self.outcome is None else {**row, "outcome": self.outcome}


class Delivery:
    """A plan on its way to a server: what a worker does one try at a time.

    `plan` and `at` stay readable.
    """

    def __init__(self, plan: SyncPlan, at: Place) -> None:
        """Begin.

        Args:
            plan: the plan.
            at: the server.
        """
        self.plan, self.at = plan, at
        self._begun: Decision | None = None
        self._first: Decision | None = None
        self._sent: _Sent | None = None
        self._lower = False
        self._sure = True
        self._looks = 0

    def attempt(self, *, pause: Callable[[float], None] = time.sleep) -> Outcome:
        """Look what is there, send what has to be, and return what became of it.

        Safe to be called again after any failure, also by another process with another object.

        Args:
            pause: waits for so many seconds between looks after an unclear answer.

        Raises:
            ServerError: it is not there as far as can be seen; `pause_before_retry_s` tells
                whether, and when, another try makes sense.
        """
        if self._sent is None:
            outcome = self.send(pause=pause)
            if outcome is not None:
                return outcome
        return self.finish()  # Also what an earlier try could not read back.

    def send(
        self,
        *,
        again: Callable[[], None] | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> Outcome | None:
        """Do the first half of an attempt: return the row of what needed no sending, else None.

        Args:
            again: makes the server forget what it was asked in advance; is called before a
                change of what is there, which is then looked at once more.
            pause: as of `attempt`.

        Raises:
            ServerError: as of `attempt`.
        """
        self._sent = None
        while True:
            decision = self._decide()
            if again is not None and decision.bundle is not None and not _is_new(decision):
                again()
                decision = self._decide()
            if decision.bundle is not None and not decision.bundle["entry"]:
                left = settle_copies(decision)
                if left:
                    own = [each for each in decision.references if each not in left]
                    return _doubled(self.plan, self.at, own, left)
                decision = self._decide()
            try:
                decision = _checked(self.plan, decision)
            except InvalidWriteError as error:
                return parked(self.plan, self.at.name, error)
            decision = _as_begun(decision, self._begun)
            if decision.result == DOWNLOADED:
                try:
                    save(self.plan.plan_id, decision, _patient(decision))
                except UsageError as error:
                    return parked(self.plan, self.at.name, error)
            if decision.bundle is None or not decision.bundle["entry"]:
                return self._shown(partial(_settled, self.plan, self.at, decision, self._begun))
            try:
                begin = self.at.ledger.begin
                known = self.at.ledger.plan(self.at.name, self.plan.plan_id)
                was_sure = known is None or (known.state == DONE and known.sure)
                self._sure &= was_sure or self._begun is not None
                begin(self.at.name, self.plan.plan_id, self.plan.digest, decision.patient)
            except UsageError as error:  # Nothing is sent that nobody could remember.
                return parked(self.plan, self.at.name, error)
            self._begun = decision
            self._first = self._first or decision
            try:
                self._sent = _send(self.plan, self.at, decision, pause)
                return None
            except ServerError as error:
                clear = isinstance(error, _CLEAR) and not error.may_be_done
                self._sure &= clear or lacks_it(error)
                means, types = self.at.means, self.plan.types
                lacking = isinstance(error, NotFoundError) or lacks_it(error)
                # What is refused as wrong, of types that it names, is so one by one as well.
                wrong = isinstance(error, RejectedError) and bool(means.silent(types))
                is_lowest = self._lower or means.rung(types) is means.rung(types, lower=True)
                if not (lacking or wrong) or is_lowest:
                    raise
                self._lower = True

    def _decide(self) -> Decision:
        """Decide, and know the plan from now on as the server does."""
        decision = decide(self.plan, self.at, lower=self._lower)
        if decision.plan_id not in ("", self.plan.plan_id):
            self.plan = replace(self.plan, plan_id=decision.plan_id)
        return decision

    @property
    def warnings(self) -> tuple[Mapping[str, Any], ...]:
        """What was told of the whole plan before it was sent: it may be why it is refused."""
        differences = () if self._begun is None else self._begun.differences
        return tuple(each for each in differences if "reference" not in each)

    def left_behind(self, error: ServerError) -> tuple[Mapping[str, Any], ...]:
        """Return what is told of a new plan that could not be sent: what the server has of it.

        A server may do a transaction in part, and say so.

        Args:
            error: how the last try ended.
        """
        first = self._first
        if first is None or first.door is None or first.bundle is not first.parcel:
            return ()
        is_clear = isinstance(error, _CLEAR) and not error.may_be_done
        if is_clear or isinstance(error, UnreachableError):
            return ()
        try:
            found = first.door.find_begun(first.bundle or {"entry": []})
        except ServerError:
            return ({"text": "What the server has of it could not be looked for."},)
        words = "It is of this plan; whether all of that is there, the next run tells."
        return tuple({"reference": reference_of(each), "text": words} for each, _ in found)

    def back_looks(self) -> Iterator[Look]:
        """Yield what `finish` will ask."""
        if self._sent is not None:
            patient = self._sent.decision.patient
            yield from back_looks(self.plan, patient, self._sent.places, self.at.means)

    def patient_plans(self) -> Look | None:
        """Return the one of these that shows all plans of the patient; None where there is none."""
        if self._sent is None:
            return None
        return patient_plans(self.plan, self._sent.decision.patient, self._sent.places)

    def shown_among(self, found: Collection[Resource]) -> Mapping[Look, list[Resource]]:
        """Return which others of these are answered by what that one found."""
        return {} if self._sent is None else shown_among(self.plan, self._sent.places, found)

    def finish(self) -> Outcome:
        """Do the second half of an attempt: read back what was sent, and return its row.

        Raises:
            ServerError: as of `attempt`.
        """
        if self._sent is None:
            raise ValueError("nothing was sent")
        sent = self._sent
        outcome = self._shown(partial(_read_back, self.plan, self.at, sent, sure=self._sure))
        self._sent = None
        return outcome

    def _shown(self, look: Callable[..., Outcome]) -> Outcome:
        """Look whether others sent at the same time, and believe no search that is behind.

        Args:
            look: is told as `shown` whether the search must show the plan itself.

        Raises:
            NotShownError: it does not, and may after a pause.
            ServerError: as of `attempt`.
        """
        try:
            return look(shown=True)
        except NotShownError:
            self._looks += 1
            if self._looks <= _LOOKS and not self.at.in_vain.is_set():
                raise
            self.at.in_vain.set()
            return look(shown=False)


def persist(
    delivery: Delivery,
    *,
    random: Callable[[], float],
    failed: ServerError | None = None,
    pause: Callable[[float], None] = time.sleep,
    is_over: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Try a delivery until it is done or makes no sense any more; no failure is raised.

    Args:
        delivery: the plan on its way.
        random: returns a number from 0 to below 1.
        failed: how a first try ended; None when there was none.
        pause: waits for so many seconds.
        is_over: tells whether the server is not to be asked any more.
    """
    error, tries = failed, 0
    while True:
        if is_over():
            silence = UnreachableError("The server no longer answers.")
            return parked(delivery.plan, delivery.at.name, silence)
        if error is not None:
            tries += 1
            wait_s = pause_before_retry_s(error, tries, random=random)
            if wait_s is None:
                row = parked(delivery.plan, delivery.at.name, error)
                told = delivery.warnings if isinstance(error, RejectedError) else ()
                return replace(row, differences=(*told, *delivery.left_behind(error)))
            pause(wait_s)
        try:
            return delivery.attempt(pause=pause)
        except ServerError as again:
            error = again


@dataclass(frozen=True)
class _Sent:
    """A plan that was sent and not read back yet.

    Attributes:
        decision: what was decided.
        places: where its parts are, by identifier value.
        bundle: what was sent.
        kept: identifier values of parts that an earlier run left, and with which somebody has
            worked: they stayed as they were.
    """

    decision: Decision
    places: Mapping[str, str]
    bundle: Resource
    kept: frozenset[str] = frozenset()


def _is_new(decision: Decision) -> bool:
    """Tell whether a decision only creates, and the plan on condition that it is not there.

    Not every server can search every type of its parts; copies of these are settled with the plan.
    """
    entries = (decision.bundle or {}).get("entry", [])
    return (
        bool(entries)
        and decision.bundle is decision.parcel
        and all(each["request"]["method"] == "POST" for each in entries)
        and "ifNoneExist" in entries[0]["request"]
    )


def _as_begun(decision: Decision, begun: Decision | None) -> Decision:
    """Return the decision to complete what an earlier try of this run left, told as that one."""
    if begun is None or decision.result != UPDATED or begun.result == UPDATED:
        return decision
    references = dict.fromkeys((*decision.references, *begun.references))
    told = [each for each in begun.differences if each not in decision.differences]
    lines = (*decision.differences, *told)
    return replace(decision, result=begun.result, references=tuple(references), differences=lines)


def foretell(
    plan: SyncPlan, at: Place, *, coming: Iterable[Resource], gone: Iterable[str]
) -> Outcome:
    """Return what a delivery would say, as far as it can be told without writing.

    Args:
        plan: the plan.
        at: the server.
        coming: open plans of the patient that would be there by now.
        gone: references of plans that would have ended by now.
    """
    try:
        decision = _checked(plan, decide(plan, at, coming=coming, gone=gone))
    except (InvalidWriteError, ServerError) as error:
        return parked(plan, at.name, error)
    return _outcome(plan, at, decision)


def parked(plan: SyncPlan, to: str, error: IvfhirError) -> Outcome:
    """Return the row of a plan that could not be sent: the server's own outcome is in it."""
    server = error if isinstance(error, ServerError) else None
    return Outcome(plan.name, to, PARKED, outcome=operation_outcome(error), error=server)


def _checked(plan: SyncPlan, decision: Decision) -> Decision:
    """Return a decision that also tells what of the input, or of the server's, is not valid R4.

    Raises:
        InvalidWriteError: sync itself made something that is not.
    """
    bundle = decision.bundle
    sent = bundle if bundle is not None and bundle["entry"] else None
    if sent is None and decision.result != DOWNLOADED:
        return decision
    if sent is None:
        passed = check_outgoing(decision.whole or {}, (plan.whole,))
    else:
        is_change = decision.result == UPDATED and decision.before
        read = decision.before if is_change else as_read(sent)
        passed = check_outgoing(sent, (plan.whole, *read))
    lines = [{"text": each} for each in warning_lines(passed)]
    return replace(decision, differences=(*decision.differences, *lines)) if lines else decision


def _settled(
    plan: SyncPlan, at: Place, decision: Decision, begun: Decision | None, *, shown: bool
) -> Outcome:
    """Return the row of what needs no sending, or was sent by a try whose answer was lost.

    Raises:
        NotShownError: the search must show it and does not.
        ServerError: as of `Delivery.attempt`.
    """
    if decision.result != UNCHANGED:
        return _outcome(plan, at, decision)
    kind = CARE_PLAN if decision.whole is None else DOCUMENT_REFERENCE
    known, _ = known_as(kind, plan.plan_id, at)
    own = _own_value(decision)
    ours = decision.places.get(own) is not None
    done = known is not None and known.state == DONE
    fresh = known is not None and known.sure and done and known.digest == plan.digest
    race = None
    unkept: tuple[Mapping[str, Any], ...] = ()
    if ours and not fresh and decision.door is not None and decision.parcel is not None:
        if known is not None and not (done and known.sure):  # Whoever sent it did not see all.
            race = _race(plan, at, decision, decision.places, shown=shown, again=done)
            unkept = _unseen(shown=shown)
        stored = read_parts(decision.door, decision.places, strict=True)
        if value_of(stored.get(own, {})) == own:
            places = {value: reference_of(each) for value, each in stored.items()}
            # A request of whoever was killed, or heard no answer, may be on its way yet.
            sure = (known is None or done) and shown
            parts = _parts(decision, places, stored)
            unkept = (*unkept, *_note(plan, at, decision, parts, sure=sure))
    outcome = _outcome(plan, at, decision)
    if begun is not None:
        references = (*decision.references, *begun.references)
        outcome = Outcome(plan.name, at.name, begun.result, references, begun.differences)
    outcome = replace(outcome, differences=(*outcome.differences, *unkept))
    return outcome if race is None else _after_race(outcome, race)


def _outcome(plan: SyncPlan, at: Place, decision: Decision) -> Outcome:
    outcome = None
    if decision.reason:
        code = "conflict" if decision.result == CONFLICT else "business-rule"
        is_error = decision.result in (CONFLICT, PARKED, REFUSED)
        severity = "error" if is_error else "information"
        issue = {"severity": severity, "code": code, "diagnostics": decision.reason}
        outcome = {"resourceType": "OperationOutcome", "issue": [issue]}
    return Outcome(
        plan.name, at.name, decision.result, decision.references, decision.differences, outcome
    )


def _send(plan: SyncPlan, at: Place, decision: Decision, pause: Callable[[float], None]) -> _Sent:
    door, bundle = decision.door, decision.bundle
    assert door is not None  # noqa: S101 - a decision to send has both
    assert bundle is not None  # noqa: S101
    if bundle is decision.parcel:
        if decision.whole is not None:
            bundle = with_pdf(bundle, decision.whole, _patient(decision))
        if door.rung is Rung.TRANSACTION:
            return _Sent(decision, send(door, bundle, pause=pause), bundle)
        # One by one what was created may be there, and what was to end not ended: a try that broke
        # is followed by another, which decides anew.
        answer = door.transact(bundle)
        return _Sent(decision, created_places(bundle, answer), bundle, _kept_in(bundle, answer))
    answer = door.transact(bundle)
    places = {**decision.places, **created_places(bundle, answer)}
    kept = frozenset() if door.rung is Rung.TRANSACTION else _kept_in(bundle, answer)
    return _Sent(decision, places, bundle, kept)


def _kept_in(bundle: Resource, answer: Resource) -> frozenset[str]:
    """Return the identifier values of the creates of which `Door` answers that they were kept."""
    return frozenset(
        str(value_of(entry["resource"]))
        for entry, each in zip(bundle["entry"], answer["entry"], strict=True)
        if entry["request"]["method"] == "POST" and each["response"]["status"] == KEPT
    )


def _read_back(plan: SyncPlan, at: Place, sent: _Sent, *, sure: bool, shown: bool) -> Outcome:
    decision, places, sure = sent.decision, sent.places, sure and shown
    door, bundle, parcel = decision.door, sent.bundle, decision.parcel
    assert door is not None  # noqa: S101 - what was sent had both
    assert parcel is not None  # noqa: S101
    if decision.bundle is parcel:
        receipt = receipt_of(door, bundle, places, already_there=False, strict=True)
        places = {each.value: each.reference for each in receipt.entries if each.reference}
        compared, ended = receipt.entries, receipt.ended
        if receipt.left_over:  # It is not done, so that the next run looks again.
            own = places.get(_own_value(decision))
            return _doubled(plan, at, [own] if own else [], receipt.left_over)
        lost = _lost(door, compared, shown=shown)
        parts = [
            # What somebody has worked with is not as it was sent: without a version that is seen.
            SentPart(
                each.value,
                each.reference,
                "" if each.value in sent.kept else each.version,
                each.sent,
            )
            for each in receipt.entries
            if each.reference and each.reference not in lost
        ]
        race = _race(plan, at, decision, places, shown=shown)
        unkept = _note(plan, at, decision, parts, sure=sure)
    else:
        places, stored = as_carried(places, read_parts(door, places, strict=True, may_refuse=True))
        # Of a document nothing but the status of an older one was sent.
        is_document = decision.whole is not None
        compared = () if is_document else compare(parcel, places, stored)
        lost = _lost(door, compared, shown=shown)
        is_change = decision.result == UPDATED and not is_document
        ended = () if is_change else read_ended(door, bundle, strict=True)
        race = _race(plan, at, decision, places, shown=shown)
        sent_parts = _parts(decision, places, stored)
        parts = [
            replace(each, version="") if each.value in sent.kept else each
            for each in sent_parts
            if each.reference not in lost
        ]
        unkept = _note(plan, at, decision, parts, sure=sure)
    if ended and not unkept:
        gone = read_references(door, [each.reference for each in ended])
        versions = {reference_of(each): _version(each) for each in gone}
        unkept = _kept(lambda: at.ledger.note_versions(at.name, versions))
    own = places.get(_own_value(decision))
    older = [each.reference for each in ended if each.reference.startswith(_PLANS)]
    references = dict.fromkeys([*([own] if own else []), *older, *decision.references])
    differences = (*decision.differences, *_lines(compared), *_unended(ended), *unkept)
    differences = (*differences, *_unseen(shown=shown))
    row = Outcome(plan.name, at.name, decision.result, tuple(references), differences)
    row = row if race is None else _after_race(row, race)
    return _incomplete(row, lost) if lost and row.result != REFUSED else row


def _lost(door: Door, compared: Iterable[Compared], *, shown: bool) -> frozenset[str]:
    """Return what the server said that it stored, and does not have.

    Raises:
        NotShownError: there is some, and `shown` says that it must be there.
        ServerError: it could not be told.
    """
    lost = set()
    for part in compared:
        if part.differences is None and part.reference:
            try:
                door.read(part.resource_type, part.reference.partition("/")[2])
            except NotFoundError:
                lost.add(part.reference)
            except (ForbiddenError, RejectedError):
                pass  # Whether it is there, nobody can tell.
    if lost and shown:
        raise NotShownError(f"The server took {', '.join(sorted(lost))} and does not have it.")
    return frozenset(lost)


def _incomplete(row: Outcome, lost: Iterable[str]) -> Outcome:
    """Return the row of a plan of which the server lost a part: the next run sends that again."""
    why = f"The server took {', '.join(sorted(lost))} and does not have it; the next run sends it."
    issue = {"severity": "error", "code": "incomplete", "diagnostics": why}
    outcome = {"resourceType": "OperationOutcome", "issue": [issue]}
    return replace(row, result=PARKED, outcome=outcome)


def _doubled(plan: SyncPlan, at: Place, own: Sequence[str], copies: Sequence[str]) -> Outcome:
    """Return the row of a plan that a careless server holds more than once."""
    why = (
        "The server stored it more than once; a copy could not be marked, or somebody has worked "
        f"with it. Look at {copies[0]} there, and mark what is too many as entered in error."
    )
    issue = {"severity": "error", "code": "duplicate", "diagnostics": why}
    told = {"resourceType": "OperationOutcome", "issue": [issue]}
    lines = tuple({"reference": each, "text": "A copy could not be withdrawn."} for each in copies)
    plans = [each for each in copies if each.startswith(_PLANS)]
    return Outcome(plan.name, at.name, CONFLICT, (*own, *plans), lines, told)


def _unseen(*, shown: bool) -> tuple[Mapping[str, Any], ...]:
    """Return what is told where the search never showed what was sent."""
    return () if shown else ({"text": _UNSEEN},)


def _race(
    plan: SyncPlan,
    at: Place,
    decision: Decision,
    places: Mapping[str, str],
    *,
    shown: bool,
    again: bool = False,
) -> Race | None:
    """Settle what other writers sent while this plan was under way.

    Args:
        plan: the plan.
        at: the server.
        decision: what was decided.
        places: where its parts are, by identifier value.
        shown: whether the search must show it.
        again: whether an earlier run has read it back.

    Raises:
        NotShownError: the search must show the plan, and does not.
        ServerError: others could not be looked for.
    """
    is_document = decision.whole is not None
    own = places.get(_own_value(decision) if is_document else plan.plan_id)
    if own is None or decision.result == UPDATED:
        return None
    if not protocols_of(plan.care_plan) or plan.care_plan.get("status") not in OPEN:
        return None  # One that was sent as ended takes nobody's place.
    assert decision.door is not None  # noqa: S101 - a decision to send has one
    if is_document:
        return settle_document_race(decision.door, own, means=at.means, shown=shown, again=again)
    return settle_race(
        decision.door, own, decision.patient, means=at.means, shown=shown, again=again
    )


def _after_race(sent: Outcome, race: Race) -> Outcome:
    """Return the row of a plan beside which others were sent."""
    own = sent.references[0]
    left = [
        {"reference": each, "text": f"It is open beside {race.stays} and could not be ended."}
        for each in race.left
    ]
    references = tuple(dict.fromkeys([*sent.references, race.stays, *race.ended, *race.left]))
    sent = replace(sent, references=references, differences=(*sent.differences, *left))
    if race.stays == own:
        return replace(sent, result=SUPERSEDED if race.ended else sent.result)
    ended = "superseded" if own.startswith(f"{DOCUMENT_REFERENCE}/") else "revoked"
    was = f"was {ended} again" if own in race.ended else f"should be {ended}, and could not be"
    why = f"{race.stays}, sent at the same time, stays for this protocol; {own} {was}."
    issue = {"severity": "error", "code": "business-rule", "diagnostics": why}
    outcome = {"resourceType": "OperationOutcome", "issue": [issue]}
    return replace(sent, result=REFUSED, outcome=outcome)


def _own_value(decision: Decision) -> str:
    """Return the identifier value of the plan, or of its document; '' where neither is created."""
    created = created_entries(decision.parcel or {"entry": []})
    return str(value_of(created[0]["resource"])) if created else ""


def _patient(decision: Decision) -> Resource | None:
    """Return the Patient on the server; None where it cannot be read."""
    if decision.door is None:
        return None
    try:
        return decision.door.read(PATIENT, decision.patient.partition("/")[2])
    except (ForbiddenError, NotFoundError):
        return None


def _parts(
    decision: Decision, places: Mapping[str, str], stored: Mapping[str, Resource]
) -> list[SentPart]:
    """Return what was sent, each part with its place and the version that was found there."""
    versions = {reference_of(each): _version(each) for each in stored.values()}
    sent = as_placed(decision.parcel or {"entry": []}, places)
    return [
        SentPart(value, places[value], versions.get(places[value], ""), each)
        for value, each in sent.items()
        if value in places
    ]


def _note(
    plan: SyncPlan, at: Place, decision: Decision, parts: Sequence[SentPart], *, sure: bool
) -> tuple[Mapping[str, Any], ...]:
    """Write what was sent and where it is into the ledger; return what is told when that fails."""
    own = (at.name, plan.plan_id, plan.digest, decision.patient)
    return _kept(lambda: at.ledger.finish(*own, parts, sure=sure))


def _kept(write: Callable[[], None]) -> tuple[Mapping[str, Any], ...]:
    """Write into the ledger, an aid: a plan that is sent is told as such without it, too."""
    try:
        write()
    except UsageError as error:
        return ({"text": error.message},)
    return ()


def _version(resource: Resource) -> str:
    return str(resource.get("meta", {}).get("versionId", ""))


def _lines(compared: Iterable[Compared]) -> list[dict[str, Any]]:
    """Return what the read-back shows."""
    lines: list[dict[str, Any]] = []
    for part in compared:
        if part.differences is None:
            lines.append({"reference": part.reference, "text": "It could not be read back."})
        lines += [
            {"reference": part.reference, "text": f"{each}."} for each in part.differences or ()
        ]
    return lines


def _unended(ended: Iterable[Ended]) -> list[dict[str, Any]]:
    return [
        {
            "reference": each.reference,
            "text": f"It was to be {each.wanted}, and is not known to be.",
        }
        for each in ended
        if each.status != each.wanted
    ]
