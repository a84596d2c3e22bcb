"""What an access token allows on FHIR resources: its scopes, in one patient's compartment."""

import re
from dataclasses import dataclass
from typing import Any

from ivfhir.errors import ForbiddenError
from ivfhir.fhir.types import Resource
from smart_app.fake_ehr.grants import Access
from smart_app.smart.scopes import AUDIT_EVENT, GrantedScopes

_LETTERS = {"GET": "r", "PUT": "u", "PATCH": "u", "DELETE": "d", "POST": "c"}
_SUBJECTS = ("subject", "patient", "for")
_NOBODYS = frozenset({"Provenance"})
"""Types that name their patient through what they are about, not themselves."""

_LOCAL = re.compile(r"([A-Z][A-Za-z]+)(?:/([A-Za-z0-9\-.]{1,64}))?(?:\?(.*))?")


@dataclass(frozen=True)
class Rights:
    """The rights of one access token.

    Args:
        access: what was granted.
        practitioner: id of the user, whose own resource may be read with `fhirUser`.
        base: the FHIR base URL that apps see.
    """

    access: Access
    practitioner: str
    base: str

    def check(self, resource_type: str, letter: str, *, resource_id: str | None = None) -> None:
        """Refuse an interaction (c, r, u, d or s) that no scope grants.

        Raises:
            ForbiddenError: it is not granted.
        """
        own = resource_type == "Practitioner" and resource_id == self.practitioner and letter == "r"
        if own and "fhirUser" in self.access.scope.split():
            return
        if not GrantedScopes(self.access.scope).may(resource_type, letter):
            raise ForbiddenError(
                f"The scopes do not grant {letter!r} on {resource_type}.", status=403
            )

    def check_owner(self, resource: Resource) -> None:
        """Refuse a resource of another patient than the launch's.

        Raises:
            ForbiddenError: it is another's, or nobody's where it must be somebody's.
        """
        if not self.is_ours(resource):
            raise ForbiddenError(
                "The resource is outside the compartment of the launch's patient.", status=403
            )

    def is_ours(self, resource: Resource) -> bool:
        """Tell whether a resource belongs to the launch's patient, or to nobody."""
        kind = resource.get("resourceType")
        if kind == "Patient":
            return resource.get("id") == self.access.patient
        if kind == AUDIT_EVENT:
            owners = [
                entity["what"]["reference"]
                for entity in resource.get("entity", ())
                if _has_reference(entity.get("what")) and "Patient/" in entity["what"]["reference"]
            ]
            return bool(owners) and all(owner in self._patient for owner in owners)
        owners = [
            resource[name]["reference"] for name in _SUBJECTS if _has_reference(resource.get(name))
        ]
        if not owners:
            return kind in _NOBODYS or kind in (
                "Practitioner",
                "PractitionerRole",
                "Organization",
                "OperationOutcome",
            )
        return all(owner in self._patient for owner in owners)

    @property
    def _patient(self) -> set[str]:
        patient = f"Patient/{self.access.patient}"
        return {patient, f"{self.base}/{patient}"}

    def narrow(self, resource_type: str, query: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """Return a search's parameters, limited to the launch's patient.

        Raises:
            ForbiddenError: it asks for another patient, or reaches for other resources by `_has` or
                a chain.
        """
        patient = self.access.patient or ""
        own = {patient, f"Patient/{patient}", f"{self.base}/Patient/{patient}"}
        name = "_id" if resource_type == "Patient" else "patient"
        for key, value in query:
            if (
                key in ("patient", "subject", "patient:Patient", "subject:Patient", name)
                and value not in own
            ):
                raise ForbiddenError(
                    "The search asks for another patient than the launch's.", status=403
                )
            if key.startswith("_has") or "." in key:
                raise ForbiddenError("The search reaches beyond the launch's patient.", status=403)
        if resource_type == "Practitioner" or (
            resource_type == "Provenance" and any(k == "target" for k, _ in query)
        ):
            return query
        return query if any(key == name for key, _ in query) else [*query, (name, patient)]

    def check_entry(self, entry: dict[str, Any]) -> tuple[str, str | None]:
        """Refuse an entry of a transaction that may not be done, and return its type and id.

        Raises:
            ForbiddenError: scopes or compartment do not allow it, or it is no REST interaction on a
                type.
        """
        asked = entry.get("request")
        match = _LOCAL.fullmatch(str(asked.get("url", ""))) if isinstance(asked, dict) else None
        method = str(asked.get("method")) if isinstance(asked, dict) else ""
        if match is None or method not in _LETTERS:
            raise ForbiddenError(
                "The transaction holds an entry that this EHR does not allow.", status=403
            )
        resource_type, resource_id = match[1], match[2]
        letter = "s" if method == "GET" and resource_id is None else _LETTERS[method]
        self.check(resource_type, letter, resource_id=resource_id)
        if method in ("POST", "PUT"):
            resource = entry.get("resource")
            if not isinstance(resource, dict) or resource.get("resourceType") != resource_type:
                raise ForbiddenError(
                    "An entry's resource is of another type than its request.", status=403
                )
            self.check_owner(resource)
        return resource_type, resource_id if method in ("PUT", "PATCH", "DELETE") else None


def _has_reference(value: object) -> bool:
    return isinstance(value, dict) and isinstance(value.get("reference"), str)
