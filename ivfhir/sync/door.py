"""A server as its kind wants to be asked: searches that name the patient, writes one by one.

It is a `Repository` like any other, so the writer that knows transactions needs to know no more.
"""

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from ivfhir.errors import (
    BadAnswerError,
    ForbiddenError,
    InputError,
    NotFoundError,
    RejectedError,
    ServerError,
    VersionConflictError,
)
from ivfhir.fhir.references import identifier_tokens, key_of, reference_of, renamed_references
from ivfhir.fhir.types import (
    BUNDLE,
    CARE_PLAN,
    DOCUMENT_REFERENCE,
    PATIENT,
    PROVENANCE,
    WITHOUT_A_PATIENT,
    Resource,
)
from ivfhir.repository import Repository
from ivfhir.servers.http import Stored
from ivfhir.shape import check_shape
from ivfhir.sync.ladder import Means, Rung
from ivfhir.sync.plans import written_references
from ivfhir.writing.bundle import created_entries, identifier_query, value_of
from ivfhir.writing.content import content_digest, is_of_a_plan, written_digest
from ivfhir.writing.read_back import age_of, is_withdrawn
from ivfhir.writing.withdraw import as_incomplete, is_touched

KEPT = "200"
"""The status by which `Door` answers of a part that it found, and somebody has worked with."""

_REFUSALS = (ForbiddenError, NotFoundError, RejectedError)
_NEW_PLAN = {"method": "POST", "url": CARE_PLAN, "ifNoneExist": ""}
_WITHOUT_PATIENT = WITHOUT_A_PATIENT - {PROVENANCE} | {PATIENT}


class WritableServer(Repository, Protocol):
    """A server that can also write one resource at a time, and be asked what it stored."""

    def transact(self, bundle: Resource, *, prefer: str | None = None) -> Resource:
        """Send a transaction; `prefer` is what its answer shall hold: see `HttpRepository`."""
        ...

    def create(self, resource: Resource, *, if_none_exist: str | None = None) -> Stored:
        """Create one resource."""
        ...

    def update(self, resource: Resource, *, if_match: str | None = None) -> Stored:
        """Replace one resource."""
        ...


class Door:
    """One server, for one patient's plan.

    Args:
        server: the server.
        means: what it offers.
        patient: the patient there, for searches that must name one.
        rung: how the plan is written.

    `rung` stays readable.
    """

    def __init__(
        self,
        server: WritableServer,
        means: Means,
        *,
        patient: str = "",
        rung: Rung = Rung.TRANSACTION,
    ) -> None:
        """Keep the server."""
        self._server = server
        self._means = means
        self._patient = patient
        self.rung = rung

    def read(self, resource_type: str, resource_id: str) -> Resource:
        """Return the resource, as stored."""
        return _sound(self._server.read(resource_type, resource_id))

    def search(self, resource_type: str, params: Mapping[str, str]) -> list[Resource]:
        """Return every match; where the server insists, those of the patient alone.

        Raises:
            BadAnswerError: one is not of the shape that R4 gives its type, so it cannot be judged.
        """
        needs = self._means.profile.search_needs_patient and self._patient
        # What a Provenance is about has a patient; the search for it, in many servers, none.
        named = bool({"patient", "target"} & params.keys())
        if needs and resource_type not in _WITHOUT_PATIENT and not named:
            params = {**params, "patient": self._patient}
        own = resource_type == DOCUMENT_REFERENCE and "identifier" in params and self._patient
        if own and not self._means.finds(resource_type):
            found = self._server.search(resource_type, {"patient": self._patient})
            found = [each for each in found if _carries(each, params["identifier"])]
        else:
            found = self._server.search(resource_type, params)
        return [_sound(each) for each in found]

    def operation(self, path: str, parameters: Resource) -> Resource:
        """POST a resource to an operation."""
        return self._server.operation(path, parameters)

    def capabilities(self) -> Resource:
        """Return the CapabilityStatement."""
        return self._server.capabilities()

    def transact(self, bundle: Resource) -> Resource:
        """Write all of a transaction: at once, or one by one in the order of what needs what.

        Raises:
            ServerError: as of a transaction. Where single writes were refused midway, what they
                had created is marked as entered in error, and the message says what is left. Not
                so once an older plan has ended for a new one: what then stays open is for who
                reads back to tell.
        """
        if self.rung is Rung.TRANSACTION:
            return self._server.transact(bundle)
        return self._one_by_one(bundle)

    def _one_by_one(self, bundle: Resource) -> Resource:
        places: dict[str, str] = {}
        made: list[str] = []
        kept: set[str] = set()
        cut: list[dict[str, Any]] = []
        creates = [each for each in bundle["entry"] if each["request"]["method"] == "POST"]
        try:
            for entry in _in_order(creates):
                resource = renamed_references(entry["resource"], places)
                whole = _without_names(resource)
                if whole != resource:
                    cut.append(entry)
                stored, is_theirs = self._create(whole, entry["request"].get("ifNoneExist"))
                places[entry["fullUrl"]] = stored.reference
                made += [stored.reference] if stored.created else []
                kept |= {stored.reference} if is_theirs else set()
            for entry in cut:
                if not self._complete(entry, places, made=made):
                    kept.add(places[entry["fullUrl"]])
            self._put_all(bundle["entry"], places)
        except _REFUSALS as error:
            if not made or self.rung is Rung.DOCUMENT:  # One document is never half of a plan.
                raise
            left = self._clean_up(made)
            told = f" What is left of it: {', '.join(left)}." if left else ""
            error.message = f"{error.message} The plan was refused in part, so none of it counts; "
            error.message += f"what was created is marked as entered in error.{told}"
            error.left = tuple(left)
            raise
        answers = [_answer(entry, places, kept) for entry in bundle["entry"]]
        return {"resourceType": BUNDLE, "type": "transaction-response", "entry": answers}

    def _create(self, resource: Resource, if_none_exist: str | None) -> tuple[Stored, bool]:
        """Create a resource unless one of its identifier is there, which a killed run left.

        Returns:
            Where it is; whether it is one with which somebody has worked, which stays as it is.
        """
        found = self.carrying(resource)
        standing = [each for each in found if not is_withdrawn(each)]
        if standing:
            return self._taken(standing[0], resource)
        try:
            # What is withdrawn carries the identifier, too, and must not be taken for it.
            condition = None if found else if_none_exist
            stored = self._server.create(resource, if_none_exist=condition)
            # Some servers answer with 200; nothing was there a moment ago.
            return Stored(stored.reference, created=True), False
        except VersionConflictError:
            standing = [each for each in self.carrying(resource) if not is_withdrawn(each)]
            if not standing:
                raise
            return self._taken(standing[0], resource)

    def _taken(self, found: Resource, resource: Resource) -> tuple[Stored, bool]:
        """Take what carries the identifier, and bring it to the state of now where it is ours."""
        is_theirs = _is_theirs(found, resource)
        if is_theirs or written_digest(found) in (None, written_digest(resource)):
            return Stored(reference_of(found), created=False), is_theirs
        version = found.get("meta", {}).get("versionId")
        self._server.update({**resource, "id": found["id"]}, if_match=version)
        return Stored(reference_of(found), created=True), False

    def carrying(self, resource: Resource) -> list[Resource]:
        """Return what carries the identifier of a part, withdrawn or not, the oldest first."""
        resource_type, value = resource["resourceType"], str(value_of(resource))
        try:
            found = self.search(resource_type, identifier_query(resource_type, value))
        except _REFUSALS:
            return []
        found = [each for each in found if value_of(each) == value]
        return sorted(found, key=age_of)

    def _complete(
        self, entry: Mapping[str, Any], places: Mapping[str, str], *, made: Collection[str]
    ) -> bool:
        """Add the references that could not be known yet when a resource was created.

        Returns:
            False where somebody has worked with what an earlier run left: it stays as it is.
        """
        resource_type, _, resource_id = places[entry["fullUrl"]].partition("/")
        if not self._means.may_update(resource_type):
            return True  # The read-back tells what is missing.
        stored = self.read(resource_type, resource_id)
        full = renamed_references(entry["resource"], places)
        if places[entry["fullUrl"]] not in made and _is_theirs(stored, full):
            return False
        self._server.update(
            {**full, "id": resource_id}, if_match=stored.get("meta", {}).get("versionId")
        )
        return True

    def _put_all(self, entries: list[dict[str, Any]], places: Mapping[str, str]) -> None:
        """Write what is changed: with a new plan these are the ends of older ones, plans first."""
        is_new = entries[0]["request"] | {"ifNoneExist": ""} == _NEW_PLAN
        ended = False
        for entry in entries:
            if entry["request"]["method"] != "PUT":
                continue
            try:
                self._put(entry, places)
            except _REFUSALS:
                if not (is_new and ended):
                    raise
            ended = True

    def _put(self, entry: Mapping[str, Any], places: Mapping[str, str]) -> None:
        version = str(entry["request"].get("ifMatch", "")).removeprefix('W/"').rstrip('"') or None
        self._server.update(renamed_references(entry["resource"], places), if_match=version)

    def find_begun(self, bundle: Resource) -> list[tuple[Resource, bool]]:
        """Return what is there of a transaction's creates, and whether somebody worked with each.

        Raises:
            ServerError: it could not be looked for.
        """
        return [
            (each, is_touched(each, entry["resource"]))
            for entry in created_entries(bundle)
            for each in self.carrying(entry["resource"])
            if not is_withdrawn(each)
        ]

    def take_back(self, bundle: Resource) -> tuple[int, list[str]]:
        """Mark what is there of a plan that was written in part as entered in error.

        Args:
            bundle: the transaction whose creates were begun one by one.

        Returns:
            How many were marked; references of what could not be, or that somebody has worked with.

        Raises:
            ServerError: it could not be looked for.
        """
        begun = self.find_begun(bundle)
        untouched = [reference_of(each) for each, touched in begun if not touched]
        left = self._clean_up(untouched)
        return len(untouched) - len(left), [
            *left,
            *(reference_of(each) for each, touched in begun if touched),
        ]

    def _clean_up(self, references: list[str]) -> list[str]:
        """Mark what was created as entered in error; return what could not be."""
        left = []
        for reference in references:
            resource_type, _, resource_id = reference.partition("/")
            try:
                if resource_type == PROVENANCE or not self._means.may_update(resource_type):
                    raise RejectedError("It cannot be marked.")
                stored = self.read(resource_type, resource_id)
                self._server.update(
                    as_incomplete(stored), if_match=stored.get("meta", {}).get("versionId")
                )
            except ServerError:
                left.append(reference)
        return left


def _sound(resource: Resource) -> Resource:
    """Return a resource of the server that can be gone through without looking."""
    try:
        check_shape(resource)
    except InputError as error:
        raise BadAnswerError(f"What the server holds is not FHIR R4: {error.message}") from None
    if key_of(resource) is None:
        raise BadAnswerError(f"The server gives a {resource['resourceType']} without an id.")
    return resource


def _carries(resource: Resource, token: str) -> bool:
    """Tell whether a resource carries the identifier of a search, `system|value`."""
    carried = identifier_tokens(resource.get("identifier"))
    return token in {f"{system}|{value}" for system, value in carried}


def _in_order(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return entries so that each comes after those that it points to, as far as that goes."""
    urls = {entry["fullUrl"] for entry in entries}
    waits = {
        entry["fullUrl"]: {
            each
            for each in written_references(entry["resource"])
            if each in urls and each != entry["fullUrl"]
        }
        for entry in entries
    }
    left, ordered = list(reversed(entries)), []  # The plan, which is first, comes late.
    done: set[str] = set()
    while left:
        ready = next((each for each in left if waits[each["fullUrl"]] <= done), None)
        # In a circle the one with the fewest open references goes first, without these.
        chosen = ready or min(left, key=lambda each: len(waits[each["fullUrl"]] - done))
        left.remove(chosen)
        done.add(chosen["fullUrl"])
        ordered.append(chosen)
    return ordered


def _without_names(element: Any) -> Any:  # noqa: ANN401 - raw JSON
    """Return a copy without References to what has no place yet; empty lists go with them."""
    if isinstance(element, list):
        return [_without_names(item) for item in element if not _is_name(item)]
    if not isinstance(element, dict):
        return element
    kept = {}
    for name, member in element.items():
        if _is_name(member):
            continue
        bare = _without_names(member)
        if bare or not isinstance(member, list) or not member:
            kept[name] = bare
    return kept


def _is_name(element: object) -> bool:
    reference = element.get("reference") if isinstance(element, dict) else None
    return isinstance(reference, str) and reference.startswith("urn:uuid:")


def _is_theirs(found: Resource, sent: Resource) -> bool:
    """Tell whether somebody has worked with what a run left that broke off.

    Not where it lacks no more than references to parts that were not there yet.
    """
    if not is_touched(found, sent):
        return False
    return content_digest(_without_parts(found)) != content_digest(_without_parts(sent))


def _without_parts(element: Any) -> Any:  # noqa: ANN401 - raw JSON
    """Return a copy without References to parts of a plan, and without what is empty then."""
    if isinstance(element, list):
        return [bare for item in element if (bare := _without_parts(item)) not in ({}, [])]
    if not isinstance(element, dict):
        return element
    reference = element.get("reference")
    if isinstance(reference, str) and is_of_a_plan(reference):
        return {}
    bare = {name: _without_parts(member) for name, member in element.items()}
    return {name: member for name, member in bare.items() if member not in ({}, [])}


def _answer(
    entry: Mapping[str, Any], places: Mapping[str, str], kept: Collection[str]
) -> dict[str, Any]:
    if entry["request"]["method"] == "PUT":
        return {"response": {"status": "200"}}
    place = places.get(entry["fullUrl"])
    if place is None:
        raise BadAnswerError("A single create came to nothing; look whether the plan is there.")
    status = KEPT if place in kept else "201"
    return {"response": {"status": status, "location": place}}
