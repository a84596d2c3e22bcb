"""A server some of whose answers were fetched in advance, each to be used once.

Whatever was not fetched, is asked a second time or has grown old is asked of the server itself. So
code that looks, acts and looks again sees each time what is there, and need not know of this.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from ivfhir.errors import NotFoundError
from ivfhir.fhir.common_elements import has_common_shape
from ivfhir.fhir.references import reference_of
from ivfhir.fhir.typed import object_in, objects_in
from ivfhir.fhir.types import CARE_PLAN, DOCUMENT_REFERENCE, Resource
from ivfhir.servers.http import Stored
from ivfhir.sync.bulk import ID, Lists, Look, search_any
from ivfhir.sync.door import WritableServer

FRESH_S = 20.0
"""Seconds for which an answer counts: far below those within which writers count as together."""


class Foreseen:
    """A `WritableServer` for one plan.

    Args:
        server: the server.
        clock: returns seconds that only ever grow.
        shows: the server is known to answer a transaction, where it is asked to, with what it
            stored; so the answer counts as the look at what it created. Not at the plan itself,
            which is read: a transaction that is there in part is there whole.
        lists: what is known of its comma lists; nothing by default.
    """

    def __init__(
        self,
        server: WritableServer,
        clock: Callable[[], float],
        *,
        shows: bool = False,
        lists: Lists | None = None,
    ) -> None:
        """Know nothing yet."""
        self._lists = lists if lists is not None else Lists()
        self._server = server
        self._clock = clock
        self._shows = shows
        self._found: dict[Look, list[Resource]] = {}
        self._held: dict[str, Resource | None] = {}
        self._absent: set[str] = set()
        self._until = 0.0

    def learn(
        self, answers: Mapping[Look, list[Resource]], *, asked_at: float, all_there: bool = False
    ) -> None:
        """Keep answers beside those of earlier that were not used yet.

        Args:
            answers: look -> what it finds.
            asked_at: what the clock said before the server was asked.
            all_there: what a list of ids did not find is not there, and need not be read alone.
        """
        if not self._is_fresh():
            self.forget()
        until = asked_at + FRESH_S
        self._until = min(self._until, until) if self._found or self._held else until
        for look, resources in answers.items():
            if look.name == ID:
                found = {reference_of(each): each for each in resources}
                asked = [f"{look.resource_type}/{each}" for each in look.values]
                self._held |= dict.fromkeys(asked) | found
                self._absent.update(set(asked) - found.keys() if all_there else ())
            else:
                self._found[look] = resources

    def forget(self) -> None:
        """Ask the server itself from now on."""
        self._found.clear()
        self._held.clear()
        self._absent.clear()

    def read(self, resource_type: str, resource_id: str) -> Resource:
        """Return the resource, as stored."""
        reference = f"{resource_type}/{resource_id}"
        if self._is_fresh() and reference in self._absent:
            self._held.pop(reference, None)
            self._absent.remove(reference)
            raise NotFoundError(f"The server has no {reference}.")
        held = self._taken(resource_type, [resource_id]) if self._is_fresh() else []
        return held[0] if held else self._server.read(resource_type, resource_id)

    def search(self, resource_type: str, params: Mapping[str, str]) -> list[Resource]:
        """Return every match."""
        if len(params) == 1:
            ((name, values),) = params.items()
            if name == ID:
                ids = values.split(",")
                if self._is_fresh() and all(
                    f"{resource_type}/{each}" in self._held for each in ids
                ):
                    return self._taken(resource_type, ids)
            elif self._is_fresh():
                for look in self._found:
                    if (look.resource_type, look.params) == (resource_type, dict(params)):
                        return self._found.pop(look)
        return search_any(self._server, resource_type, params, self._lists)

    def _is_fresh(self) -> bool:
        return self._clock() < self._until

    def _taken(self, resource_type: str, ids: Iterable[str]) -> list[Resource]:
        taken = (self._held.pop(f"{resource_type}/{each}", None) for each in ids)
        return [each for each in taken if each is not None]

    def transact(self, bundle: Resource, *, prefer: str | None = None) -> Resource:
        """Send a transaction; what was fetched before it no longer counts."""
        self.forget()
        if not self._shows:
            return self._server.transact(bundle, prefer=prefer)
        asked_at = self._clock()
        answer = self._server.transact(bundle, prefer="representation")
        self._held |= {reference_of(each): each for each in _created(answer)}
        self._until = asked_at + FRESH_S
        return answer

    def found(self, look: Look) -> list[Resource] | None:
        """Return what a search found that was not used yet; None where it is not known."""
        return self._found.get(look) if self._is_fresh() else None

    def holds(self, look: Look) -> bool:
        """Return whether all that a look asks for is known."""
        if look.name != ID:
            return self.found(look) is not None
        asked = (f"{look.resource_type}/{each}" for each in look.values)
        return self._is_fresh() and all(self._held.get(each) for each in asked)

    def operation(self, path: str, parameters: Resource) -> Resource:
        """POST a resource to an operation."""
        return self._server.operation(path, parameters)

    def capabilities(self) -> Resource:
        """Return the CapabilityStatement."""
        return self._server.capabilities()

    def create(self, resource: Resource, *, if_none_exist: str | None = None) -> Stored:
        """Create one resource; what was fetched before no longer counts."""
        self.forget()
        return self._server.create(resource, if_none_exist=if_none_exist)

    def update(self, resource: Resource, *, if_match: str | None = None) -> Stored:
        """Replace one resource; what was fetched before no longer counts."""
        self.forget()
        return self._server.update(resource, if_match=if_match)


def _created(answer: Resource) -> Iterator[Resource]:
    """Yield the resources that an answer to a transaction shows as created, but for the plan."""
    for entry in objects_in(answer, "entry"):
        resource, response = entry.get("resource"), object_in(entry, "response")
        if not isinstance(resource, dict) or not has_common_shape(resource):
            continue
        place = str(response.get("location", "")).split("/_history/", maxsplit=1)[0]
        is_whole = bool(resource.get("id") and resource.get("meta", {}).get("versionId"))
        if (
            resource["resourceType"] not in (CARE_PLAN, DOCUMENT_REFERENCE)
            and str(response.get("status", "")).startswith("201")
            and is_whole
            and f"/{place}".endswith(f"/{reference_of(resource)}")
        ):
            yield resource
