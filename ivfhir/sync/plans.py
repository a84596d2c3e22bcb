"""CarePlans of files, Bundles and folders, each taken apart into the plan and its own parts.

A part is what a plan is made of (its RequestGroup, requests, goals, teams, medications and
Provenance), whether it is contained or stands beside the plan. What the plan only points to
(patient, conditions, practitioners) is no part: it is looked for on the server.
"""

import hashlib
import json
import operator
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from ivfhir.errors import InputError
from ivfhir.fhir.bundles import Entry, last_updated
from ivfhir.fhir.common_elements import has_common_shape
from ivfhir.fhir.nulls import drop_nulls
from ivfhir.fhir.references import Literal, absolute_reference, key_of, parse_literal, subject_of
from ivfhir.fhir.types import CARE_PLAN, GOAL, PATIENT, PROVENANCE, REQUEST_GROUP, Resource
from ivfhir.plan_document import OUR_DEFINITIONS
from ivfhir.servers.folder import read_entries
from ivfhir.shape import check_shape
from ivfhir.sync.created import created_key
from ivfhir.writing.bundle import PLAN_SYSTEM, value_of
from ivfhir.writing.content import plain

PART_TYPES = frozenset(
    {
        REQUEST_GROUP,
        GOAL,
        PROVENANCE,
        "CareTeam",
        "CommunicationRequest",
        "DeviceRequest",
        "Medication",
        "MedicationRequest",
        "NutritionOrder",
        "ServiceRequest",
        "Task",
        "VisionPrescription",
    }
)
"""Types that are sent with a plan; all but Provenance have an identifier."""

_GIVE = "give CarePlans: a Bundle, an NDJSON file, or a folder of them."
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_NAMESPACE = uuid.UUID("0c8fd4a1-43a3-5f0e-8f0c-5d6b2a9e7c11")
_NOT_CONTENT = frozenset({"id", "meta", "text", "contained"})


class Token(NamedTuple):
    """An Identifier: system ('' where it has none) and value."""

    system: str
    value: str

    def __str__(self) -> str:
        """Return it as a search writes it."""
        return f"{self.system}|{self.value}"


@dataclass(frozen=True)
class SyncPlan:
    """One plan of the input.

    Attributes:
        name: its identifier as `system|value`; where it stands, when it has none.
        care_plan: the CarePlan without id; its own parts are referred to as `#key`.
        parts: key -> resource without id, referring to the plan as `#`, to other parts as `#key`.
        embedded: contained resources that are no parts, by id; they stay contained. What a part
            that stands beside the plan contains is among them, under an id that no other has.
        others: reference as written -> the input's resource, which is no part.
        tokens: the identifiers that it came with.
        plan_id: what its own identifier and those of its parts are made from.
        digest: SHA-256 of all of it, ids, meta and narratives left out.
        refusal: why it cannot be sent, a sentence; '' when it can.
        signs_more: Provenance as the input names it -> how many of its targets are left out, since
            they are of the input and not of this plan.
        addresses: key of a part, '' for the plan -> the `fullUrl` of the entry that it stood in,
            where it has one.
    """

    name: str
    care_plan: Resource
    parts: Mapping[str, Resource]
    embedded: Mapping[str, Resource]
    others: Mapping[str, Resource]
    tokens: tuple[Token, ...]
    plan_id: str
    digest: str
    refusal: str = ""
    signs_more: Mapping[str, int] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)

    @property
    def types(self) -> frozenset[str]:
        """The types of the plan and its parts."""
        return frozenset({CARE_PLAN, *(part["resourceType"] for part in self.parts.values())})

    @cached_property
    def outward(self) -> tuple[str, ...]:
        """Each reference to what is no part of it, as written, once."""
        shelves = (self.care_plan, *self.parts.values(), *self.embedded.values())
        written = (each for shelf in shelves for each in written_references(shelf))
        return tuple(dict.fromkeys(each for each in written if not each.startswith("#")))

    @property
    def whole(self) -> Resource:
        """The plan as it came, as one CarePlan that contains its parts."""
        inside = [{**each, "id": key} for key, each in self.parts.items()]
        contained = [*inside, *self.embedded.values()]
        return {**self.care_plan, "contained": contained} if contained else self.care_plan

    @property
    def patient_key(self) -> tuple[str, ...]:
        """All that the input says about who the patient is."""
        subject = self.care_plan.get("subject", {})
        written = str(subject.get("reference", ""))
        ours = self.others.get(written, {})
        tokens = sorted(map(str, {*tokens_of(ours), *tokens_of(subject)}))
        bases = " ".join(sorted(self.patient_bases))
        return (written, bases, str(ours.get("birthDate", "")), *tokens)

    @property
    def patient_tokens(self) -> set[Token]:
        """The identifiers of the patient, those without a system left out."""
        subject = self.care_plan["subject"]
        return _tokens_with_system(_person(self, str(subject.get("reference", ""))), subject)

    @property
    def patient_references(self) -> frozenset[str]:
        """Each reference, as written, that is the subject of the plan or of a part, a patient."""
        subjects = (subject_of(each) for each in (self.care_plan, *self.parts.values()))
        patients = [each for each in subjects if each and _means_patient(self, each)]
        return frozenset(str(each["reference"]) for each in patients if "reference" in each)

    @property
    def base(self) -> str:
        """The address of the server that the plan is of in the input; '' where nobody says."""
        own = parse_literal(self.addresses.get("", ""))
        return "" if own is None else own.base

    @property
    def patient_bases(self) -> frozenset[str]:
        """The address of each server by whose id the plan or a part says whom it is about.

        A relative reference is of the address that its holder has in the input.
        """
        subjects = {
            key: subject_of(each) for key, each in {**self.parts, "": self.care_plan}.items()
        }
        literals = [
            parse_literal(self.absolute(each, key))
            for key, each in subjects.items()
            if each and _means_patient(self, each)
        ]
        return frozenset(each.base for each in literals if each is not None and each.base)

    def absolute(self, reference: Resource, key: str) -> str:
        """Return what a Reference of a part, '' for the plan, says, completed by its address."""
        return absolute_reference(str(reference.get("reference", "")), self.addresses.get(key))

    @property
    def patient(self) -> str:
        """The patient as the input names them: what keeps the order of a patient's plans."""
        subject = self.care_plan.get("subject", {})
        written = str(subject.get("reference", ""))
        known = tokens_of(self.others.get(written, {})) or tokens_of(subject)
        return str(known[0]) if known else written


def read_plans(paths: Sequence[Path]) -> tuple[list[SyncPlan], tuple[str, ...]]:
    """Return the plans below the paths, the earlier `created` first, and notes on the input.

    Raises:
        InputError: something cannot be read or is not FHIR, or there is no CarePlan.
    """
    found = [read_entries(path, give=_GIVE) for path in paths]
    entries = [entry for each, _ in found for entry in each]
    notes = tuple(note for _, each in found for note in each)
    for each in entries:
        drop_nulls(each.resource)
    unsound = {id(each.resource): why for each in entries if (why := _why_unsound(each.resource))}
    shelf = _Shelf([each for each in entries if id(each.resource) not in unsound])
    plans = [
        _refused(entry.resource, _place(entry.resource, number), unsound[id(entry.resource)])
        if id(entry.resource) in unsound
        else _plan(entry, shelf, place=_place(entry.resource, number))
        for number, entry in enumerate(
            (each for each in entries if each.resource["resourceType"] == CARE_PLAN), 1
        )
    ]
    if not plans:
        raise InputError(
            "The input holds no CarePlan; give what `ivfhir apply` printed, or FHIR JSON with a "
            "CarePlan in it."
        )
    others = [each for each in entries if each.resource["resourceType"] != CARE_PLAN]
    notes += tuple(
        f"Left out: {unsound[id(each.resource)]}" for each in others if id(each.resource) in unsound
    )
    notes += tuple(_left_behind(shelf))
    single = _single(plans)
    return sorted(single, key=lambda plan: (created_key(plan.care_plan), plan.name)), notes


def _left_behind(shelf: "_Shelf") -> Iterator[str]:
    """Yield a note for each order that says which plan it belongs to, and no plan names it."""
    for entry in shelf.entries:
        order = entry.resource
        if order["resourceType"] not in PART_TYPES or id(order) in shelf.taken:
            continue
        if shelf.is_outdated(entry):
            continue
        named = (str(each.get("reference", "")) for each in order.get("basedOn", ()))
        found = (shelf.find(each, entry) for each in named if each)
        if any(each is not None and each.resource["resourceType"] == CARE_PLAN for each in found):
            yield (
                f"Left out: {order['resourceType']}/{order.get('id', '')} is based on a plan that "
                "does not name it; name it in the plan's activity."
            )


def _why_unsound(resource: Resource) -> str:
    """Return why a resource cannot be gone through, a sentence; '' when it can."""
    if not has_common_shape(resource):
        return (
            f"A {resource['resourceType']} has an id, meta, identifier, text or contained resource "
            "of another shape than FHIR R4 has; export it again."
        )
    if resource["resourceType"] not in PART_TYPES | {CARE_PLAN}:
        return ""  # Nothing but its identifiers is asked for.
    try:
        for each in (resource, *resource.get("contained", ())):
            if not isinstance(each.get("identifier", []), list):
                kind = each.get("resourceType")
                return f"{kind} has an object as {kind}.identifier where FHIR R4 has a list."
            if not isinstance(each.get("resourceType"), str):
                return "A contained resource has no resourceType; export it again."
            check_shape(each)
    except InputError as error:
        return error.message
    return ""


def _refused(plan: Resource, place: str, why: str) -> SyncPlan:
    """Return a plan that cannot be gone through, by its place alone."""
    text = json.dumps(plain(plan), sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return SyncPlan(place, {"resourceType": CARE_PLAN}, {}, {}, {}, (), "", digest, why)


def _place(plan: Resource, number: int) -> str:
    """Return what a plan without identifier is called: its id, or the how manieth it is."""
    return f"CarePlan/{plan['id']}" if isinstance(plan.get("id"), str) else f"CarePlan {number}"


def tokens_of(resource: Resource) -> tuple[Token, ...]:
    """Return the identifiers of a resource, ours of plans left out."""
    identifiers = resource.get("identifier", ())
    return tuple(
        Token(str(each.get("system", "")), each["value"])
        for each in (identifiers if isinstance(identifiers, list) else [identifiers])
        if isinstance(each, dict)
        and isinstance(each.get("value"), str)
        and each["value"].strip()
        and each.get("system") != PLAN_SYSTEM
    )


def plan_id_of(token: Token) -> str:
    """Return the identifier value that a plan gets on every server by its first identifier."""
    return str(uuid.uuid5(_NAMESPACE, str(token)))


def search_token(token: Token) -> str:
    """Return an identifier as a search writes it, its special characters escaped."""
    system, value = (
        "".join(f"\\{char}" if char in "\\,|$" else char for char in text) for text in token
    )
    return f"{system}|{value}" if system else value


def protocols_of(care_plan: Resource) -> frozenset[str]:
    """Return the protocols that a plan follows, in whatever version."""
    named = [*care_plan.get("instantiatesCanonical", ()), *care_plan.get("instantiatesUri", ())]
    return frozenset(str(each).partition("|")[0] for each in named)


class _Question(NamedTuple):
    """Which entry a reference means, asked by whoever stands in one place.

    Attributes:
        scope: the Bundle that is looked in first; None where it has nothing of that name.
        base: the address of the server that the reference is of; '' where nobody says.
        reference: as written.
    """

    scope: int | None
    base: str
    reference: str


@dataclass
class _Shelf:
    """The input's resources by what references call them, of each name the newest first."""

    entries: list[Entry]
    by_name: dict[tuple[int, str], list[Entry]] = field(default_factory=dict)
    by_key: dict[str, list[Entry]] = field(default_factory=dict)
    signatures: dict[int, list[Entry]] = field(default_factory=dict)
    taken: set[int] = field(default_factory=set)
    _asked: dict[_Question, list[Entry]] = field(default_factory=dict)
    _doubts: dict[tuple[_Question, bool], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for entry in sorted(self.entries, key=lambda each: _age(each.resource), reverse=True):
            if entry.full_url:
                self.by_name.setdefault((entry.scope, entry.full_url), []).append(entry)
            key = key_of(entry.resource)
            if key is not None:
                if entry.full_url != str(key):
                    self.by_name.setdefault((entry.scope, str(key)), []).append(entry)
                self.by_key.setdefault(str(key), []).append(entry)
        for entry in self.entries:
            if entry.resource["resourceType"] != PROVENANCE or self.is_outdated(entry):
                continue
            for place in dict.fromkeys(map(id, self._targets(entry))):
                self.signatures.setdefault(place, []).append(entry)

    def is_outdated(self, entry: Entry) -> bool:
        """Tell whether the input has a newer copy under the same name, or the same again."""
        name = entry.full_url or str(key_of(entry.resource))
        return self.by_name.get((entry.scope, name), [entry])[0] is not entry

    def signatures_of(self, resource: Resource) -> list[Entry]:
        """Return the Provenances that have a resource of the input among their targets."""
        return self.signatures.get(id(resource), [])

    def _targets(self, provenance: Entry) -> Iterator[Resource]:
        for target in provenance.resource.get("target", ()):
            reference = target.get("reference")
            found = self.find(reference, provenance) if reference else None
            if found is not None:
                yield found.resource

    def find(self, reference: str, holder: Entry) -> Entry | None:
        """Return the newest entry that a reference of that entry means."""
        return next(iter(self._meant(self._question(reference, holder))), None)

    def why_doubtful(self, reference: str, holder: Entry) -> str:
        """Return why it cannot be told which patient is meant, a sentence; '' when it can."""
        question = self._question(reference, holder)
        meant = self._meant(question)
        if not meant or not is_patient(meant[0].resource):
            return ""
        is_alone = not holder.scope
        if (question, is_alone) not in self._doubts:
            people = [
                set(tokens_of(each.resource))
                for each in self._may_mean(question, is_alone=is_alone)
            ]
            known = [each for each in people if each]
            self._doubts[question, is_alone] = (
                ""
                if all(known[0] & each for each in known[1:])
                else f"The input holds {reference} more than once, and these share no identifier: "
                "it cannot be told which patient is meant. Leave the right one alone in the input."
            )
        return self._doubts[question, is_alone]

    def _may_mean(self, question: _Question, *, is_alone: bool) -> Iterator[Entry]:
        """Yield what is meant, and copies of it elsewhere in the input."""
        meant = self._meant(question)
        yield from meant
        literal = parse_literal(question.reference)
        copies = [] if literal is None else self.by_key.get(str(literal.key), [])
        addresses = {each.full_url for each in meant if _base(each)}
        base = "" if literal is None else literal.base
        # What stands outside Bundles may mean what stands in any of them.
        yield from (
            each
            for each in copies
            if each.full_url in addresses or (is_alone and _may_be(base, each))
        )

    def is_elsewhere(self, reference: str, holder: Entry) -> bool:
        """Tell whether the input has a resource of that type and id at other addresses alone."""
        literal = parse_literal(reference)
        is_known = literal is not None and str(literal.key) in self.by_key
        return is_known and not self._meant(self._question(reference, holder))

    def _question(self, reference: str, holder: Entry) -> _Question:
        literal = parse_literal(reference)
        if literal is None:
            return _Question(holder.scope, "", reference)
        base = literal.base or _base(holder)
        is_here = any((holder.scope, name) in self.by_name for name in _names(base, reference))
        return _Question(holder.scope if is_here else None, base, reference)

    def _meant(self, question: _Question) -> list[Entry]:
        """Return the entries that a reference may mean, those of the holder's Bundle first.

        A relative reference is completed by the holder's address where there is such an entry.
        An absolute one never means an entry of another address.
        """
        if question not in self._asked:
            self._asked[question] = self._look(question)
        return self._asked[question]

    def _look(self, question: _Question) -> list[Entry]:
        scope, base, reference = question
        literal = parse_literal(reference)
        if literal is None:
            return self.by_name.get((scope or 0, reference), [])
        names = () if scope is None else _names(base, reference)
        shelves = [self.by_name.get((scope or 0, name), []) for name in names]
        for some in (*shelves, self.by_key.get(str(literal.key), [])):
            exact = [each for each in some if base and _base(each) == base]
            found = exact or [each for each in some if _may_be(literal.base, each)]
            if found:
                return found
        return []


def _names(base: str, reference: str) -> Iterator[str]:
    """Yield what a Bundle may call what is meant, the surest first."""
    literal = parse_literal(reference)
    if literal is not None:
        yield f"{base}{literal.key}"
        yield reference
        yield str(literal.key)


def _base(entry: Entry) -> str:
    """Return the address of the server that an entry is of; '' where its name is no address."""
    literal = parse_literal(entry.full_url or "")
    return "" if literal is None else literal.base


def _may_be(base: str, entry: Entry) -> bool:
    """Tell whether an entry may be of the server of that address; '' is any."""
    return not base or _base(entry) in ("", base)


class _Member(NamedTuple):
    """A plan or a part of it, as it is gathered.

    Attributes:
        key: what it is called; '' for the plan.
        resource: the input's resource.
        entry: the entry that it is, or is inside of.
        inside: what it contains and refers to: id -> that resource.
    """

    key: str
    resource: Resource
    entry: Entry
    inside: Mapping[str, Resource]


class _Gathering:
    """One plan with its parts, gathered by following its references.

    Args:
        entry: the plan.
        shelf: the input.
    """

    def __init__(self, entry: Entry, shelf: _Shelf) -> None:
        """Gather all that is the plan's."""
        self._entry, self._shelf = entry, shelf
        self.carried = value_of(entry.resource)
        self.others: dict[str, Resource] = {}
        self.signs_more: dict[str, int] = {}
        self.doubt = ""
        self._names: dict[int, str] = {id(entry.resource): ""}
        self._embedded: list[tuple[str, Resource, _Member]] = []
        inside = {str(each.get("id", "")): each for each in entry.resource.get("contained", ())}
        plan = _Member("", entry.resource, entry, inside)
        self._members = [plan]
        for own_id, each in inside.items():
            if each["resourceType"] in PART_TYPES:
                self._add(_Member(self._free(own_id, each), each, entry, inside))
            elif f"#{own_id}" == entry.resource.get("subject", {}).get("reference"):
                self._names[id(each)] = own_id
                self.others[f"#{own_id}"] = each  # Who it is about is looked for, not sent.
            else:
                self._embed(own_id, each, plan)
        for each in shelf.signatures_of(entry.resource):
            self._take(each)
        for member in self._members:  # Grows while it is walked: parts name further parts.
            self._follow(member.resource, member)
        for _, each, holder in self._embedded:
            self._follow(each, holder, takes=False)

    @property
    def taken(self) -> set[int]:
        """The plan, its parts and what they contain, by `id()`."""
        return set(self._names)

    def _follow(self, resource: Resource, member: _Member, *, takes: bool = True) -> None:
        """Take the parts that a resource refers to, and note what else it refers to."""
        # What a Provenance was made for may be a whole record; that is not of the plan for it.
        takes = takes and resource["resourceType"] != PROVENANCE
        for reference in written_references(resource):
            if reference.startswith("#"):
                continue
            if not self.doubt and resource["resourceType"] != PROVENANCE:
                self.doubt = self._shelf.why_doubtful(reference, member.entry)
            found = self._shelf.find(reference, member.entry)
            if found is None:
                continue
            if takes and found.resource["resourceType"] in PART_TYPES - {PROVENANCE}:
                self._take(found)
            elif found is not self._entry:
                self.others[reference] = found.resource

    def _take(self, entry: Entry) -> None:
        resource = entry.resource
        if id(resource) in self._names:
            return
        wanted = _key_for(resource, self.carried, len(self._members))
        inside = {str(each.get("id", "")): each for each in resource.get("contained", ())}
        member = _Member(self._free(wanted, resource), resource, entry, inside)
        self._add(member)
        for own_id, each in inside.items():
            self._embed(own_id, each, member)

    def _add(self, member: _Member) -> None:
        self._names[id(member.resource)] = member.key
        self._members.append(member)

    def _embed(self, own_id: str, resource: Resource, holder: _Member) -> None:
        key = self._free(own_id, resource)
        self._names[id(resource)] = key
        self._embedded.append((key, resource, holder))

    def _free(self, wanted: str, resource: Resource) -> str:
        """Return a key that nothing of the plan has yet."""
        used = set(self._names.values())
        if wanted not in used:
            return wanted
        named = f"{resource['resourceType']}-{wanted}"
        return named if named not in used else f"{named}-{len(used)}"

    def care_plan(self) -> Resource:
        """Return the plan as `SyncPlan` has it."""
        return self._normal(self._members[0].resource, self._members[0])

    def parts(self) -> dict[str, Resource]:
        """Return the parts as `SyncPlan` has them."""
        return {each.key: self._normal(each.resource, each) for each in self._members[1:]}

    def embedded(self) -> dict[str, Resource]:
        """Return what stays contained as `SyncPlan` has it."""
        return {
            key: {**self._normal(each, holder), "id": key} for key, each, holder in self._embedded
        }

    def addresses(self) -> dict[str, str]:
        """Return where the plan and its parts stood, as `SyncPlan` has it."""
        return {each.key: each.entry.full_url for each in self._members if each.entry.full_url}

    def _normal(self, resource: Resource, member: _Member) -> Resource:
        """Return a resource without its id, referring to the plan's own by their keys."""
        names = {}
        for reference in written_references(resource):
            target = self._target(reference, member)
            if target is not None and id(target) in self._names:
                names[reference] = {"reference": f"#{self._names[id(target)]}"}
        bare = {k: v for k, v in resource.items() if k not in ("id", "contained")}
        if resource["resourceType"] == PROVENANCE and isinstance(bare.get("target"), list):
            own = [each for each in bare["target"] if not self._is_foreign(each, member)]
            if len(own) < len(bare["target"]):
                called = f"{PROVENANCE}/{resource['id']}" if "id" in resource else PROVENANCE
                self.signs_more[called] = len(bare["target"]) - len(own)
                bare["target"] = own
        rewritten: Resource = with_references(bare, names)
        return rewritten

    def _is_foreign(self, target: Mapping[str, Any], member: _Member) -> bool:
        """Tell whether a target of a Provenance is a resource of the input, and not of the plan."""
        found = self._target(str(target.get("reference", "")), member)
        return found is not None and id(found) not in self._names

    def _target(self, reference: str, member: _Member) -> Resource | None:
        if reference == "#":  # The one that holds it.
            plan = self._members[0]
            return plan.resource if member.inside is plan.inside else member.resource
        if reference.startswith("#"):
            return member.inside.get(reference[1:])
        found = self._shelf.find(reference, member.entry)
        return None if found is None else found.resource


def _plan(entry: Entry, shelf: _Shelf, *, place: str) -> SyncPlan:
    """Return one plan with its parts, gathered by following its references."""
    gathered = _Gathering(entry, shelf)
    shelf.taken |= gathered.taken
    care_plan, parts, embedded = gathered.care_plan(), gathered.parts(), gathered.embedded()
    plan = SyncPlan(
        place,
        care_plan,
        parts,
        embedded,
        gathered.others,
        (),
        "",
        _digest(care_plan, parts, embedded),
        signs_more=gathered.signs_more,
        addresses=gathered.addresses(),
    )
    named = _named(plan, gathered.carried)
    refusal = named.refusal or gathered.doubt
    subject = str(care_plan.get("subject", {}).get("reference", ""))
    if not refusal and not named.patient_tokens and shelf.is_elsewhere(subject, entry):
        refusal = (
            f"Its patient {subject} is not in the input, which has one of that id from another "
            "server; add the right Patient with an identifier."
        )
    return replace(named, refusal=refusal)


def _named(plan: SyncPlan, carried: str | None) -> SyncPlan:
    """Return a plan with the identity that it is known by on every server."""
    tokens = tokens_of(plan.care_plan)
    if carried is not None:
        named = replace(plan, name=f"{PLAN_SYSTEM}|{carried}", tokens=tokens, plan_id=carried)
    elif tokens:
        named = replace(plan, name=str(tokens[0]), tokens=tokens, plan_id=plan_id_of(tokens[0]))
    elif any(name.startswith(OUR_DEFINITIONS) for name in protocols_of(plan.care_plan)):
        value = str(uuid.uuid5(_NAMESPACE, plan.digest))
        named = replace(plan, name=f"{PLAN_SYSTEM}|{value}", plan_id=value)
    else:
        return replace(
            plan,
            refusal="It has no identifier, so nobody could tell whether a server has it already; "
            "give it one.",
        )
    if not isinstance(plan.care_plan.get("subject", {}).get("reference"), str) and not tokens_of(
        plan.care_plan.get("subject", {})
    ):
        return replace(named, refusal="It names no patient; add its subject.")
    return replace(named, refusal=about_another(named))


def about_another(plan: SyncPlan, home: str | None = None) -> str:
    """Return that a part is not about the plan's patient, a sentence; '' when all are.

    Args:
        plan: the plan.
        home: absolute reference of the plan's patient on the server; None before that is known.
    """
    for key, part in plan.parts.items():
        about = subject_of(part)
        if about is None or _may_be_same(plan, key, about, home):
            continue
        whom = about.get("reference", "another patient")
        return (
            f"Its {part['resourceType']} {key} is about {whom}, and the input does not say that "
            "this is the plan's patient. Name the same patient in both, or add the Patient with an "
            "identifier to the input."
        )
    return ""


def _may_be_same(plan: SyncPlan, key: str, theirs: Resource, home: str | None) -> bool:
    """Tell whether a part's subject is the plan's patient, or no patient at all."""
    if not _means_patient(plan, theirs):
        return True  # A group, a device or a place: what the server has of it, it tells.
    ours = plan.care_plan["subject"]
    people = [_person(plan, str(each.get("reference", ""))) for each in (ours, theirs)]
    references = (plan.absolute(ours, ""), plan.absolute(theirs, key))
    is_one = bool(references[0]) and references[0] == references[1]
    if is_one or (people[0] and people[0] is people[1]):
        return True
    tokens = plan.patient_tokens, _tokens_with_system(people[1], theirs)
    if contradicted_system(*tokens):
        return False
    if tokens[0] & tokens[1]:
        return not has_another_birth_date(*people)
    one, other = map(parse_literal, references)
    if one is None or other is None:
        return not references[1]
    return _is_one_id(plan, one, other, home)


def _is_one_id(plan: SyncPlan, one: Literal, other: Literal, home: str | None) -> bool:
    """Tell whether two references are to one resource, as far as their ids and addresses tell."""
    if one.base == other.base or one.key != other.key:
        return one.key == other.key
    if one.base and other.base:
        return False
    base = one.base or other.base  # Of the other one nobody says where its id counts.
    return home is None or base == plan.base or home == f"{base}{one.key}"


def contradicted_system(ours: Collection[Token], theirs: Collection[Token]) -> str:
    """Return a system of which both have identifiers, and none in common; '' where there is none.

    Who shares another one may be somebody else all the same: families share that of an insurance.
    """
    shared = {token.system for token in ours if token in theirs}
    both = {token.system for token in ours} & {token.system for token in theirs}
    return min(both - shared, default="")


def has_another_birth_date(ours: Resource, theirs: Resource) -> bool:
    """Tell whether two patients were born on two days; a year alone says as much as it says."""
    days = [str(each.get("birthDate") or "") for each in (ours, theirs)]
    known = min(map(len, days))
    return days[0][:known] != days[1][:known]


def _means_patient(plan: SyncPlan, reference: Resource) -> bool:
    """Tell whether a Reference is to a patient, as far as the input tells of what type it is."""
    written = str(reference.get("reference", ""))
    literal = parse_literal(written)
    told = literal.key.resource_type if literal else reference.get("type", PATIENT)
    return bool(_person(plan, written).get("resourceType", told) == PATIENT)


def _person(plan: SyncPlan, written: str) -> Resource:
    return plan.others.get(written) or plan.embedded.get(written.removeprefix("#")) or {}


def _tokens_with_system(person: Resource, reference: Resource) -> set[Token]:
    return {token for token in (*tokens_of(person), *tokens_of(reference)) if token.system}


def _single(plans: Iterable[SyncPlan]) -> list[SyncPlan]:
    """Return each plan once; where the input says two things of one plan, the newer counts."""
    by_id: dict[str, list[SyncPlan]] = {}
    for plan in plans:
        by_id.setdefault(plan.plan_id or plan.name, []).append(plan)
    single = []
    for copies in by_id.values():
        latest = max(_age(copy.care_plan) for copy in copies)
        newest = [copy for copy in copies if _age(copy.care_plan) == latest]
        why = ""
        if len({copy.patient for copy in copies}) > 1:
            why = (
                "The input holds it for two patients, or names the patient in two ways; give each "
                "plan an identifier of its own, with a system."
            )
        elif len({copy.digest for copy in newest}) > 1:
            why = "The input holds it twice, with different content; leave one."
        if why:
            newest = [replace(newest[0], refusal=why)]
        single.append(newest[0])
    return single


def _age(resource: Resource) -> datetime:
    """Return when a resource was last changed; long ago where it does not say."""
    return last_updated(resource) or _LONG_AGO


def _key_for(resource: Resource, carried: str | None, number: int) -> str:
    """Return the key of a part: what it is called on another server, its id, or its place."""
    value = value_of(resource)
    if carried is not None and value is not None and value.startswith(f"{carried}."):
        return value.removeprefix(f"{carried}.")
    return str(resource.get("id") or f"{resource['resourceType']}-{number}")


def _digest(
    care_plan: Resource, parts: Mapping[str, Resource], embedded: Mapping[str, Resource]
) -> str:
    content = [
        [key, plain({k: v for k, v in each.items() if k not in _NOT_CONTENT})]
        for key, each in [("", care_plan), *sorted(parts.items()), *sorted(embedded.items())]
    ]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def written_references(element: object) -> list[str]:
    """Return the text of every Reference in an element, contained resources left out."""
    found: list[str] = []
    _gather_references(element, found)
    return found


def _gather_references(element: object, found: list[str]) -> None:
    if isinstance(element, dict):
        for name, member in element.items():
            if type(member) is str:  # Most are.
                if name == "reference" and not _is_expression(element):
                    found.append(member)
            elif isinstance(member, (dict, list)) and name != "contained":
                _gather_references(member, found)
    elif isinstance(element, list):
        for item in element:
            if isinstance(item, (dict, list)):
                _gather_references(item, found)


def with_references(element: Any, names: Mapping[str, Mapping[str, Any]]) -> Any:  # noqa: ANN401 - raw JSON
    """Return an element in which each Reference written so is replaced; its display is kept.

    What holds none of them is shared with the element, which is not changed.
    """
    if isinstance(element, list):
        items = [
            with_references(each, names) if isinstance(each, (dict, list)) else each
            for each in element
        ]
        return element if all(map(operator.is_, items, element)) else items
    if not isinstance(element, dict):
        return element
    changed = {}
    for name, member in element.items():
        if isinstance(member, (dict, list)):
            new = with_references(member, names)
            if new is not member:
                changed[name] = new
    copy = {**element, **changed} if changed else element
    written = element.get("reference")
    if isinstance(written, str) and written in names and not _is_expression(element):
        new = dict(names[written])
        kept = {k: v for k, v in copy.items() if k != "reference" and k not in new}
        if "display" in copy:
            new["display"] = copy["display"]
        return {**new, **kept}
    return copy


def _is_expression(element: Mapping[str, Any]) -> bool:
    """Tell whether a `reference` is an Expression's, which names a library, no resource."""
    return "language" in element or "expression" in element


def reached_inside(resource: Resource, embedded: Mapping[str, Resource]) -> dict[str, Resource]:
    """Return what a resource refers to of what stays contained, and what that refers to of it."""
    reached: dict[str, Resource] = {}
    pending = [resource] if embedded else []
    while pending:
        for reference in written_references(pending.pop()):
            key = reference[1:] if reference.startswith("#") else ""
            if key in embedded and key not in reached:
                reached[key] = embedded[key]
                pending.append(embedded[key])
    return reached


def is_patient(resource: Resource | None) -> bool:
    """Tell whether a resource of the input is a Patient."""
    return resource is not None and resource["resourceType"] == PATIENT
