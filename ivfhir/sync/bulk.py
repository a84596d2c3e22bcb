"""The looks of many plans in few searches: comma lists of values, each plan given its own part.

A comma means "or" in every FHIR search (http://hl7.org/fhir/R4/search.html#combining), but a
server may know no such thing and find nothing. So a list is believed only where its server is
known to take lists, or where one search of this run answered two looks. One plan may ask for
several identifiers, too: what such a list does not find is asked for value by value.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial
from threading import Lock
from typing import NamedTuple, Protocol
from urllib.parse import quote

from ivfhir.errors import ForbiddenError, NotFoundError, RejectedError, ServerError
from ivfhir.fhir.references import subject_of
from ivfhir.fhir.types import Resource
from ivfhir.sync.plans import Token, search_token
from ivfhir.writing.read_back import bare

ID, IDENTIFIER, PATIENT_PARAM = "_id", "identifier", "patient"
_VALUE = re.compile(r"(?:\\.|[^,\\])+")
"""One value of a list: a comma with a backslash before it is part of it."""

_LONGEST = 4000
"""Characters of the values in one address: servers take 8,000 of a whole request line."""


class Look(NamedTuple):
    """A search that will be made: the resources of a type with one of these values.

    Attributes:
        resource_type: the type.
        name: the parameter: `_id`, `identifier` or `patient`.
        values: as the search writes them.
    """

    resource_type: str
    name: str
    values: tuple[str, ...]

    @property
    def params(self) -> dict[str, str]:
        """The search, on its own."""
        return {self.name: ",".join(self.values)}

    def finds(self, resource: Resource) -> bool:
        """Tell whether a found resource has one of the values."""
        return not _values(resource, self.name).isdisjoint(self.values)


class Searching(Protocol):
    """What can be searched."""

    def search(self, resource_type: str, params: Mapping[str, str]) -> list[Resource]:
        """Return every match."""
        ...


class Lists:
    """What is known of a server's comma lists, for all threads of a run.

    Args:
        known: the server is known to take them.
        page: values in one list, so that what it finds is one page: a next one can be slow.

    `page` stays readable.
    """

    def __init__(self, *, known: bool = False, page: int = 100) -> None:
        """Know nothing more yet."""
        self.page = page
        self._known = known
        self._proven: set[tuple[str, str]] = set()
        self._refused: set[tuple[str, str]] = set()
        self._lock = Lock()

    def believes(self, resource_type: str, name: str) -> bool:
        """Tell whether what a list does not find is not there.

        Of ids it is not asked: what a list of ids leaves out is read alone, but see `holds_ids`.
        """
        with self._lock:
            return self._known or name == ID or (resource_type, name) in self._proven

    def holds_ids(self) -> bool:
        """Tell whether a list of ids finds all that is there: it did of one type, or is known to.

        What every resource has is searched alike for every type.
        """
        with self._lock:
            return self._known or any(name == ID for _, name in self._proven)

    def takes(self, resource_type: str, name: str) -> bool:
        """Tell whether lists were not refused."""
        with self._lock:
            return (resource_type, name) not in self._refused

    def prove(self, resource_type: str, name: str) -> None:
        """Note that one search answered two looks."""
        with self._lock:
            self._proven.add((resource_type, name))

    def refuse(self, resource_type: str, name: str) -> None:
        """Note that the server answers no list."""
        with self._lock:
            self._refused.add((resource_type, name))


def look_together(
    server: Searching,
    looks: Collection[Look],
    lists: Lists,
    *,
    each: Callable[..., Iterable[list[Resource] | None]] = map,
    on_trial: bool = False,
) -> dict[Look, list[Resource]]:
    """Return what looks find; one that is not answered, or not to be believed, is left out.

    Args:
        server: the server.
        looks: the searches.
        lists: what is known of its comma lists; more is known afterwards.
        each: as `map`, which does one search after the other; a pool's does them side by side.
        on_trial: lists are hardly believed: each value is asked alone at the same time, too.
    """
    shelves: dict[tuple[str, str], list[Look]] = {}
    for look in dict.fromkeys(looks):
        shelves.setdefault((look.resource_type, look.name), []).append(look)
    wanted = [some for shelf in shelves.values() for some in _lists_of(shelf, lists.page)]
    wanted = [some for some in wanted if lists.takes(some.resource_type, some.name)]
    shared = [look for shelf in shelves.values() if len(shelf) > 1 for look in shelf]
    doubted = [
        look
        for look in (shared if on_trial else ())
        if not lists.believes(look.resource_type, look.name)
    ]
    alone = list(dict.fromkeys(single for look in doubted for single in _singles(look)))
    learns = [lists] * len(wanted) + [None] * len(alone)  # One look says nothing of lists.
    answers = list(each(partial(_ask, server), [*wanted, *alone], learns))
    found: dict[Look, list[Resource]] = {}
    for (resource_type, name), shelf in shelves.items():
        own = [
            (some, answer)
            for some, answer in zip(wanted, answers[: len(wanted)], strict=True)
            if (some.resource_type, some.name) == (resource_type, name) and answer is not None
        ]
        found |= _answered(shelf, own, lists)
    told = dict(zip(alone, answers[len(wanted) :], strict=True))
    for look in doubted:
        parts = [told[single] for single in _singles(look)]
        if None not in parts:
            found[look] = list({_key(each): each for part in parts for each in part or ()}.values())
    return found


def search_any(
    server: Searching, resource_type: str, params: Mapping[str, str], lists: Lists
) -> list[Resource]:
    """Return every match of one search, also where it is for several identifiers.

    Where their list is refused, or finds nothing and is not believed, each is asked for alone.

    Args:
        server: the server.
        resource_type: the type.
        params: the search.
        lists: what is known of the server's comma lists; what it refuses is known afterwards.

    Raises:
        ServerError: the server did not answer, or refused the search for one alone.
    """
    values = _VALUE.findall(params.get(IDENTIFIER, ""))
    if len(values) < 2:  # noqa: PLR2004 - a list
        return server.search(resource_type, params)
    refused = not lists.takes(resource_type, IDENTIFIER)
    found: list[Resource] = []
    if not refused:
        try:
            found = server.search(resource_type, params)
        except (ForbiddenError, NotFoundError, RejectedError):
            refused = True
    if found or (lists.believes(resource_type, IDENTIFIER) and not refused):
        return found
    alone = {
        _key(each): each
        for value in values
        for each in server.search(resource_type, {**params, IDENTIFIER: value})
    }
    if refused:
        lists.refuse(resource_type, IDENTIFIER)
    return list(alone.values())


def _answered(
    shelf: list[Look], own: list[tuple[Look, list[Resource]]], lists: Lists
) -> dict[Look, list[Resource]]:
    """Return what each look of a type and parameter finds in the answers to the lists."""
    by_value: dict[str, dict[str, Resource]] = {}
    for some, resources in own:
        by_value |= {value: {} for value in some.values}
        for resource in resources:
            for value in _values(resource, some.name):
                by_value.setdefault(value, {})[_key(resource)] = resource
    asked = {value for some, _ in own for value in some.values}
    found: dict[Look, list[Resource]] = {}
    for look in shelf:
        if asked.issuperset(look.values):
            merged: dict[str, Resource] = {}
            for value in look.values:
                merged |= by_value[value]
            found[look] = list(merged.values())
    if len(shelf) == 1 and len(own) <= 1:
        (look,) = shelf  # The very search that would be made alone.
        sure = len(look.values) == 1 or lists.believes(look.resource_type, look.name)
        return found if sure or found.get(look) else {}
    for some, resources in own:
        if _is_proof(shelf, some, resources):
            lists.prove(some.resource_type, some.name)
    return found if lists.believes(shelf[0].resource_type, shelf[0].name) else {}


def _singles(look: Look) -> Iterator[Look]:
    """Yield a look for each value."""
    for value in look.values:
        yield look._replace(values=(value,))


def _is_proof(shelf: list[Look], some: Look, resources: list[Resource]) -> bool:
    """Tell whether one search found different resources for different looks."""
    here = [look for look in shelf if not set(some.values).isdisjoint(look.values)]
    sets = [{_key(each) for each in resources if look.finds(each)} for look in here]
    first = next((each for each in sets if each), set())
    return any(each and each.isdisjoint(first) for each in sets)


def _ask(server: Searching, some: Look, lists: Lists | None) -> list[Resource] | None:
    try:
        return server.search(some.resource_type, some.params)
    except (ForbiddenError, NotFoundError, RejectedError):
        if lists is not None:
            lists.refuse(some.resource_type, some.name)
    except ServerError:
        pass  # Whoever needs it asks alone, and hears why.
    return None


def _lists_of(shelf: list[Look], page: int) -> Iterator[Look]:
    """Yield all values of a type and parameter, each once, in as few searches as may be."""
    kind, name = shelf[0].resource_type, shelf[0].name
    some: list[str] = []
    length = 0
    for value in dict.fromkeys(value for look in shelf for value in look.values):
        own = len(quote(value, safe="")) + len("%2C")
        if some and (length + own > _LONGEST or len(some) == page):
            yield Look(kind, name, tuple(some))
            some, length = [], 0
        some.append(value)
        length += own
    if some:
        yield Look(kind, name, tuple(some))


def _key(resource: Resource) -> str:
    """Return `Type/id`; whoever takes the resource judges it."""
    return f"{resource['resourceType']}/{resource.get('id')}"


def _values(resource: Resource, name: str) -> frozenset[str]:
    if name == ID:
        return frozenset({str(resource.get("id"))})
    if name == PATIENT_PARAM:
        return frozenset({bare(str((subject_of(resource) or {}).get("reference", "")))})
    identifiers = resource.get("identifier", ())
    tokens = [
        Token(system, str(each.get("value", "")))
        for each in (identifiers if isinstance(identifiers, list) else [identifiers])
        if isinstance(each, dict)
        for system in (str(each.get("system", "")), "")
    ]
    return frozenset(map(search_token, tokens))
