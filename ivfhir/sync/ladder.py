"""How much a server takes: a transaction, single creates, the CarePlan alone, a document, nothing.

What the CapabilityStatement leaves open is tried; what it says, and what scopes were granted, is
believed.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from enum import Enum

from ivfhir.fhir.types import CARE_PLAN, DOCUMENT_REFERENCE, PROVENANCE, Resource
from ivfhir.sync.profiles import Profile
from ivfhir.writing.capabilities import read_write_support


class Rung(Enum):
    """A way of writing a plan, the best first; the value says what is lost by it."""

    TRANSACTION = ""
    SINGLES = "Written one by one: for a moment others may see a part of the plan."
    CONTAINED = "The CarePlan alone, its orders and goals contained: no work list shows them."
    DOCUMENT = (
        "A document to read, the plan's data attached to it: there is no CarePlan, and no work "
        "list shows its orders."
    )
    DOWNLOAD = "Nothing is written: the plan is given as files."

    @property
    def has_care_plan(self) -> bool:
        """Tell whether a CarePlan is written at all."""
        return self not in (Rung.DOCUMENT, Rung.DOWNLOAD)


_LETTERS = {"create": "c", "read": "r", "update": "u", "search-type": "s"}
_SCOPE = re.compile(r"system/(\*|[A-Z][A-Za-z]*)\.(\*|read|write|[cruds]+)")
_VERSION_1 = {"read": "rs", "write": "cud", "*": "cruds"}


def _everything(resource_type: str, letter: str) -> bool:
    return True


def allowed_by(scope: str) -> Callable[[str, str], bool]:
    """Return what tells whether system scopes allow a letter of c, r, u, d, s on a type.

    Where none of the words is a system scope they tell nothing, and everything is tried. What one
    says of a part of a type (`?…`) is left to the server.

    Source: https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
    """
    words = (each.partition("?")[0] for each in scope.split())
    found = [match for each in words if (match := _SCOPE.fullmatch(each))]
    if not found:
        return _everything
    granted = {
        (match[1], letter) for match in found for letter in _VERSION_1.get(match[2], match[2])
    }
    return lambda resource_type, letter: bool({(resource_type, letter), ("*", letter)} & granted)


@dataclass(frozen=True)
class Means:
    """What one server offers to a writer.

    Attributes:
        profile: its kind.
        system: codes of its system-level interactions; empty when it does not say.
        types: type -> its interactions; empty when it does not say.
        capabilities: the statement itself; None where it shows none.
        allows: tells whether the granted scopes allow a letter of c, r, u, d, s on a type.
    """

    profile: Profile
    system: frozenset[str]
    types: dict[str, frozenset[str]]
    capabilities: Resource | None
    allows: Callable[[str, str], bool] = _everything
    _found: dict[str, bool] = field(default_factory=dict, init=False, repr=False, compare=False)

    def rung(self, resource_types: Collection[str], *, lower: bool = False) -> Rung:
        """Return the best way for a plan of these types.

        Args:
            resource_types: those of the plan and its parts.
            lower: the server refused a transaction with types that it does not name, or has no
                transactions, of which it says nothing.
        """
        if not (self.profile.care_plan and self._may(CARE_PLAN, "create")):
            return Rung.DOCUMENT if self.takes_documents() else Rung.DOWNLOAD
        silent = self.silent(resource_types)
        barred = [
            each
            for each in resource_types
            if not self.allows(each, "c") or (each not in silent and not self._may(each, "create"))
        ]
        if barred or (silent and lower):
            return Rung.CONTAINED
        untold = not self.system and not (lower and self.types)
        if self.profile.transaction and (untold or "transaction" in self.system):
            return Rung.TRANSACTION  # Whole or nothing, so a type that is not named can be tried.
        # One by one only what can be found again: an answer may be lost after each.
        findable = read_write_support(self.capabilities, resource_types).conditional
        return Rung.SINGLES if not silent and set(resource_types) <= findable else Rung.CONTAINED

    def silent(self, resource_types: Collection[str]) -> frozenset[str]:
        """Return the types of which the server does not say whether it takes them."""
        return frozenset(resource_types) - set(self.types) if self.types else frozenset()

    def may_update(self, resource_type: str = CARE_PLAN) -> bool:
        """Tell whether the server lets a client change what is there."""
        named = resource_type in self.types
        allowed = self.profile.update and self.allows(resource_type, "u")
        return allowed and (not named or self._may(resource_type, "update"))

    def may_search(self, resource_type: str) -> bool:
        """Tell whether the server lets a client search a type."""
        return self._may(resource_type, "search-type")

    def finds(self, resource_type: str) -> bool:
        """Tell whether the server can search a type for an identifier."""
        if resource_type not in self._found:
            support = read_write_support(self.capabilities, [resource_type])
            self._found[resource_type] = resource_type in support.conditional
        return self._found[resource_type]

    def conditional(self, resource_type: str) -> bool:
        """Tell whether the server can create a type only when its identifier is new."""
        return self.profile.conditional_create and self.finds(resource_type)

    def takes_documents(self) -> bool:
        """Tell whether a document can be created, and looked for so that it is created once."""
        may = all(self._may(DOCUMENT_REFERENCE, each) for each in ("create", "search-type"))
        return self.profile.document and may

    def _may(self, resource_type: str, interaction: str) -> bool:
        if not self.allows(resource_type, _LETTERS[interaction]):
            return False
        if not self.types:
            return True
        codes = self.types.get(resource_type)
        return codes is not None and (not codes or interaction in codes)


def read_means(capabilities: Resource | None, profile: Profile) -> Means:
    """Return what a CapabilityStatement says about writing; None where the server shows none."""
    rests = (capabilities or {}).get("rest", ())
    rest: Resource = next((each for each in rests if each.get("mode") == "server"), {})
    system = frozenset(str(each.get("code")) for each in rest.get("interaction", ()))
    types = {
        str(each.get("type")): frozenset(
            str(code.get("code")) for code in each.get("interaction", ())
        )
        for each in rest.get("resource", ())
    }
    return Means(profile, system, types, capabilities)


def lost_on(rung: Rung, resource_types: Collection[str]) -> tuple[str, ...]:
    """Return what a plan of these types loses on a rung, a sentence each."""
    lost = [rung.value] if rung.value else []
    if rung is Rung.CONTAINED and PROVENANCE in resource_types:
        lost.append("Its Provenance is not written.")
    return tuple(lost)
