"""Plans of several patients side by side: what is asked for all of them is asked in one search.

A group looks what is there, sends each plan, and reads back what was sent. Each plan on its own
does just the same, only that it asks alone: that is what happens where a common look fails.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, as_completed
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock

from ivfhir.errors import InputError, ServerError
from ivfhir.sync.bulk import Lists, Look, look_together
from ivfhir.sync.decide import place_patient
from ivfhir.sync.decision import Place
from ivfhir.sync.deliver import Delivery, Outcome, persist
from ivfhir.sync.foreseen import Foreseen
from ivfhir.sync.looks import first_looks, second_looks
from ivfhir.sync.plans import SyncPlan
from ivfhir.sync.turns import Turns

MOST = 32
"""Plans in one group: as much of the server as is held in memory at a time."""

TRIAL = 2
"""Patients of the first group where it is to be seen whether the server takes lists in searches."""


@dataclass(frozen=True)
class Ways:
    """How a group works.

    Attributes:
        sends: decides on plans and sends them, those of an earlier group first.
        asks: looks and reads back, so that neither waits for a plan that is still to be sent.
        one_group: is held until a group is in line to be sent, so that no two mix.
        lists: what is known of the server's comma lists.
        random: returns a number from 0 to below 1.
        pause: waits for so many seconds.
        clock: returns seconds that only ever grow.
        retries: tries again what failed, with the pauses between.
        turns: the server's patients of whom a plan is under way.
    """

    sends: Executor
    asks: Executor
    one_group: Lock
    lists: Lists
    random: Callable[[], float]
    pause: Callable[[float], None]
    clock: Callable[[], float]
    retries: Executor
    turns: Turns


class _Member:
    """One plan of a group."""

    def __init__(self, plan: SyncPlan, at: Place, ways: Ways) -> None:
        self.plan = plan
        shows = at.means.profile.representation
        self.foreseen = Foreseen(at.server, ways.clock, shows=shows, lists=ways.lists)
        self.at = at._replace(server=self.foreseen)
        self.delivery = Delivery(plan, self.at)
        self.patient: str | None = None

    def first(self) -> Iterator[Look]:
        return first_looks(self.plan, self.at.patients.get(self.plan.patient_key), self.at.means)

    def find_patient(self) -> None:
        """Find the patient on the server; where that fails, the decision comes to it and tells."""
        if not self.plan.refusal:
            with suppress(InputError, ServerError):
                self.patient = place_patient(self.plan, self.at)

    def second(self) -> Iterator[Look]:
        """Yield what is asked next, once the patient is found."""
        if self.patient is not None:
            yield from second_looks(self.plan, self.patient, self.at.means)

    def send(self, pause: Callable[[float], None]) -> Outcome | ServerError | None:
        try:
            return self.delivery.send(again=self.foreseen.forget, pause=pause)
        except ServerError as error:
            return error

    def patient_plans(self) -> list[Look]:
        look = self.delivery.patient_plans()
        return [] if look is None else [look]

    def finish(self) -> Outcome | ServerError:
        try:
            return self.delivery.finish()
        except ServerError as error:
            return error


def look_ahead(plans: Sequence[SyncPlan], at: Place, ways: Ways) -> list[_Member]:
    """Return the plans of a group, each with what will be asked of it."""
    members = _members(plans, at, ways)
    _ask(members, _Member.second, at, ways)
    return members


def _members(plans: Sequence[SyncPlan], at: Place, ways: Ways) -> list[_Member]:
    """Return the plans of a group, each with its patient on the server."""
    members = [_Member(plan, at, ways) for plan in plans]
    _ask(members, _Member.first, at, ways)
    for _ in ways.asks.map(_Member.find_patient, members):
        pass
    return members


def deliver_group(
    plans: Sequence[SyncPlan], at: Place, ways: Ways, *, is_silent: Callable[[], bool]
) -> Iterator[tuple[SyncPlan, Outcome]]:
    """Bring plans of different patients to a server, and yield each with its row when it is done.

    Args:
        plans: the plans.
        at: the server.
        ways: how.
        is_silent: tells whether the server is not to be asked any more.
    """
    now: list[_Member] = []
    later: list[_Member] = []
    try:
        with ways.one_group:
            for member in _members(plans, at, ways):
                free = member.patient is None or ways.turns.take(member.patient)
                (now if free else later).append(member)
            _ask(now, _Member.second, at, ways)
            rows = ways.sends.map(lambda member: member.send(ways.pause), now)
        yield from _together(now, rows, at, ways, is_silent)
    finally:
        ways.turns.give_back(each.patient for each in now if each.patient is not None)
    for member in later:
        with ways.turns.wait_for(str(member.patient)):
            row = _persist(member, None, ways, is_silent)
        yield member.plan, row


def _together(
    members: Sequence[_Member],
    rows: Iterable[Outcome | ServerError | None],
    at: Place,
    ways: Ways,
    is_silent: Callable[[], bool],
) -> Iterator[tuple[SyncPlan, Outcome]]:
    """Read back together what is being sent, and yield each plan with its row."""
    failed: list[tuple[_Member, ServerError]] = []
    sent: list[_Member] = []
    for member, row in zip(members, rows, strict=True):
        if isinstance(row, Outcome):
            yield member.plan, row
        elif row is None:
            sent.append(member)
        else:
            failed.append((member, row))
    _look_back(sent, at, ways)
    for member, done in zip(sent, ways.asks.map(_Member.finish, sent), strict=True):
        if isinstance(done, Outcome):
            yield member.plan, done
        else:
            failed.append((member, done))
    trying = {
        ways.retries.submit(_persist, member, error, ways, is_silent): member
        for member, error in failed
    }
    for tried in as_completed(trying):
        yield trying[tried].plan, tried.result()


def _look_back(members: Sequence[_Member], at: Place, ways: Ways) -> None:
    """Ask together what was stored: all plans of the patients, then what these do not show.

    What was not seen yet of the server's lists is to be seen here, where they find something.
    """
    lists = ways.lists
    asked_at = ways.clock()
    _ask(members, _Member.patient_plans, at, ways, anew=True)
    for member in members:
        for look in member.patient_plans():
            found = member.foreseen.found(look)
            if found is not None:
                shown = member.delivery.shown_among(found)
                believed = {
                    k: v for k, v in shown.items() if lists.believes(k.resource_type, k.name)
                }
                member.foreseen.learn(believed, asked_at=asked_at)
    _ask(members, lambda member: member.delivery.back_looks(), at, ways, anew=True)


def _persist(
    member: _Member, error: ServerError | None, ways: Ways, is_silent: Callable[[], bool]
) -> Outcome:
    member.foreseen.forget()
    return persist(
        member.delivery, random=ways.random, failed=error, pause=ways.pause, is_over=is_silent
    )


def _ask(
    members: Sequence[_Member],
    looks: Callable[[_Member], Iterable[Look]],
    at: Place,
    ways: Ways,
    *,
    anew: bool = False,
) -> None:
    """Ask what all members will ask, together; one alone asks by itself.

    Args:
        members: the plans.
        looks: what one will ask.
        at: the server.
        ways: how.
        anew: it was sent a moment ago: what is not found yet is read alone.
    """
    if len(members) < 2 or at.means.profile.search_needs_patient:  # noqa: PLR2004 - more than one
        return
    asked_at = ways.clock()

    def unknown(member: _Member) -> list[Look]:
        return [look for look in looks(member) if not member.foreseen.holds(look)]

    wanted = ways.asks.map(unknown, members)
    own = list(zip(members, wanted, strict=True))
    every = [look for _, each in own for look in each]
    on_trial = len(members) <= TRIAL and not anew
    found = look_together(at.server, every, ways.lists, each=ways.asks.map, on_trial=on_trial)
    all_there = ways.lists.holds_ids() and not anew
    for member, each in own:
        answers = {look: found[look] for look in each if look in found}
        member.foreseen.learn(answers, asked_at=asked_at, all_there=all_there)
