"""Many plans to many servers: the order of each patient's plans kept, others side by side."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock, local
from typing import Protocol

from ivfhir.errors import ForbiddenError, NotFoundError, ServerError, UnreachableError, UsageError
from ivfhir.fhir.types import CARE_PLAN, DOCUMENT_REFERENCE, Resource
from ivfhir.sync.decision import CHANGING, CREATED, PARKED, SUPERSEDED, UNCHANGED, Place
from ivfhir.sync.deliver import Outcome, deliver, foretell, parked
from ivfhir.sync.door import WritableServer
from ivfhir.sync.ladder import Means, allowed_by, read_means
from ivfhir.sync.ledger import DONE, Ledger
from ivfhir.sync.plans import SyncPlan, protocols_of
from ivfhir.sync.profiles import profile_of

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
        scope: the system scopes that the client has there; '' where nobody says.
        folder: where plans go that it does not take at all; None for nowhere.
        patients: who was found there in this run.
    """

    name: str
    connect: Callable[[], WritableServer]
    ledger: Ledger
    profile: str | None = None
    scope: str = ""
    folder: Path | None = None
    patients: dict[tuple[str, ...], str] = field(default_factory=dict)
    _means: Means | None = None
    _threads: local = field(default_factory=local)
    _lock: Lock = field(default_factory=Lock)
    _silent: int = 0

    def meet(self) -> None:
        """Read what the server says of itself.

        Raises:
            ServerError: it does not answer, or wants another token.
        """
        try:
            capabilities = self.connect().capabilities()
        except (NotFoundError, ForbiddenError):
            capabilities = None
        means = read_means(capabilities, profile_of(capabilities, self.profile))
        self._means = replace(means, allows=allowed_by(self.scope)) if self.scope else means

    @property
    def place(self) -> Place:
        """The server with a connection of this thread's own."""
        if self._means is None:
            raise ValueError("the server was not met yet")
        server = getattr(self._threads, "server", None)
        if server is None:
            server = self._threads.server = self.connect()
        return Place(self.name, server, self._means, self.ledger, self.patients, self.folder)

    @property
    def is_silent(self) -> bool:
        """Tell whether the server did not answer for several plans in a row."""
        with self._lock:
            return self._silent >= _GIVE_UP

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
    pause: Callable[[float], None] = time.sleep,
    watch: Watcher | None = None,
) -> list[Outcome]:
    """Bring plans to servers and return a row for each plan and server, in that order.

    Args:
        plans: the plans, the earlier `created` first.
        targets: the servers.
        random: returns a number from 0 to below 1.
        dry_run: write nothing, and say what would become of each.
        at_most: share of the rows from 0 to 1; when more would change, nothing is sent.
        connections: to each server at the same time.
        pause: waits for so many seconds.
        watch: is told each row when it is done.

    Raises:
        ServerError: no server can be reached at all.
    """
    met, failed = _meet(targets)
    rows: dict[tuple[str, str], Outcome] = {}
    for target, error in failed:
        rows |= {(plan.name, target.name): parked(plan, target.name, error) for plan in plans}
    say = watch or (lambda outcome: None)
    still = {target.name: _unchanged(target, plans) for target in met}
    for target in met:
        for outcome in still[target.name].values():
            rows[outcome.plan, target.name] = outcome
            say(outcome)

    def run(step: Callable[[SyncPlan, Target, _Past], Outcome], say: Watcher) -> None:
        def of_patient(group: tuple[Target, list[SyncPlan]]) -> None:
            target, own = group
            past = _Past()
            for plan in own:
                outcome = _one(step, plan, target, past)
                target.hear(outcome)
                rows[plan.name, target.name] = outcome
                say(outcome)

        groups = [
            (target, own)
            for target in met
            for own in _by_patient(plan for plan in plans if plan.name not in still[target.name])
        ]
        with ThreadPoolExecutor(max(1, connections * len(met))) as pool:
            list(pool.map(of_patient, groups))

    if dry_run or at_most is not None:
        run(lambda plan, target, past: past.foretell(plan, target), say if dry_run else _nothing)
    if at_most is not None and _share(rows.values()) > at_most:
        rows = {key: _stopped(each, at_most) for key, each in rows.items()}
    elif not dry_run:
        run(lambda plan, target, _: deliver(plan, target.place, random=random, pause=pause), say)
    return [rows[plan.name, target.name] for plan in plans for target in targets]


def _nothing(outcome: Outcome) -> None:
    """Tell nobody."""


def _meet(targets: Sequence[Target]) -> tuple[list[Target], list[tuple[Target, ServerError]]]:
    met, failed = [], []
    for target in targets:
        try:
            target.meet()
            met.append(target)
        except ServerError as error:
            failed.append((target, error))
    if failed and not met:
        raise failed[0][1]
    return met, failed


def _one(
    step: Callable[[SyncPlan, Target, "_Past"], Outcome],
    plan: SyncPlan,
    target: Target,
    past: "_Past",
) -> Outcome:
    if target.is_silent:
        return parked(plan, target.name, UnreachableError("The server no longer answers."))
    before = past.waits_for(plan)
    if before:
        why = f"An earlier plan of this patient and protocol ({before}) has to arrive first."
        return parked(plan, target.name, UsageError(why))
    outcome = step(plan, target, past)
    if outcome.result == PARKED:
        past.parked.append(plan)
    return outcome


@dataclass
class _Past:
    """What became of a patient's earlier plans on a server in this run."""

    parked: list[SyncPlan] = field(default_factory=list)
    coming: list[Resource] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)

    def waits_for(self, plan: SyncPlan) -> str:
        """Return the name of a parked plan of the same protocol; '' when there is none."""
        own = protocols_of(plan.care_plan)
        found = (each for each in self.parked if own & protocols_of(each.care_plan))
        return next((each.name for each in found), "")

    def foretell(self, plan: SyncPlan, target: Target) -> Outcome:
        """Return what would become of the next plan, and remember it as if it had been sent."""
        outcome = foretell(plan, target.place, coming=self.coming, gone=self.gone)
        if outcome.result in (CREATED, SUPERSEDED):
            own = protocols_of(plan.care_plan)
            self.coming = [each for each in self.coming if not own & protocols_of(each)]
            if plan.care_plan.get("status") in ("draft", "active", "on-hold"):
                self.coming.append({**plan.care_plan, "id": "of-this-input"})
            self.gone |= set(outcome.references)
        return outcome


def _by_patient(plans: Iterable[SyncPlan]) -> Iterator[list[SyncPlan]]:
    groups: dict[str, list[SyncPlan]] = {}
    for plan in plans:
        groups.setdefault(plan.patient, []).append(plan)
    return iter(groups.values())


def _share(outcomes: Iterable[Outcome]) -> float:
    results = [each.result for each in outcomes]
    return sum(each in CHANGING for each in results) / len(results) if results else 0.0


def _stopped(outcome: Outcome, at_most: float) -> Outcome:
    """Return the row of a plan that was not sent because too many would change."""
    if outcome.result not in CHANGING:
        return outcome
    why = (
        f"It would be {outcome.result}, but more than {at_most:g} of all would change; nothing was "
        "sent. Raise --at-most if that is meant."
    )
    issue = {"severity": "error", "code": "business-rule", "diagnostics": why}
    told = {"resourceType": "OperationOutcome", "issue": [issue]}
    return replace(outcome, result=PARKED, outcome=told)


def _unchanged(target: Target, plans: Sequence[SyncPlan]) -> Mapping[str, Outcome]:
    """Return the rows of plans whose every part has the version that it was written with.

    Many plans are asked for in one search; what does not come back as expected is looked at alone.
    """
    place = target.place
    if place.means.profile.search_needs_patient:
        return {}
    wanted: dict[str, dict[str, str]] = {}
    for plan in plans:
        known = place.ledger.plan(target.name, plan.plan_id) if plan.plan_id else None
        if known is not None and (known.state, known.digest) == (DONE, plan.digest):
            versions = place.ledger.versions(target.name, plan.plan_id)
            if versions and all(versions.values()):
                wanted[plan.name] = versions
    there = _versions(place, {key for each in wanted.values() for key in each})
    return {
        name: Outcome(
            name,
            target.name,
            UNCHANGED,
            tuple(key for key in versions if key.startswith(_PLANS)),
        )
        for name, versions in wanted.items()
        if all(there.get(key) == version for key, version in versions.items())
    }


def _versions(place: Place, references: Iterable[str]) -> dict[str, str]:
    by_type: dict[str, list[str]] = {}
    for reference in sorted(references):
        resource_type, _, resource_id = reference.partition("/")
        by_type.setdefault(resource_type, []).append(resource_id)
    found: dict[str, str] = {}
    for resource_type, ids in by_type.items():
        for start in range(0, len(ids), _AT_ONCE):
            params = {"_id": ",".join(ids[start : start + _AT_ONCE]), "_elements": "id"}
            try:
                resources = place.server.search(resource_type, params)
            except ServerError:
                continue
            found |= {
                f"{resource_type}/{each.get('id')}": str(each.get("meta", {}).get("versionId", ""))
                for each in resources
            }
    return found
