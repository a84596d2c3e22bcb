"""A plan's references as one server knows them: the patient by identifier, the rest where found.

Two servers give one patient two ids, and one id to two patients. So an id of the input counts only
where the patient's own id is the same on both sides; everything else is found by identifier, or
kept as words.
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from ivfhir.errors import InputError, NotFoundError, RejectedError
from ivfhir.fhir.references import is_absolute, parse_literal, reference_of, subject_of
from ivfhir.fhir.types import CARE_PLAN, PATIENT, Resource
from ivfhir.repository import Repository
from ivfhir.sync.bulk import ID, IDENTIFIER, Look
from ivfhir.sync.plans import (
    SyncPlan,
    Token,
    contradicted_system,
    has_another_birth_date,
    is_patient,
    reached_inside,
    search_token,
    tokens_of,
    with_references,
)
from ivfhir.writing.bundle import value_of
from ivfhir.writing.read_back import bare, is_withdrawn, read_references

NONE_THERE = "The server has none of that identifier; kept as words."
"""What is told of a reference by identifier that leads nowhere on the server."""

_MOST_NAMED = 5
"""So many patients, or parts, of one identifier are named."""


@dataclass(frozen=True)
class Mapped:
    """A plan in one server's words.

    Attributes:
        patient: the patient there, `Patient/id`.
        care_plan: the CarePlan; own parts are still `#key`.
        parts: key -> part, without those that the server has of its own.
        embedded: id -> what stays contained.
        losses: reference as written -> why it is kept as words, or what is left out of it.
    """

    patient: str
    care_plan: Resource
    parts: Mapping[str, Resource]
    embedded: Mapping[str, Resource]
    losses: Mapping[str, str]


def find_patient(repository: Repository, plan: SyncPlan, *, address: str = "") -> str:
    """Return the server's reference of a plan's patient.

    Args:
        repository: the server.
        plan: the plan.
        address: the server's base; '' where nobody says.

    Raises:
        InputError: none or several can be meant; the sentence says so.
        ServerError: the server did not answer.
    """
    written = str(plan.care_plan["subject"].get("reference", ""))
    ours = plan.others.get(written)
    literal = parse_literal(written)
    kind = ours["resourceType"] if ours else literal.key.resource_type if literal else PATIENT
    if kind != PATIENT:
        raise InputError(f"It is about a {kind}; sync sends plans of one patient each.")
    tokens = _patient_tokens(plan)
    if tokens:
        theirs = _by_identifier(repository, tokens)
        why = _why_another(tokens, ours or {}, theirs)
        if why:
            raise InputError(why)
        return reference_of(theirs)
    if literal is None:
        raise InputError(
            "Its patient has no identifier and no id that the server could know; add the Patient "
            "with an identifier to the input."
        )
    if plan.patient_bases - {address}:
        raise InputError(
            "Its patient, or a part's, is one of another server's address, and the input has no "
            "identifier of the patient; add the Patient with an identifier to the input."
        )
    try:
        theirs = repository.read(PATIENT, literal.key.resource_id)
    except NotFoundError:
        raise InputError(
            "The server has no patient of that id, and the input has no identifier of the patient; "
            "add the Patient with an identifier to the input."
        ) from None
    if theirs.get("active") is False:
        raise InputError(
            "The patient of that id on the server is not active, as after a merge; name the one "
            "who is, or add the Patient with an identifier to the input."
        )
    if has_another_birth_date(ours or {}, theirs):
        raise InputError(
            "The patient of that id on the server has another date of birth: it is somebody else. "
            "Add the Patient with an identifier to the input."
        )
    named = (*tokens_of(ours or {}), *tokens_of(plan.care_plan["subject"]))
    values, known = ({token.value for token in some} for some in (named, tokens_of(theirs)))
    if values and known and not values & known:
        raise InputError(
            "The patient of that id on the server has none of the identifiers that the input gives "
            "without a system; add the system, so that the patient can be found by identifier."
        )
    return str(literal.key)


def _why_another(wanted: set[Token], ours: Resource, theirs: Resource) -> str:
    """Return why the patient who shares an identifier is another one, a sentence; '' if not so."""
    other = contradicted_system(wanted, tokens_of(theirs))
    if other:
        return (
            f"{reference_of(theirs)} on the server shares an identifier with the patient of the "
            f"input, and has another one of {other}: it may be somebody else. Correct the "
            "identifiers where they are wrong."
        )
    if has_another_birth_date(ours, theirs):
        return (
            f"{reference_of(theirs)} on the server shares an identifier with the patient of the "
            "input, and has another date of birth: it may be somebody else. Correct the identifier "
            "or the date where it is wrong."
        )
    return ""


def patient_look(plan: SyncPlan) -> Look | None:
    """Return what `find_patient` will ask; None where it will not ask."""
    tokens = _patient_tokens(plan)
    if tokens:
        return Look(PATIENT, IDENTIFIER, _written(sorted(tokens)))
    literal = parse_literal(str(plan.care_plan["subject"].get("reference", "")))
    if literal is None or literal.key.resource_type != PATIENT:
        return None
    return Look(PATIENT, ID, (literal.key.resource_id,))


def _patient_tokens(plan: SyncPlan) -> set[Token]:
    """Return the patient's identifiers, also those of a reference that is a search."""
    asked = _query_tokens(str(plan.care_plan["subject"].get("reference", "")))
    return plan.patient_tokens | {token for token in asked if token.system}


def _written(tokens: Iterable[Token]) -> tuple[str, ...]:
    return tuple(map(search_token, tokens))


def _by_identifier(repository: Repository, wanted: set[Token]) -> Resource:
    query = ",".join(_written(sorted(wanted)))
    found = {
        reference_of(each): each
        for each in repository.search(PATIENT, {"identifier": query})
        if wanted & set(tokens_of(each)) and each.get("active") is not False
    }
    if len(found) == 1:
        return next(iter(found.values()))
    if not found:
        raise InputError(
            "The server has no patient of that identifier; register the patient there first."
        )
    raise InputError(
        f"The server has {len(found)} patients of that identifier ({_some_of(found)}): which is "
        "meant cannot be told. Merge them there if they are one person; else give the input an "
        "identifier that only this one has."
    )


def _some_of(references: Iterable[str]) -> str:
    """Return references as words, the first of them by name."""
    every = sorted(references)
    more = f" and {len(every) - _MOST_NAMED} more" if len(every) > _MOST_NAMED else ""
    return f"{', '.join(every[:_MOST_NAMED])}{more}"


def map_references(
    repository: Repository, plan: SyncPlan, patient: str, *, address: str = ""
) -> Mapped:
    """Return the plan with each reference as the server knows it.

    Args:
        repository: the server.
        plan: the plan.
        patient: from `find_patient`.
        address: the server's base; '' where nobody says.

    Raises:
        InputError: the server has several of a part; the sentence names them.
        ServerError: whether the server has a part of its own, or a reference, could not be told.
    """
    subject = str(plan.care_plan["subject"].get("reference", ""))
    own = plan.patient_references
    names: dict[str, dict[str, Any]] = {subject: {"reference": patient}} if subject else {}
    losses: dict[str, str] = {}
    literal: dict[str, str] = {}
    for reference, kind, tokens, key in _read_references(plan, patient, address):
        ours = plan.others.get(reference)
        if reference in own or (is_patient(ours) and ours is plan.others.get(subject)):
            names[reference] = {"reference": patient}
        elif tokens:
            found, why = _one_or_why(repository, str(kind), tokens, patient)
            names[reference] = {"reference": found} if found else _words(reference, kind, tokens)
            if why:
                losses[reference] = why
        elif key:
            literal[reference] = key
        else:
            names[reference] = _words(reference, kind, ())
            losses[reference] = "It cannot be told which one that is on this server; kept as words."
    wanted = dict.fromkeys(literal.values())
    held = {reference_of(each): each for each in read_references(repository, wanted, strict=True)}
    for reference, key in literal.items():
        if key in held and _is_for(held[key], patient):
            names[reference] = {"reference": key}
        else:
            names[reference] = _words(reference, key.partition("/")[0], ())
            losses[reference] = "The server has none of this patient; kept as words."
    parts = {}
    for key, part in plan.parts.items():
        placed = _place_of(repository, key, part, patient, but=plan.plan_id)
        if placed:
            names[f"#{key}"] = {"reference": placed}
        else:
            parts[key] = part
    losses |= {
        reference: f"It has {count} more {'target' if count == 1 else 'targets'} in the input; the "
        "plan's own copy names the plan and its parts alone."
        for reference, count in plan.signs_more.items()
    }
    inside = _still_inside(plan, parts)
    known = _patient_tokens(plan)

    def in_its_words(resource: Resource) -> Resource:
        return _by_reference(with_references(resource, names), patient, known)

    return Mapped(
        patient,
        in_its_words(plan.care_plan),
        {key: in_its_words(part) for key, part in parts.items()},
        {key: in_its_words(each) for key, each in inside.items()},
        losses,
    )


def _still_inside(plan: SyncPlan, parts: Mapping[str, Resource]) -> dict[str, Resource]:
    """Return what stays contained, without what only parts hold that the server has already."""
    sent = [plan.care_plan, *parts.values()]
    there = [part for key, part in plan.parts.items() if key not in parts]
    needed, idle = (
        {key for each in some for key in reached_inside(each, plan.embedded)}
        for some in (sent, there)
    )
    return {key: each for key, each in plan.embedded.items() if key in needed or key not in idle}


def reference_looks(plan: SyncPlan, patient: str) -> Iterator[Look]:
    """Yield what `map_references` will ask."""
    subject = str(plan.care_plan["subject"].get("reference", ""))
    own = plan.patient_references
    ids: dict[str, dict[str, None]] = {}
    for reference, kind, tokens, key in _read_references(plan, patient):
        ours = plan.others.get(reference)
        if reference in own or (is_patient(ours) and ours is plan.others.get(subject)):
            continue
        if tokens:
            yield Look(str(kind), IDENTIFIER, _written(tokens))
        elif key:
            resource_type, _, resource_id = key.partition("/")
            ids.setdefault(resource_type, {})[resource_id] = None
    for resource_type, some in ids.items():
        yield Look(resource_type, ID, tuple(some))
    for part in plan.parts.values():
        if tokens := _own_tokens(part):
            yield Look(part["resourceType"], IDENTIFIER, _written(tokens))


def _read_references(
    plan: SyncPlan, patient: str, address: str = ""
) -> Iterator[tuple[str, str | None, list[Token], str]]:
    """Yield each reference to what is no part: as written, type, identifiers, `Type/id`.

    The last is '' where the server's resource of that id can be another one.
    """
    same_ids = bare(str(plan.care_plan["subject"].get("reference", ""))) == patient
    for reference in plan.outward:
        ours = plan.others.get(reference)
        parsed = parse_literal(reference)
        tokens = tokens_named(plan, reference)
        if ours:
            kind = ours["resourceType"]
        elif tokens:
            kind = reference.partition("?")[0]
        else:
            kind = parsed.key.resource_type if parsed else None
        at_home = parsed and (parsed.base == address if parsed.base else same_ids)
        yield reference, kind, tokens, str(parsed.key) if parsed and at_home else ""


def tokens_named(plan: SyncPlan, reference: str) -> list[Token]:
    """Return the identifiers of what a reference of a plan names: in the input, or in itself."""
    found = (*tokens_of(plan.others.get(reference, {})), *_query_tokens(reference))
    return [token for token in found if token.system]


def _own_tokens(part: Resource) -> list[Token]:
    return [token for token in tokens_of(part) if token.system]


def _by_reference(resource: Resource, patient: str, tokens: Container[Token]) -> Resource:
    """Return a resource that names the patient by identifier alone with the reference, too.

    Who looks for what the patient has, searches by it.
    """
    named = {
        name: {**resource[name], "reference": patient}
        for name in ("subject", "for", "patient")
        if isinstance(resource.get(name), dict) and "reference" not in resource[name]
        if resource["resourceType"] == CARE_PLAN or _names_one_of(tokens, resource[name])
    }
    return {**resource, **named} if named else resource


def _names_one_of(tokens: Container[Token], reference: Resource) -> bool:
    return any(each in tokens for each in tokens_of(reference))


def _one_or_why(
    repository: Repository, resource_type: str, tokens: Iterable[Token], patient: str
) -> tuple[str | None, str]:
    """Return the one resource of an identifier, or None and why it is kept as words."""
    try:
        there = _all_of(repository, resource_type, tokens, patient)
    except RejectedError:
        return None, "It could not be looked for on the server; kept as words."
    if len(there) > 1:
        why = f"The server has {len(there)} of that identifier ({_some_of(there)}); kept as words."
        return None, why
    return (there.pop(), "") if there else (None, NONE_THERE)


def _place_of(
    repository: Repository, key: str, part: Resource, patient: str, *, but: str
) -> str | None:
    """Return the server's resource of a part's own identifier; None where the part is to be sent.

    Raises:
        InputError: there are several.
        ServerError: the server did not say.
    """
    tokens, kind = _own_tokens(part), part["resourceType"]
    there = _all_of(repository, kind, tokens, patient, but=but) if tokens else set()
    if len(there) > 1:
        raise InputError(
            f"The server has {len(there)} of the identifier of its {kind} {key} "
            f"({_some_of(there)}): it cannot be told which one is meant. Leave one there."
        )
    return there.pop() if there else None


def _all_of(
    repository: Repository,
    resource_type: str,
    tokens: Iterable[Token],
    patient: str,
    *,
    but: str | None = None,
) -> set[str]:
    """Return the resources of an identifier that are this patient's, or nobody's, as references.

    The parts of the plan `but` do not count: they are sent with it.

    Raises:
        ServerError: the server did not say; it may be there.
    """
    query = ",".join(search_token(token) for token in tokens)
    try:
        found = repository.search(resource_type, {"identifier": query})
    except NotFoundError:
        return set()  # A server without that type has none.
    return {
        reference_of(each)
        for each in found
        if set(tokens) & set(tokens_of(each))
        and not is_withdrawn(each)
        and _is_for(each, patient)
        and (but is None or not str(value_of(each)).startswith(f"{but}."))
    }


def _is_for(resource: Resource, patient: str) -> bool:
    """Tell whether a resource of the server is about the patient, or about nobody."""
    subject = subject_of(resource)
    return subject is None or bare(str(subject.get("reference", ""))) == patient


def _query_tokens(reference: str) -> tuple[Token, ...]:
    """Return the identifier of a conditional reference, `Practitioner?identifier=system|value`."""
    kind, mark, query = reference.partition("?")
    values = parse_qs(query).get("identifier", []) if mark and kind.isalpha() else []
    return tuple(Token(*value.rpartition("|")[::2]) for value in values)


def _words(reference: str, kind: str | None, tokens: Iterable[Token]) -> dict[str, Any]:
    """Return a Reference that points nowhere: type, identifier where there is one, and words.

    Only what R4 allows is said: no identifier whose system is no address, no display of blanks.
    """
    shown = "" if reference.startswith("urn:") else bare(reference).strip()
    words: dict[str, Any] = {} if not kind or not kind.isalpha() else {"type": kind}
    first = next((each for each in tokens if is_absolute(each.system) and each.value.strip()), None)
    if first is not None:
        words["identifier"] = {"system": first.system, "value": first.value}
    words["display"] = shown or str(kind or "not on this server")
    return words
