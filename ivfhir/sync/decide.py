"""What is to be done with one plan on one server, and the transaction that does it.

Deciding only reads. The same decision is told in advance by a dry run, and carried out by
`ivfhir.sync.deliver`.
"""

from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from ivfhir.errors import ForbiddenError, InputError, NotFoundError, RejectedError
from ivfhir.fhir.references import reference_of, renamed_references
from ivfhir.fhir.types import CARE_PLAN, Resource
from ivfhir.sync.decision import (
    CONFLICT,
    CREATED,
    REFUSED,
    SUPERSEDED,
    UNCHANGED,
    UPDATED,
    Decision,
    Place,
    known_as,
)
from ivfhir.sync.documents import absent, decide_document, doubled
from ivfhir.sync.door import Door
from ivfhir.sync.download import decide_download
from ivfhir.sync.ladder import Means, Rung, lost_on
from ivfhir.sync.ledger import DONE, SentPart
from ivfhir.sync.looks import identity_look
from ivfhir.sync.mapping import find_patient, map_references
from ivfhir.sync.parcel import to_parcel, transaction
from ivfhir.sync.plans import (
    SyncPlan,
    about_another,
    plan_id_of,
    protocols_of,
    reached_inside,
    tokens_of,
    written_references,
)
from ivfhir.sync.supersede import OPEN, find_open, judge_rivals, open_among, plans_of
from ivfhir.sync.three_way import Standing, as_last_sent, as_sent, merged, three_ways, weigh
from ivfhir.writing.bundle import (
    created_entries,
    identifier_query,
    part_value,
    revocation,
    value_of,
)
from ivfhir.writing.earlier import read_plan_parts
from ivfhir.writing.ending import END_STATUS, status_name, status_of
from ivfhir.writing.read_back import (
    age_of,
    bare,
    find_parts,
    is_withdrawn,
    read_parts,
    read_references,
    references_in,
)
from ivfhir.writing.withdraw import is_incomplete, withdraw_copies

_WRONG = "entered-in-error"
_DRAFTS = frozenset({"draft", "proposed"})
_BEGUN = frozenset({"active", "accepted", "in-progress", "ready", "received", "requested"})
_UNDER_WAY = _DRAFTS | _BEGUN | {"on-hold"}
_AT_ONCE = 20
"""Identifiers in one search: addresses stay short enough for every server."""
_NOBODY = "the server lets nobody change it"
_OVER = frozenset({"cancelled", "completed", "failed", "rejected", "revoked", "stopped", _WRONG})


def decide(
    plan: SyncPlan,
    at: Place,
    *,
    coming: Iterable[Resource] = (),
    gone: Iterable[str] = (),
    lower: bool = False,
) -> Decision:
    """Return what is to be done with a plan on a server.

    Args:
        plan: the plan.
        at: the server.
        coming: open plans of the patient that would be there by now, were this not a dry run.
        gone: references of plans that would have ended by now.
        lower: the server refused the way that was tried first.

    Raises:
        ServerError: the server could not be asked.
    """
    if plan.refusal:
        return Decision(REFUSED, reason=plan.refusal)
    try:
        patient = place_patient(plan, at)
        return _decide_for(patient, plan, at, coming=[*coming], gone=set(gone), lower=lower)
    except InputError as error:
        return Decision(REFUSED, reason=error.message)


def _decide_for(
    patient: str,
    plan: SyncPlan,
    at: Place,
    *,
    coming: list[Resource],
    gone: set[str],
    lower: bool,
) -> Decision:
    rung = at.means.rung(plan.types, lower=lower)
    door = Door(at.server, at.means, patient=patient, rung=rung)
    standing, withdrawn = _look(door, plan, at)
    known = {str(value_of(each)) for each in standing if _is_it(each, plan) and value_of(each)}
    own = known.pop() if len(known) == 1 else plan.plan_id
    if own != plan.plan_id:  # Its identifiers came in another order.
        plan = replace(plan, plan_id=own)
    if standing:
        if not rung.has_care_plan:  # It was created when the server still let somebody.
            door = Door(at.server, at.means, patient=patient, rung=Rung.SINGLES)
        return replace(_Existing(plan, at, door, patient).decide(standing), plan_id=own)
    if rung is Rung.DOWNLOAD:
        return decide_download(plan, at, door, patient)
    if rung is Rung.DOCUMENT:
        return decide_document(plan, at, door, patient, coming=coming, gone=gone)
    return absent(plan, at, withdrawn, CARE_PLAN) or _create(
        plan, at, door, patient=patient, coming=coming, gone=gone
    )


def place_patient(plan: SyncPlan, at: Place) -> str:
    """Return the server's reference of a plan's patient, and remember it for the run.

    Raises:
        InputError: none or several can be meant, or a part is about another one.
        ServerError: the server could not be asked.
    """
    patient = at.patients.get(plan.patient_key)
    if patient is None:
        patient = find_patient(Door(at.server, at.means), plan, address=at.address)
        at.patients[plan.patient_key] = patient
    why = about_another(plan, f"{at.address}{patient}")
    if why:
        raise InputError(why)
    return patient


def _look(door: Door, plan: SyncPlan, at: Place) -> tuple[list[Resource], list[Resource]]:
    """Return the server's CarePlans of this plan: those that stand, those withdrawn.

    The oldest is first; a plan that we wrote carries our identifier, another one its own alone.
    """
    try:
        every = door.search(CARE_PLAN, identity_look(plan).params)
    except (ForbiddenError, NotFoundError, RejectedError) as error:
        has_them = at.means.profile.care_plan and at.means.may_search(CARE_PLAN)
        if door.rung.has_care_plan or (has_them and not isinstance(error, NotFoundError)):
            raise
        every = []  # A server without CarePlans has none of them.
    found = [each for each in every if _is_it(each, plan)] or [
        each for each in every if _may_be_it(each, plan)
    ]
    if not found:  # A search may be late, or old.
        found = _where_it_was(door, plan, at)
    found.sort(key=age_of)
    withdrawn = [each for each in found if is_withdrawn(each) and not is_incomplete(each)]
    return [each for each in found if not is_withdrawn(each)], withdrawn


def _where_it_was(door: Door, plan: SyncPlan, at: Place) -> list[Resource]:
    """Return the CarePlan that the ledger knows the place of, as it is there now."""
    _, parts = known_as(CARE_PLAN, plan.plan_id, at)
    place = parts[plan.plan_id].reference if plan.plan_id in parts else ""
    if not place.startswith(f"{CARE_PLAN}/"):
        return []
    found = read_references(door, [place], strict=True)
    return [each for each in found if value_of(each) == plan.plan_id]


def _is_it(theirs: Resource, plan: SyncPlan) -> bool:
    """Tell whether a server's CarePlan is this plan: the first identifier of one is in the other.

    One that was sent is known by the value that it got from its own first identifier, also where
    the same identifiers come in another order. That of an episode, which several plans share, makes
    them one only where nothing else tells them apart.
    """
    value, there = value_of(theirs), tokens_of(theirs)
    if value == plan.plan_id:
        return True
    if value is not None:
        own = set(map(plan_id_of, plan.tokens))
        return value in own and set(there) == set(plan.tokens)
    return bool(there and plan.tokens) and (plan.tokens[0] in there or there[0] in plan.tokens)


def _may_be_it(theirs: Resource, plan: SyncPlan) -> bool:
    """Tell whether it cannot be told that a server's CarePlan is another plan."""
    value, there = value_of(theirs), set(tokens_of(theirs))
    own = set(map(plan_id_of, plan.tokens))
    return value in own or (value is None and bool(there & set(plan.tokens)))


def _create(
    plan: SyncPlan,
    at: Place,
    door: Door,
    *,
    patient: str,
    coming: list[Resource],
    gone: set[str],
) -> Decision:
    rung = door.rung
    found = find_open(door, plan.care_plan, patient)
    there = [each for each in found if reference_of(each) not in gone]
    rivals = judge_rivals(plan.care_plan, [*there, *coming])
    if rivals.refusal:
        return Decision(REFUSED, reason=rivals.refusal, patient=patient)
    older = [each for each in rivals.older if each in there]
    if rivals.older and not at.means.may_update():
        return Decision(
            REFUSED,
            reason="The server has an older open plan of this protocol and lets nobody change it; "
            "end it in the EHR first.",
        )
    mapped = map_references(door, plan, patient, address=at.address)
    revoke = [*older]
    kept = {
        key for each in (mapped.care_plan, *mapped.parts.values()) for key in references_in(each)
    }
    left: list[Mapping[str, Any]] = []
    for each in older:
        ending = _ending_with(each, door, at.means, kept=kept, older=older)
        revoke += ending.parts
        left += ending.left
    parcel = to_parcel(
        plan,
        mapped,
        rung=rung,
        conditional=at.means.conditional,
        replaces=[reference_of(each) for each in older],
        revoke=revoke,
    )
    tried = at.ledger.plan(at.name, plan.plan_id) is not None
    if tried and rung is Rung.TRANSACTION:  # One that wrote one by one may have left parts.
        parcel = _created_anew(parcel, _left_over(parcel, door))
    losses: list[Mapping[str, Any]] = [{"text": each} for each in lost_on(rung, plan.types)]
    losses += [{"reference": key, "text": why} for key, why in mapped.losses.items()]
    losses += left
    return Decision(
        SUPERSEDED if rivals.older else CREATED,
        tuple(reference_of(each) for each in older),
        tuple(losses),
        bundle=parcel,
        parcel=parcel,
        patient=patient,
        door=door,
    )


def _left_over(parcel: Resource, door: Door) -> frozenset[str]:
    """Return the parts, by identifier value, of which the server has nothing but what is over."""
    queries: dict[tuple[str, str], list[str]] = {}
    for entry in created_entries(parcel)[1:]:
        part = entry["resource"]
        kind = part["resourceType"]
        ((name, token),) = identifier_query(kind, str(value_of(part))).items()
        if kind in END_STATUS:
            queries.setdefault((kind, name), []).append(token)
    open_ones, over = set[str](), set[str]()
    for (kind, name), tokens in queries.items():
        for start in range(0, len(tokens), _AT_ONCE):
            try:
                found = door.search(kind, {name: ",".join(tokens[start : start + _AT_ONCE])})
            except (ForbiddenError, NotFoundError, RejectedError):
                break  # What cannot be looked for is not created on condition either.
            for each in found:
                (over if status_of(each) in _OVER else open_ones).add(str(value_of(each)))
    return frozenset(over - open_ones)


class _Ending(NamedTuple):
    """What becomes of an older plan's parts.

    Attributes:
        parts: what ends with it.
        left: what is told of those that stay open, an object each.
    """

    parts: list[Resource]
    left: list[Mapping[str, Any]]


def _ending_with(
    ending: Resource,
    door: Door,
    means: Means,
    *,
    kept: Container[str],
    older: Collection[Resource],
) -> _Ending:
    """Return what ends with an older plan: its parts that are as they were written.

    Args:
        ending: the plan.
        door: how the server is asked.
        means: what may be changed there.
        kept: what the newer plan refers to, too: an order of the input's own number stays.
        older: all plans that end; what any other open one has stays, too.
    """
    parts = read_plan_parts(door, ending, may=lambda kind, _: means.may_update(kind), strict=True)
    there = [each for each in parts if each.resource and each.reference not in kept]
    why = _shared(
        [each.resource for each in there if each.resource and not each.stays],
        door,
        means,
        _subject(ending),
        but={*map(reference_of, older)},
    )
    why |= {
        each.reference: each.stays if means.may_update(each.resource_type) else _NOBODY
        for each in there
        if each.stays
    }
    return _Ending(
        [each.resource for each in there if each.resource and each.reference not in why],
        [
            {
                "reference": each.reference,
                "text": f"It stays {each.status}: {why[each.reference]}.",
            }
            for each in there
            if each.reference in why and each.status in _UNDER_WAY
        ],
    )


def _shared(
    parts: Iterable[Resource], door: Door, means: Means, patient: str, *, but: Container[str]
) -> dict[str, str]:
    """Return which parts of an identifier of their own another open plan of the patient has, too.

    Args:
        parts: the parts, as read.
        door: how the server is asked.
        means: what may be changed there.
        patient: the patient there.
        but: references of the plans that do not count.

    Returns:
        Reference of the part -> a clause that names the plan.
    """
    numbered = {reference_of(each) for each in parts if tokens_of(each)}
    shared: dict[str, str] = {}
    for each in plans_of(door, patient) if numbered else ():
        if each.get("status") not in OPEN or reference_of(each) in but:
            continue
        held = read_plan_parts(door, each, may=lambda kind, _: means.may_update(kind), strict=True)
        for part in held:
            if part.reference in numbered:
                shared.setdefault(part.reference, f"{reference_of(each)} has it, too")
    return shared


@dataclass
class _Existing:
    """A plan that the server has."""

    plan: SyncPlan
    at: Place
    door: Door
    patient: str
    losses: Mapping[str, str] = field(default_factory=dict)

    def decide(self, standing: list[Resource]) -> Decision:
        """Return what is to be done with it."""
        strange = [each for each in standing if _subject(each) != self.patient]
        if strange:
            return Decision(
                CONFLICT,
                tuple(map(reference_of, strange)),
                reason="The server has this identifier at another patient; mend that first.",
            )
        theirs = standing[0]
        if not _is_it(theirs, self.plan):
            return Decision(
                CONFLICT,
                tuple(map(reference_of, standing)),
                reason="The server has an identifier of this plan at one that may be another; name "
                "the plan's own identifier first in both, or leave out the shared one.",
            )
        references = [
            each["reference"] for each in theirs.get("replaces", ()) if "reference" in each
        ]
        rung = Rung.CONTAINED if _is_whole(theirs, self.plan) else self.door.rung
        if rung is Rung.CONTAINED and _stands_apart(theirs, self.plan):
            rung = Rung.SINGLES  # It keeps its form, where the server now lets no part be created.
        mapped = map_references(self.door, self.plan, self.patient, address=self.at.address)
        self.losses = mapped.losses
        parcel = to_parcel(
            self.plan,
            mapped,
            rung=rung,
            conditional=self.at.means.conditional,
            replaces=[bare(each) for each in references],
        )
        base = Decision(
            UNCHANGED,
            tuple(map(reference_of, standing)),
            parcel=parcel,
            patient=self.patient,
            door=self.door,
        )
        if len(standing) > 1:
            if any(value_of(each) != self.plan.plan_id for each in standing):
                why = f"The server has {len(standing)} plans of this identifier; mend that first."
                return replace(base, result=CONFLICT, reason=why)
            return replace(base, differences=doubled(standing[1:]), bundle=transaction(()))
        return self._compared(base, theirs, parcel)

    def _compared(self, base: Decision, theirs: Resource, parcel: Resource) -> Decision:
        known, sent = known_as(CARE_PLAN, self.plan.plan_id, self.at)
        places = {value: part.reference for value, part in sent.items()}
        if value_of(theirs) != self.plan.plan_id:
            places = {self.plan.plan_id: reference_of(theirs)}
            parcel = transaction(parcel["entry"][:1])
        elif len(places) < len(parcel["entry"]) or places.get(self.plan.plan_id) != reference_of(
            theirs
        ):
            found = find_parts(self.door, parcel)
            places |= {value: reference_of(each[0]) for value, each in found.items() if each}
            seen = {*found, *places}  # What cannot be looked for is not taken for deleted.
            kept = [each for each in parcel["entry"] if value_of(each["resource"]) in seen]
            parcel = transaction(kept)
        stored = read_parts(self.door, places, strict=True)
        stored = {value: each for value, each in stored.items() if not is_withdrawn(each)}
        stored[self.plan.plan_id] = theirs
        names = {
            entry["fullUrl"]: reference_of(stored[str(value_of(entry["resource"]))])
            for entry in created_entries(parcel)
            if value_of(entry["resource"]) in stored
        }
        ours: dict[str, Resource] = {
            str(value_of(entry["resource"])): renamed_references(entry["resource"], names)
            for entry in created_entries(parcel)
        }
        base = replace(
            base,
            places={value: reference_of(each) for value, each in stored.items()},
            before=tuple(stored.values()),
        )
        last = {value: as_last_sent(part, stored.get(value)) for value, part in sent.items()}
        is_sent = known is not None and known.digest == self.plan.digest and ours.keys() <= {*sent}
        is_sent = is_sent and last == sent
        sent = last
        unread = known is not None and known.state != DONE and not sent
        dropped = {} if sent else self._dropped(theirs, ours)
        stored |= dropped
        # What went whole in one transaction has its references from the first version on.
        is_cut = unread and (self.door.rung is Rung.SINGLES or self._lacks_parts(stored))
        standings = {}
        for value in dict.fromkeys((*ours, *sent, *dropped)):
            part = sent.get(value)
            now = part.sent if is_sent and part is not None else ours.get(value)
            standings[value] = weigh(now, part, stored.get(value), unread=is_cut)
        replaced = self._replaced_by(theirs, ours[self.plan.plan_id])
        if replaced:
            return self._after_replacement(base, replaced, ours, sent, stored)
        if not sent and not unread:
            lost = Standing.NEW in standings.values() and self._has_lost_parts(stored)
            standings = _gone_where_never_new(standings, lost=lost)
        standings, anew = self._without_withdrawn(standings, ours)
        bad = {Standing.THEIRS, Standing.BOTH, Standing.GONE}
        touched = [value for value, each in standings.items() if each in bad]
        if touched:
            lines = [
                line
                for value in touched
                for line in (
                    three_ways(ours.get(value), sent.get(value), stored.get(value))
                    if value in stored or value in sent
                    else [{"text": f"{value} was deleted or marked as entered in error there."}]
                )
            ]
            return replace(
                base,
                result=CONFLICT,
                differences=tuple(lines),
                reason="The server's plan was edited since it was sent, or not by sync; nothing is "
                "overwritten.",
            )
        parcel = _created_anew(parcel, anew)
        entries, stays = self._changes(standings, ours, sent, stored, parcel)
        base = replace(base, differences=stays)
        if not entries:
            return self._unfinished(base, theirs, is_done=known is not None and known.state == DONE)
        return self._update(base, entries, stored)

    def _without_withdrawn(
        self, standings: Mapping[str, Standing], ours: Mapping[str, Resource]
    ) -> tuple[dict[str, Standing], frozenset[str]]:
        """Return standings where what somebody withdrew counts as gone, and what is created anew.

        The latter is what was dropped from the plan, and ended, and comes again.
        """
        told, anew = dict(standings), set()
        for value, standing in standings.items():
            if standing is not Standing.NEW or value not in ours:
                continue
            found = self.door.carrying(ours[value])
            if any(is_withdrawn(each) and not is_incomplete(each) for each in found):
                told[value] = Standing.GONE
            elif found and all(status_of(each) in _OVER for each in found):
                anew.add(value)
        return told, frozenset(anew)

    def _dropped(self, theirs: Resource, ours: Mapping[str, Resource]) -> dict[str, Resource]:
        """Return the parts, by identifier value, that the server's plan has and the input does not.

        Without the ledger the identifiers tell which were sent as parts of this plan; of what the
        server lets nobody read it cannot be told.
        """
        parts = read_plan_parts(
            self.door, theirs, may=lambda kind, letter: True, strict=True, may_refuse=True
        )
        found = {str(value_of(each.resource)): each.resource for each in parts if each.resource}
        own = f"{self.plan.plan_id}."
        return {
            value: each
            for value, each in found.items()
            if value.startswith(own) and value not in ours and not is_withdrawn(each)
        }

    def _has_lost_parts(self, stored: Mapping[str, Resource]) -> bool:
        """Tell whether the server's plan names a part that was deleted or entered in error.

        Raises:
            ServerError: it cannot be told, since the server lets nobody read such a part.
        """
        named = {each for part in stored.values() for each in references_in(part)}
        named -= {reference_of(each) for each in stored.values()}
        types = self.plan.types - {CARE_PLAN}
        wanted = {each for each in named if each.partition("/")[0] in types}
        found = read_references(self.door, sorted(wanted), strict=True)
        return bool(wanted - {reference_of(each) for each in found if not is_withdrawn(each)})

    def _lacks_parts(self, stored: Mapping[str, Resource]) -> bool:
        """Tell as `_has_lost_parts`; no, so that nothing is changed, where nobody may read one."""
        try:
            return self._has_lost_parts(stored)
        except (ForbiddenError, RejectedError):
            return False

    def _update(
        self, base: Decision, entries: list[dict[str, Any]], stored: Mapping[str, Resource]
    ) -> Decision:
        before = {reference_of(each): each for each in stored.values()}
        changed = [each["resource"] for each in entries if each["request"]["method"] == "PUT"]
        for each in changed:
            for name, was, now in _states(before[reference_of(each)], each):
                if _is_activated(was, now) and now != END_STATUS.get(name.partition("/")[0]):
                    known = "a draft" if was in _DRAFTS else was
                    why = (
                        f"{name} is {known} on the server, and the input says {now}; sync "
                        "activates nothing. Accept it in the EHR."
                    )
                    return replace(base, result=REFUSED, reason=why)
        rival = self._new_rival(before, changed)
        if rival:
            why = (
                f"{rival} is an open plan of a protocol that the changed input names; end it in "
                "the EHR, or give the changed plan an identifier of its own."
            )
            return replace(base, result=REFUSED, reason=why)
        if any(not self.at.means.may_update(each["resourceType"]) for each in changed):
            return replace(
                base,
                result=REFUSED,
                reason="The server lets nobody change what it has of this plan.",
            )
        return replace(
            base,
            result=UPDATED,
            differences=(*self._lost_in(entries), *base.differences),
            bundle=transaction(entries),
        )

    def _lost_in(self, entries: list[dict[str, Any]]) -> tuple[dict[str, str], ...]:
        """Return the references of the input that became words in what is sent."""
        values = {str(value_of(each["resource"])) for each in entries}
        plan = self.plan
        sent = [
            each
            for key, each in [("", plan.care_plan), *plan.parts.items()]
            if part_value(plan.plan_id, key or None) in values
        ]
        sent += [each for own in sent for each in reached_inside(own, plan.embedded).values()]
        written = {each for own in sent for each in written_references(own)}
        return tuple(
            {"reference": key, "text": why} for key, why in self.losses.items() if key in written
        )

    def _new_rival(self, before: Mapping[str, Resource], changed: list[Resource]) -> str:
        """Return an open plan of a protocol that the plan is to follow from now on; '' for none."""
        for plan in changed:
            was = before[reference_of(plan)]
            added = protocols_of(plan) - protocols_of(was)
            if plan["resourceType"] != CARE_PLAN or not added or plan.get("status") not in OPEN:
                continue
            found = find_open(self.door, plan, self.patient)
            others = [each for each in found if reference_of(each) != reference_of(plan)]
            return next((reference_of(each) for each in others if added & protocols_of(each)), "")
        return ""

    def _changes(
        self,
        standings: Mapping[str, Standing],
        ours: Mapping[str, Resource],
        sent: Mapping[str, SentPart],
        stored: Mapping[str, Resource],
        parcel: Resource,
    ) -> tuple[list[dict[str, Any]], tuple[Mapping[str, Any], ...]]:
        """Return the entries that bring the server to what the input says, and what stays open."""
        by_value = {str(value_of(each["resource"])): each for each in created_entries(parcel)}
        entries: list[dict[str, Any]] = []
        kept: list[Mapping[str, Any]] = []
        dropped = [
            stored[value]
            for value, standing in standings.items()
            if standing is Standing.OURS and value not in ours
        ]
        own = {reference_of(stored[self.plan.plan_id])}
        why_kept = _shared(dropped, self.door, self.at.means, self.patient, but=own)
        why_kept |= {reference_of(each): why for each in dropped if (why := _why_no_end(each))}
        for value, standing in standings.items():
            if standing is Standing.NEW and value in ours:
                entries.append({**by_value[value], "resource": ours[value]})
            elif standing is Standing.OURS and value in ours:
                before = sent[value].sent if value in sent else as_sent(stored[value], ours[value])
                new = merged(stored[value], before, ours[value])
                entries.append(_put(new, by_value[value]["fullUrl"]))
            elif standing is Standing.OURS:
                part = stored[value]
                why_it_stays = why_kept.get(reference_of(part))
                if why_it_stays is None:
                    entries.append(revocation(part))
                elif part["resourceType"] in END_STATUS and status_of(part) in _UNDER_WAY:
                    text = f"The input dropped it, and it stays {status_of(part)}: {why_it_stays}."
                    kept.append({"reference": reference_of(part), "text": text})
        return entries, tuple(kept)

    def _replaced_by(self, theirs: Resource, ours: Resource) -> str:
        """Return the plan that took the place of one that ended; '' when there is none.

        It says so, or it is the open one that stayed when both were sent at the same time.
        """
        if theirs.get("status") == ours.get("status") or theirs.get("status") in OPEN:
            return ""
        mine = reference_of(theirs)
        found = plans_of(self.door, self.patient)
        for each in found:
            if any(bare(str(old.get("reference"))) == mine for old in each.get("replaces", ())):
                return reference_of(each)
        if theirs.get("status") != END_STATUS[CARE_PLAN]:
            return ""  # Nothing that takes a plan's place gives it that.
        return next(map(reference_of, open_among(found, theirs)), "")

    def _after_replacement(
        self,
        base: Decision,
        replaced: str,
        ours: Mapping[str, Resource],
        sent: Mapping[str, SentPart],
        stored: Mapping[str, Resource],
    ) -> Decision:
        """Return that a plan which another replaced stays as it ended."""
        changed = []
        for value, mine in ours.items():
            there = stored.get(value)
            if there is None:
                continue
            name = status_name(there["resourceType"])
            part = sent.get(value)
            if part is not None and part.sent.get(name) != mine.get(name) != there.get(name):
                changed.append(value)
                continue
            before = {**there, name: mine.get(name)} if name in mine else there
            if weigh(mine, sent.get(value), before) in (
                Standing.OURS,
                Standing.BOTH,
            ):
                changed.append(value)
        if changed:
            why = f"{replaced} took its place on the server; a change of it is not sent."
            return replace(base, result=REFUSED, reason=why)
        return replace(base, differences=({"reference": replaced, "text": "It took its place."},))

    def _unfinished(self, base: Decision, theirs: Resource, *, is_done: bool) -> Decision:
        """Return what is left to do of a plan that is there: to end those that it replaces."""
        if is_done or not theirs.get("replaces"):
            return base
        named = [bare(str(each.get("reference"))) for each in theirs["replaces"]]
        found = read_references(self.door, named, strict=True)
        if not self.at.means.may_update():
            return base
        # One that has ended may have left its orders open, where a run broke off.
        states = {*OPEN, END_STATUS[CARE_PLAN]}
        older = [each for each in open_among(found, theirs, states) if _may_take_over(theirs, each)]
        revoke = [each for each in older if each.get("status") in OPEN]
        kept = {key for part in base.before for key in references_in(part)}
        left: list[Mapping[str, Any]] = []
        ends = [theirs, *older]
        for each in older:
            ending = _ending_with(each, self.door, self.at.means, kept=kept, older=ends)
            revoke += ending.parts
            left += ending.left
        if not revoke:
            return base
        return replace(
            base,
            result=SUPERSEDED,
            differences=(*base.differences, *left),
            references=(*base.references, *map(reference_of, older)),
            bundle=transaction([*map(revocation, revoke)]),
        )


def settle_copies(decision: Decision) -> tuple[str, ...]:
    """Withdraw all copies of a plan but the oldest; return those that the server lets nobody mark.

    Raises:
        ServerError: the server could not be searched, or failed to mark them.
    """
    if decision.door is None or decision.parcel is None:
        return ()
    return withdraw_copies(decision.door, decision.parcel, {}, strict=True)[2]


def _gone_where_never_new(standings: Mapping[str, Standing], *, lost: bool) -> dict[str, Standing]:
    """Return standings where, with no ledger, a part that is not there counts as deleted.

    Only a change of what names the parts can have brought a new one, and not where the server's
    plan names one that is no longer there.
    """
    if Standing.OURS in standings.values() and not lost:
        return dict(standings)
    return {
        value: Standing.GONE if each is Standing.NEW else each for value, each in standings.items()
    }


def _created_anew(parcel: Resource, values: Container[str]) -> Resource:
    """Return a transaction that creates some parts whatever is over of the same identifier."""
    entries = []
    for entry in parcel["entry"]:
        request = entry["request"]
        if str(value_of(entry["resource"])) in values and request["method"] == "POST":
            kept = {name: value for name, value in request.items() if name != "ifNoneExist"}
            entry = {**entry, "request": kept}  # noqa: PLW2901 - the same entry, its condition left out
        entries.append(entry)
    return {**parcel, "entry": entries}


def _is_whole(theirs: Resource, plan: SyncPlan) -> bool:
    """Tell whether the server has the plan as one CarePlan with its parts contained."""
    inside = {each.get("id") for each in theirs.get("contained", ())}
    return bool(inside & set(plan.parts))


def _why_no_end(part: Resource) -> str:
    """Return why a part that the input dropped cannot end, a clause; '' when it may."""
    if part["resourceType"] not in END_STATUS:
        return "what is of its type is not ended"
    return "" if status_of(part) in _DRAFTS else "sync ends drafts alone"


def _states(before: Resource, after: Resource) -> Iterator[tuple[str, str, str]]:
    """Yield name, status before and after of a resource, and of what it contains in both."""
    yield reference_of(after), status_of(before), status_of(after)
    inside = {str(each.get("id")): each for each in before.get("contained", ())}
    for each in after.get("contained", ()):
        was = inside.get(str(each.get("id")))
        if was is not None and was["resourceType"] == each["resourceType"]:
            yield f"{each['resourceType']}/#{each['id']}", status_of(was), status_of(each)


def _stands_apart(theirs: Resource, plan: SyncPlan) -> bool:
    """Tell whether the server has the plan's parts as resources of their own."""
    named = {each.partition("/")[0] for each in references_in(theirs)}
    return bool((named & plan.types & END_STATUS.keys()) - {CARE_PLAN})


def _is_activated(was: str, now: str) -> bool:
    """Tell whether a status is one that only somebody in the EHR gives: begun, or open again."""
    if now in (was, _WRONG):
        return False
    accepted = was in _DRAFTS and now not in _DRAFTS
    return accepted or now in _BEGUN or (was in _OVER and now not in _OVER)


def _may_take_over(plan: Resource, older: Resource) -> bool:
    """Tell whether an older plan, if it is open, may end for the one that says to replace it.

    What an input of others says to replace was not judged when the plan was created.
    """
    if older.get("status") not in OPEN:
        return True
    return plan.get("status") in OPEN and not judge_rivals(plan, [older]).refusal


def _put(resource: Resource, full_url: str) -> dict[str, Any]:
    request = {"method": "PUT", "url": reference_of(resource)}
    version = resource.get("meta", {}).get("versionId")
    if version:
        request["ifMatch"] = f'W/"{version}"'
    return {"fullUrl": full_url, "resource": resource, "request": request}


def _subject(resource: Resource) -> str:
    return bare(str(resource.get("subject", {}).get("reference", "")))
