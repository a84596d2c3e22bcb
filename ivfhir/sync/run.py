"""Many plans to many servers: the order of each patient's plans kept, others side by side."""

import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import Event, Lock
from typing import NamedTuple, Protocol

from ivfhir.errors import (
    ForbiddenError,
    InputError,
    NotFoundError,
    RejectedError,
    ServerError,
    UnreachableError,
    UsageError,
)
from ivfhir.fhir.types import CARE_PLAN, DOCUMENT_REFERENCE, Resource
from ivfhir.shape import check_shape
from ivfhir.sync.bulk import Lists
from ivfhir.sync.connections import Connections
from ivfhir.sync.decision import (
    CHANGING,
    CREATED,
    PARKED,
    SUPERSEDED,
    UNCHANGED,
    UPDATED,
    Place,
    too_many,
)
from ivfhir.sync.deliver import Outcome, foretell, parked
from ivfhir.sync.door import WritableServer
from ivfhir.sync.group import MOST, TRIAL, Ways, deliver_group, look_ahead
from ivfhir.sync.ladder import allowed_by, read_means
from ivfhir.sync.ledger import DONE, Ledger
from ivfhir.sync.lines import Line, Lines
from ivfhir.sync.mapping import NONE_THERE, tokens_named
from ivfhir.sync.plans import SyncPlan, Token, protocols_of, tokens_of
from ivfhir.sync.profiles import profile_of
from ivfhir.sync.retries import pause_before_retry_s
from ivfhir.sync.supersede import OPEN, as_coming, open_among
from ivfhir.sync.turns import Turns
from ivfhir.writing.bundle import PLAN_SYSTEM, value_of
from ivfhir.writing.document import plan_of

_GROUPS = 4
"""Groups of plans at the same time: while some look or are read back, another is sent."""

_AT_ONCE = 50
"""Ids in one search of what is unchanged: a server may make pages of so many, the next one slow."""

_PLANS = (f"{CARE_PLAN}/", f"{DOCUMENT_REFERENCE}/")

_GIVE_UP = 3
"""Plans in a row that a server does not answer for, after which it is not asked any more."""


class Watcher(Protocol):
    """Is told how far a run is."""

    def __call__(self, outcome: Outcome) -> None:
        """Note that one plan is done on one server."""


@dataclass
class Target:
    """One server of a run.

    Attributes:
        name: what the user called it.
        connect: returns a connection of its own for a thread.
        ledger: what was sent.
        profile: name of the profile that was asked for; None to tell by its CapabilityStatement.
        scope: returns the system scopes that the client has there, once it is connected; '' where
            nobody says.
        address: the server's; '' where nobody says.
        folder: where plans go that it does not take at all; None for nowhere.
        patients: who was found there in this run.
        lists: what is known of its comma lists.
    """

    name: str
    connect: Callable[[], WritableServer]
    ledger: Ledger
    profile: str | None = None
    scope: Callable[[], str] = lambda: ""
    address: str = ""
    folder: Path | None = None
    patients: dict[tuple[str, ...], str] = field(default_factory=dict)
    lists: Lists = field(default_factory=Lists)
    _server: Connections | None = None
    _place: Place | None = None
    _lock: Lock = field(default_factory=Lock)
    _silent: int = 0
    _ended: Event = field(default_factory=Event)

    def meet(self, connections: int = 1) -> None:
        """Read what the server says of itself.

        Args:
            connections: how many there may be at the same time.

        Raises:
            ServerError: it does not answer, or wants another token.
        """
        server = self.server(connections)
        try:
            capabilities = server.capabilities()
            check_shape(capabilities)
        except (NotFoundError, ForbiddenError, InputError):
            capabilities = None  # What a statement of another shape says, nobody can tell.
        means = read_means(capabilities, profile_of(capabilities, self.profile))
        if scope := self.scope():
            means = replace(means, allows=allowed_by(scope))
        self.lists = Lists(known=means.profile.lists, page=means.profile.page)
        self._place = Place(
            self.name,
            server,
            means,
            self.ledger,
            self.patients,
            self.folder,
            Event(),
            self.address,
        )

    def server(self, connections: int = 1) -> Connections:
        """Return the server, for any thread, before it is met, too.

        Args:
            connections: how many there may be at the same time; the first call counts.
        """
        if self._server is None:
            self._server = Connections(self.connect, connections)
        return self._server

    @property
    def is_met(self) -> bool:
        """Whether the server said what it can."""
        return self._place is not None

    @property
    def place(self) -> Place:
        """The server, for any thread."""
        if self._place is None:
            raise ValueError("the server was not met yet")
        return self._place

    @property
    def is_silent(self) -> bool:
        """Tell whether the server did not answer for several plans in a row, or the run ends."""
        with self._lock:
            return self._silent >= _GIVE_UP or self._ended.is_set()

    def end(self) -> None:
        """Begin no further plan: whoever runs this wants it to stop."""
        self._ended.set()

    def wait(self, seconds: float) -> None:
        """Wait so long, or until the run ends."""
        self._ended.wait(seconds)

    def hear(self, outcome: Outcome) -> None:
        """Note whether the server answered."""
        with self._lock:
            silent = isinstance(outcome.error, UnreachableError)
            self._silent = self._silent + 1 if silent else 0


def sync_plans(
    plans: Sequence[SyncPlan],
    targets: Sequence[Target],
    *,
    random: Callable[[], float],
    dry_run: bool = False,
    at_most: float | None = None,
    connections: int = 1,
    pause: Callable[[float], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
    watch: Watcher | None = None,
) -> list[Outcome]:
    """Bring plans to servers and return a row for each plan and server, in that order.

    Args:
        plans: the plans, the earlier `created` first.
        targets: the servers.
        random: returns a number from 0 to below 1.
        dry_run: write nothing, and say what would become of each.
        at_most: share of the rows from 0 to 1; when more would change, or could not be looked at,
            nothing is sent. Servers that were never reached do not count.
        connections: to each server at the same time.
        pause: waits for so many seconds; None waits until an interrupt at most.
        clock: returns seconds that only ever grow.
        watch: is told each row when it is done.

    Raises:
        ServerError: no server can be reached at all.
    """
    rows: dict[tuple[str, str], Outcome] = {}
    say = watch or (lambda outcome: None)

    def left_for(target: Target) -> list[SyncPlan]:
        return [plan for plan in plans if (plan.name, target.name) not in rows]

    def leave_unchanged(target: Target) -> None:
        for outcome in _unchanged(target, left_for(target), connections).values():
            rows[outcome.plan, target.name] = outcome
            say(outcome)

    for target in targets:  # Of whom nothing is wanted, a long statement need not be read.
        leave_unchanged(target)
    waiting = [each for each in targets if left_for(each)]
    met, failed = _meet(waiting, connections, random=random, pause=pause)
    if failed and not met and not rows:
        raise failed[0][1]
    silent = {target.name: error for target, error in failed}
    reached = [target for target in targets if target.name not in silent]
    for target, error in failed:
        for plan in left_for(target):
            rows[plan.name, target.name] = parked(plan, target.name, error)
    for target in met:
        leave_unchanged(target)
    left = {target.name: left_for(target) for target in met}

    def run(step: _Step, say: Watcher) -> None:
        def told(target: Target, plan: SyncPlan, outcome: Outcome) -> None:
            target.hear(outcome)
            rows[plan.name, target.name] = outcome
            say(outcome)

        with ExitStack() as stack:
            workers = []
            for target in met:
                sends, asks, retries = (
                    stack.enter_context(ThreadPoolExecutor(2 * connections)) for _ in range(3)
                )
                waits = pause or target.wait
                ways = Ways(
                    sends, asks, Lock(), target.lists, random, waits, clock, retries, Turns()
                )
                trial = 0 if target.place.means.profile.lists else TRIAL
                lines = Lines(left[target.name], most=min(MOST, 8 + 8 * connections), trial=trial)
                drivers = stack.enter_context(ThreadPoolExecutor(_GROUPS))
                workers += [
                    drivers.submit(_work, lines, target, step, ways, partial(told, target))
                    for _ in range(_GROUPS)
                ]
            try:
                for worker in workers:
                    worker.result()
            except BaseException:  # What is under way is let end, so that it is known.
                for target in met:
                    target.end()
                raise

    if dry_run or at_most is not None:
        run(_foretell, say if dry_run else _nothing)
    if at_most is not None and _share(plans, reached, rows) > at_most:
        rows = {key: _stopped(each, at_most) for key, each in rows.items()}
    elif not dry_run:
        run(_deliver, say)
    return [rows[plan.name, target.name] for plan in plans for target in targets]


def _nothing(outcome: Outcome) -> None:
    """Tell nobody."""


def _meet(
    targets: Sequence[Target],
    connections: int,
    *,
    random: Callable[[], float],
    pause: Callable[[float], None] | None,
) -> tuple[list[Target], list[tuple[Target, ServerError]]]:
    """Meet servers at the same time; one that says when it will answer is waited for."""

    def meet(target: Target) -> ServerError | None:
        tries, error = 0, _met(target, connections)
        while error is not None and error.retry_after_s is not None:
            tries += 1
            wait_s = pause_before_retry_s(error, tries, random=random)
            if wait_s is None:
                break
            (pause or target.wait)(wait_s)
            error = _met(target, connections)
        return error

    with ThreadPoolExecutor(max(1, len(targets))) as pool:
        try:
            told = list(zip(targets, pool.map(meet, targets), strict=True))
        except BaseException:  # Nobody waits for a server any more.
            for target in targets:
                target.end()
            raise
    met = [target for target, error in told if error is None]
    return met, [(target, error) for target, error in told if error is not None]


def _met(target: Target, connections: int) -> ServerError | None:
    try:
        target.meet(connections)
    except ServerError as error:
        return error
    return None


_Step = Callable[[list[Line], Target, Ways], Iterator[tuple[SyncPlan, Outcome]]]


def _work(
    lines: Lines,
    target: Target,
    step: _Step,
    ways: Ways,
    told: Callable[[SyncPlan, Outcome], None],
) -> None:
    """Take one plan of each of several patients, then the next of others, until none is left."""
    while group := lines.take():
        try:
            going = []
            for line in group:
                stopped = _stopped_before(line, target)
                if stopped is None:
                    going.append(line)
                else:
                    _settle(line, stopped)
                    told(line.plan, stopped)
            by_plan = {id(line.plan): line for line in going}
            for plan, outcome in step(going, target, ways):
                _settle(by_plan[id(plan)], outcome)
                told(plan, outcome)
        finally:
            lines.give_back(group)


def _stopped_before(line: Line, target: Target) -> Outcome | None:
    """Return the row of a plan that is not tried; None when it is."""
    if target.is_silent:
        return parked(line.plan, target.name, UnreachableError("The server no longer answers."))
    own = protocols_of(line.plan.care_plan)
    waits = (each for each in line.parked if own & protocols_of(each.care_plan))
    before = next((each.name for each in waits), "")
    if before:
        why = f"An earlier plan of this patient and protocol ({before}) has to arrive first."
        return parked(line.plan, target.name, UsageError(why))
    return None


def _settle(line: Line, outcome: Outcome) -> None:
    if outcome.result == PARKED and line.plan not in line.parked:
        line.parked.append(line.plan)


def _deliver(lines: list[Line], target: Target, ways: Ways) -> Iterator[tuple[SyncPlan, Outcome]]:
    plans = [line.plan for line in lines]
    return deliver_group(plans, target.place, ways, is_silent=lambda: target.is_silent)


def _foretell(lines: list[Line], target: Target, ways: Ways) -> Iterator[tuple[SyncPlan, Outcome]]:
    """Tell what would become of plans, and remember it as if they had been sent."""
    members = look_ahead([line.plan for line in lines], target.place, ways)

    def outcome_of(line: Line, at: Place) -> Outcome:
        coming = open_among(line.coming, line.plan.care_plan)
        return foretell(line.plan, at, coming=coming, gone=line.gone)

    outcomes = ways.sends.map(outcome_of, lines, [member.at for member in members])
    for line, outcome in zip(lines, outcomes, strict=True):
        plan = line.plan
        told = _without_arrived(plan, outcome, line.arrived)
        if outcome.result in (CREATED, SUPERSEDED):
            own = protocols_of(plan.care_plan)
            line.coming = [each for each in line.coming if not own & protocols_of(each)]
            if plan.care_plan.get("status") in OPEN:
                line.coming.append(as_coming(plan.care_plan, plan.name))
            line.gone |= set(outcome.references)
            if target.place.means.rung(plan.types).has_care_plan:
                line.arrived |= set(plan.tokens)
        elif outcome.result == UPDATED and plan.care_plan.get("status") not in OPEN:
            line.gone |= set(outcome.references)
        yield plan, told


def _without_arrived(plan: SyncPlan, outcome: Outcome, arrived: Container[Token]) -> Outcome:
    """Tell nothing of references to plans of the input that would be there by then."""
    kept = tuple(
        each
        for each in outcome.differences
        if each.get("text") != NONE_THERE
        or not any(token in arrived for token in tokens_named(plan, str(each["reference"])))
    )
    return replace(outcome, differences=kept)


def _share(
    plans: Sequence[SyncPlan], met: Sequence[Target], rows: Mapping[tuple[str, str], Outcome]
) -> float:
    """Return the share of plans that would change on the servers that were met.

    One that could not be looked at counts as changing, and so does one that waits for it.
    """
    own = [(plan, rows[plan.name, target.name]) for target in met for plan in plans]
    unsure = {(row.to, plan.patient) for plan, row in own if row.error is not None}
    changing = [
        row.result in CHANGING
        or row.error is not None
        or (row.result == PARKED and (row.to, plan.patient) in unsure)
        for plan, row in own
    ]
    return sum(changing) / len(own) if own else 0.0


def _stopped(outcome: Outcome, at_most: float) -> Outcome:
    """Return the row of a plan that was not sent because too many would change."""
    if outcome.result not in CHANGING:
        return outcome
    why = too_many(outcome.result, at_most)
    issue = {"severity": "error", "code": "business-rule", "diagnostics": why}
    told = {"resourceType": "OperationOutcome", "issue": [issue]}
    return replace(outcome, result=PARKED, outcome=told)


def _unchanged(
    target: Target, plans: Sequence[SyncPlan], connections: int
) -> Mapping[str, Outcome]:
    """Return the rows of plans whose every part has the version that it was written with.

    Many plans are asked for in one search; what does not come back as expected is looked at alone.
    Before the server is met nothing is said of documents: it may take CarePlans by now.
    """
    profile = target.place.means.profile if target.is_met else profile_of(None, target.profile)
    if profile.search_needs_patient:
        return {}
    wanted: dict[str, dict[str, str]] = {}
    for plan in plans:
        known = target.ledger.plan(target.name, plan.plan_id) if plan.plan_id else None
        if known and known.sure and (known.state, known.digest) == (DONE, plan.digest):
            versions = target.ledger.versions(target.name, plan.plan_id)
            is_document = any(key.startswith(f"{DOCUMENT_REFERENCE}/") for key in versions)
            if is_document != target.is_met or not versions or not all(versions.values()):
                continue
            if not is_document or not target.place.means.rung(plan.types).has_care_plan:
                wanted[plan.name] = versions
    server = target.server(connections)
    there = _seen(server, {key for each in wanted.values() for key in each}, connections)
    own = {plan.name: {f"{PLAN_SYSTEM}|{plan.plan_id}", *map(str, plan.tokens)} for plan in plans}
    return {
        name: Outcome(
            name,
            target.name,
            UNCHANGED,
            tuple(key for key in versions if key.startswith(_PLANS)),
        )
        for name, versions in wanted.items()
        if all(
            key in there
            and there[key].version == version
            and (not key.startswith(_PLANS) or own[name] & there[key].names)
            for key, version in versions.items()
        )
    }


class _Seen(NamedTuple):
    """A resource of the server: its version, and of a plan or document the plan's identifiers."""

    version: str
    names: frozenset[str]


def _seen(server: WritableServer, references: Iterable[str], connections: int) -> dict[str, _Seen]:
    """Return what the server has of these references, by reference.

    One that does not answer is not asked on: that is told when it is met. Ids and versions alone
    may be those of other resources: of a server that was emptied, or of another one under the same
    name.
    """
    by_type: dict[str, list[str]] = {}
    for reference in sorted(references):
        resource_type, _, resource_id = reference.partition("/")
        by_type.setdefault(resource_type, []).append(resource_id)
    wanted = [
        (resource_type, ids[start : start + _AT_ONCE])
        for resource_type, ids in by_type.items()
        for start in range(0, len(ids), _AT_ONCE)
    ]

    silent = Event()

    def ask(some: tuple[str, list[str]]) -> dict[str, _Seen]:
        resource_type, ids = some
        if silent.is_set():
            return {}
        elements = {"_elements": "id,identifier" if f"{resource_type}/" in _PLANS else "id"}
        try:
            found = server.search(resource_type, {"_id": ",".join(ids), **elements})
        except ServerError as error:
            if not isinstance(error, (ForbiddenError, NotFoundError, RejectedError)):
                silent.set()
            return {}
        return {
            f"{resource_type}/{each.get('id')}": _Seen(
                str(each.get("meta", {}).get("versionId", "")), _names(each)
            )
            for each in found
        }

    with ThreadPoolExecutor(connections) as pool:
        return {key: seen for some in pool.map(ask, wanted) for key, seen in some.items()}


def _names(resource: Resource) -> frozenset[str]:
    """Return the identifiers of the plan that a CarePlan or a document is of, `system|value`."""
    if f"{resource['resourceType']}/" not in _PLANS:
        return frozenset()
    plan_id = plan_of(resource) or value_of(resource)
    return frozenset({f"{PLAN_SYSTEM}|{plan_id}", *map(str, tokens_of(resource))})
