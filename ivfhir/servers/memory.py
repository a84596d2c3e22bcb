"""A repository in memory: for tests, demos and what is already at hand."""

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from urllib.parse import parse_qs

from ivfhir.errors import NotFoundError, RejectedError, VersionConflictError
from ivfhir.fhir.references import identifier_tokens, renamed_references, subject_of
from ivfhir.fhir.types import BUNDLE, PATIENT, Resource


class MemoryRepository:
    """Resources by type and id, with versions, as a FHIR server keeps them.

    It knows the search parameters `patient`, `subject`, `target`, `identifier`, `_tag` and `_id`,
    each with alternatives after commas; `_count` and `_sort` change nothing. Others are refused, so
    that no search seems wider than it is.
    """

    def __init__(
        self, resources: Iterable[Resource] = (), *, new_id: Callable[[], str] | None = None
    ) -> None:
        """Hold copies of the resources.

        Args:
            resources: each with `resourceType` and `id`.
            new_id: names created resources; `1`, `2`, … by default.
        """
        self._stored: dict[tuple[str, str], Resource] = {}
        self._created = 0
        self._new_id = new_id or self._next_number
        for resource in resources:
            self._put(deepcopy(resource))

    def read(self, resource_type: str, resource_id: str) -> Resource:
        """Return the resource.

        Raises:
            NotFoundError: there is none of that type and id.
        """
        stored = self._stored.get((resource_type, resource_id))
        if stored is None:
            raise NotFoundError(f"There is no such {resource_type}; check the id.", status=404)
        return deepcopy(stored)

    def search(self, resource_type: str, params: Mapping[str, str]) -> list[Resource]:
        """Return every match, in the order of creation.

        Raises:
            RejectedError: a parameter is not known.
        """
        return [
            deepcopy(resource)
            for (stored_type, _), resource in self._stored.items()
            if stored_type == resource_type
            and all(_matches(resource, name, value) for name, value in params.items())
        ]

    def transact(self, bundle: Resource, *, prefer: str | None = None) -> Resource:
        """Carry out a transaction Bundle, wholly or not at all: http://hl7.org/fhir/R4/http.html#trules.

        POST (with `ifNoneExist` by identifier) and PUT (with `ifMatch`) are known.

        Raises:
            RejectedError: it is no transaction, or holds another method.
            VersionConflictError: `ifMatch` names an older version.
        """
        if bundle.get("type") != "transaction":
            raise RejectedError("Only a transaction Bundle can be sent.", status=400)
        before = dict(self._stored)
        try:
            return self._carry_out(bundle["entry"])
        except (RejectedError, VersionConflictError):
            self._stored = before
            raise

    def operation(self, path: str, parameters: Resource) -> Resource:
        """Refuse: nothing is computed here."""
        raise NotFoundError(f"There is no operation {path} here.", status=404)

    def capabilities(self) -> Resource:
        """Return a CapabilityStatement that says what `transact` and `search` can do."""
        return {
            "resourceType": "CapabilityStatement",
            "fhirVersion": "4.0.1",
            "format": ["json"],
            "rest": [{"mode": "server", "interaction": [{"code": "transaction"}]}],
        }

    def _carry_out(self, entries: list[Resource]) -> Resource:
        names: dict[str, str] = {}
        targets = [self._target(entry, names) for entry in entries]
        answers = []
        for entry, (status, key) in zip(entries, targets, strict=True):
            if status != "200 found":
                renamed = renamed_references(entry["resource"], names)
                self._put({**renamed, "id": key[1]})
            stored = self._stored[key]
            location = f"{key[0]}/{key[1]}/_history/{stored['meta']['versionId']}"
            response = {"status": status, "location": location}
            answers.append({"resource": deepcopy(stored), "response": response})
        return {"resourceType": BUNDLE, "type": "transaction-response", "entry": answers}

    def _target(self, entry: Resource, names: dict[str, str]) -> tuple[str, tuple[str, str]]:
        """Return the status and the type and id of an entry; note the name it will be known by."""
        request, resource = entry["request"], entry["resource"]
        resource_type = resource["resourceType"]
        if request["method"] == "POST":
            condition = request.get("ifNoneExist")
            params = {k: v[0] for k, v in parse_qs(condition).items()} if condition else {}
            found = self.search(resource_type, params) if params else []
            resource_id = found[0]["id"] if found else self._new_id()
            status = "200 found" if found else "201 created"
        elif request["method"] == "PUT":
            resource_id = request["url"].rpartition("/")[2]
            self._check_version((resource_type, resource_id), request.get("ifMatch"))
            status = (
                "200 updated" if (resource_type, resource_id) in self._stored else "201 created"
            )
        else:
            raise RejectedError(f"{request['method']} is not known here.", status=400)
        if "fullUrl" in entry:
            names[entry["fullUrl"]] = f"{resource_type}/{resource_id}"
        return status, (resource_type, resource_id)

    def _check_version(self, key: tuple[str, str], if_match: str | None) -> None:
        stored = self._stored.get(key)
        version = stored["meta"]["versionId"] if stored else None
        if if_match is not None and if_match != f'W/"{version}"':
            raise VersionConflictError(f"The {key[0]} changed since it was read.", status=412)

    def _put(self, resource: Resource) -> None:
        key = (resource["resourceType"], resource["id"])
        older = self._stored.get(key)
        version = int(older["meta"]["versionId"]) + 1 if older else 1
        meta = {**resource.get("meta", {}), "versionId": str(version)}
        self._stored[key] = {**resource, "meta": meta}

    def _next_number(self) -> str:
        self._created += 1
        return str(self._created)


def _matches(resource: Resource, name: str, values: str) -> bool:
    if name in {"_count", "_sort"}:
        return True
    if name not in _SEARCHES:
        raise RejectedError(f"The search parameter {name} is not known here.", status=400)
    return any(_SEARCHES[name](resource, value) for value in values.split(","))


def _has_token(held: frozenset[tuple[str, str]], wanted: str) -> bool:
    system, bar, value = wanted.rpartition("|")
    return any(value == v and (not bar or system == s) for s, v in held)


def _tags(resource: Resource) -> frozenset[tuple[str, str]]:
    tags = resource.get("meta", {}).get("tag", [])
    return frozenset((tag.get("system", ""), tag["code"]) for tag in tags)


def _is_about(resource: Resource, patient: str) -> bool:
    wanted = patient if "/" in patient else f"{PATIENT}/{patient}"
    return (subject_of(resource) or {}).get("reference") == wanted


def _points_to(resource: Resource, reference: str) -> bool:
    return any(target.get("reference") == reference for target in resource.get("target", []))


_SEARCHES: Mapping[str, Callable[[Resource, str], bool]] = {
    "_id": lambda resource, value: bool(resource["id"] == value),
    "_tag": lambda resource, value: _has_token(_tags(resource), value),
    "identifier": lambda resource, value: _has_token(
        identifier_tokens(resource.get("identifier")), value
    ),
    "patient": _is_about,
    "target": _points_to,
    "subject": _is_about,
}
