"""SMART scopes, versions 1 and 2: what to ask for, and what was granted.

Source:
    https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#scopes-for-requesting-fhir-resources
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property

from ivfhir.fhir.types import DOCUMENT_REFERENCE

_SCOPE = re.compile(r"(patient|user)/(\*|[A-Z][A-Za-z]*)\.(\*|read|write|[cruds]+)(\?.+)?")
# "Scope requests with undefined or out of order interactions MAY be ignored by the server": by us,
# too.
_VERSION_2 = re.compile(r"c?r?u?d?s?")
_VERSION_1 = {"read": "rs", "write": "cud", "*": "cruds"}

AUDIT_EVENT = "AuditEvent"


@dataclass(frozen=True)
class GrantedScopes:
    """The scopes of a launch, as granted and as asked for, both as text."""

    text: str
    asked: str = ""

    @cached_property
    def _whole(self) -> dict[str, frozenset[str]]:
        """Interactions allowed on all of a type's resources."""
        return self._interactions(narrowed=False)

    @cached_property
    def _narrowed(self) -> dict[str, frozenset[str]]:
        """Interactions allowed on a part of a type's resources (`…?category=…`)."""
        return self._interactions(narrowed=True)

    def _interactions(self, *, narrowed: bool) -> dict[str, frozenset[str]]:
        found: dict[str, frozenset[str]] = {}
        for scope in self.text.split():
            match = _SCOPE.fullmatch(scope)
            if match is None or (match[4] is not None) is not narrowed:
                continue
            letters = _VERSION_1.get(match[3], match[3])
            if match[3] in _VERSION_1 or _VERSION_2.fullmatch(letters):
                found[match[2]] = found.get(match[2], frozenset()) | frozenset(letters)
        return found

    def may(self, resource_type: str, interaction: str) -> bool:
        """Tell whether an interaction (c, r, u, d, s) is granted on all resources of the type."""
        return any(interaction in self._whole.get(name, ()) for name in (resource_type, "*"))

    @property
    def readable_types(self) -> frozenset[str] | None:
        """The types that may be searched in full; None when a wildcard grants every type.

        Patient counts when it may be read: the app reads it by its id.
        """
        if self.may("*", "r") and self.may("*", "s"):
            return None
        types = frozenset(
            name for name in self._whole if self.may(name, "r") and self.may(name, "s")
        )
        return types | {"Patient"} if self.may("Patient", "r") else types

    @property
    def partial_types(self) -> frozenset[str]:
        """The types of which only a part may be searched: absence from it proves nothing."""
        types = frozenset(name for name, letters in self._narrowed.items() if "s" in letters)
        whole = self.readable_types
        return frozenset() if whole is None else types - whole


def audit_scope(
    capabilities: Collection[str], supported: Iterable[str], *, unnamed: bool
) -> str | None:
    """Return the scope with which the EHR lets its audit events be created; None for none.

    A wildcard does not count: that the EHR knows `patient/*.cruds` does not say that it lets apps
    write audit events, and some refuse a whole sign-in for one scope that they do not grant.

    Args:
        capabilities: as for `scopes_to_ask`.
        supported: the scopes that its `.well-known/smart-configuration` names.
        unnamed: ask although it is not named.
    """
    named = _named(AUDIT_EVENT, supported)
    if not named and not unnamed:
        return None
    context = named[0].partition("/")[0] if named else "patient"
    return f"{context}/{AUDIT_EVENT}.{'write' if _is_version_1(capabilities) else 'c'}"


def names_documents(supported: Iterable[str]) -> bool:
    """Tell whether the scopes that an EHR names let a document be created; see `audit_scope`."""
    return bool(_named(DOCUMENT_REFERENCE, supported))


def _named(resource_type: str, supported: Iterable[str]) -> list[str]:
    """Return the scopes that name the type and let it be created, in order."""
    return sorted(
        scope
        for scope in supported
        if (match := _SCOPE.fullmatch(scope)) is not None
        and match[2] == resource_type
        and GrantedScopes(scope).may(resource_type, "c")
    )


def _is_version_1(capabilities: Collection[str]) -> bool:
    return "permission-v1" in capabilities and "permission-v2" not in capabilities


def scopes_to_ask(
    capabilities: Collection[str],
    *,
    read_types: Iterable[str],
    write_types: Iterable[str],
    standalone: bool,
    offline: bool = False,
    audit: str | None = None,
    documents: bool = False,
) -> str:
    """Return the scopes to ask an EHR for, in the version it understands, nothing more than needed.

    Args:
        capabilities: those of its `.well-known/smart-configuration`; one that names no version is
            asked in version 2.
        read_types: resource types to read and search.
        write_types: resource types to create, and to update on a second try.
        standalone: no EHR launch, so that the EHR must let the user choose a patient.
        offline: where the EHR renews no token of an online session, ask for one that outlives it.
        audit: that of `audit_scope`.
        documents: ask for documents, too: where a plan can go in as nothing else.
    """
    version_1 = _is_version_1(capabilities)
    words = ["openid", "fhirUser", "launch/patient" if standalone else "launch"]
    if "permission-online" in capabilities:
        words.append("online_access")
    elif offline and "permission-offline" in capabilities:
        words.append("offline_access")
    interactions: dict[str, str] = {name: "rs" for name in read_types}
    for name in (*write_types, *([DOCUMENT_REFERENCE] if documents else [])):
        interactions[name] = "crus"
    for name, letters in sorted(interactions.items()):
        if version_1:
            words.append(f"patient/{name}.read")
            words += [f"patient/{name}.write"] if "c" in letters else []
        else:
            words.append(f"patient/{name}.{letters}")
    return " ".join([*words, audit] if audit else words)
