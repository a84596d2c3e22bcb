"""Whether coded elements hold codes of the value sets that R4 binds them to.

http://hl7.org/fhir/R4/terminologies.html#strength
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from ivfhir.fhir.r4 import lineage_of
from ivfhir.fhir.r4.code_systems import code_system_of
from ivfhir.fhir.r4.value_sets import Codes, codes_of
from ivfhir.fhir.typed import objects_in, text_in
from ivfhir.fhir.types import UCUM
from ivfhir.validation.issue import Issue, Place, ended
from ivfhir.validation.structure import Visited

FEW = 12
"""So many codes are listed in a message."""
FORMATS = frozenset({"xml", "json", "ttl"})
"""R4's own short names of media types: http://hl7.org/fhir/R4/http.html#parameters"""
TEXTS = frozenset({"code", "uri"})
"""Types that are a code by themselves; R4 binds three elements of uri to names of types."""
CODING, CONCEPT = "Coding", "CodeableConcept"
CODED = frozenset({CODING, CONCEPT}) | TEXTS
QUANTITY = "Quantity"
REFERENCE = "Reference"
VALUE_SETS = "http://hl7.org/fhir/ValueSet/"
_CURRENCY = re.compile("[A-Z]{3}")
_MEDIA_TYPE = re.compile(
    r"[\w!#$&^.+-]+/[\w!#$&^.+-]+(\s*;\s*[\w!#$&^.+-]+=(\"[^\"]*\"|[^\s;]+))*", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Bound:
    """A coded element and what it is bound to.

    Attributes:
        visited: the element.
        strength: required or extensible.
        value_set: canonical.
    """

    visited: Visited
    strength: str
    value_set: str

    @property
    def name(self) -> str:
        """The value set, as short as it can be said."""
        return self.value_set.partition("|")[0].removeprefix(VALUE_SETS)

    def issue(self, severity: str, text: str) -> Issue:
        """Return an issue of this element."""
        place = self.visited.place
        rule = f"binding-{self.strength}"
        said = ended(f"{place.expression} {text}")
        return Issue(severity, "code-invalid", place.expression, said, rule, place.pointer)


def wrong_codes(visited: Visited) -> list[Issue]:
    """Return what is wrong with the codes of an element.

    A code outside a required value set is an error, outside an extensible one a warning; a value
    set whose codes R4 does not list is a warning where it is required. A code that its own code
    system does not have is an error whatever the element is bound to.
    """
    if visited.slot.type_name not in CODED:
        # A Quantity, or what specialises it, has a code for its unit.
        return _unknown_unit(visited)
    bound = _unbound(visited)
    if any(each.severity == "error" for each in bound):
        return bound
    return _unknown(visited) or bound


def _unbound(visited: Visited) -> list[Issue]:
    element, type_name = visited.slot.element, visited.slot.type_name
    if element is None or element.binding is None:
        return []
    bound = Bound(visited, *element.binding)
    if visited.value is None:
        return _without_value(bound)
    check = FORMS.get(bound.name)
    if check is not None:
        return check(bound)
    codes = codes_of(bound.value_set)
    if codes is None:
        return _not_known(bound)
    if type_name in TEXTS:
        return _code(bound, codes)
    return _concept(bound, codes)


def _without_value(bound: Bound) -> list[Issue]:
    """Say that extensions alone are no code of a required value set."""
    if bound.strength != "required" or bound.visited.slot.type_name != "code":
        return []
    text = f"has no code; R4 asks for one of the value set {bound.name}, also where it is unknown"
    return [bound.issue("error", text)]


def _unknown(visited: Visited) -> list[Issue]:
    """Return an issue for each coding whose own code system does not have its code."""
    value: Any = visited.value
    if visited.slot.type_name == CODING:
        # Those of a CodeableConcept are asked with it.
        alone = visited.slot.owner != CONCEPT
        return _unknown_coding(value, visited.place) if alone else []
    if visited.slot.type_name != CONCEPT:
        return []
    return [
        issue
        for index, each in enumerate(objects_in(value, "coding"))
        for issue in _unknown_coding(each, Place(visited.place, "coding", "coding", index))
    ]


def _unknown_unit(visited: Visited) -> list[Issue]:
    value: Any = visited.value
    if not isinstance(value, dict) or "system" not in value:
        return []
    is_quantity = QUANTITY in lineage_of(visited.slot.type_name)
    return _unknown_coding(value, visited.place) if is_quantity else []


def _unknown_coding(coding: dict[str, Any], place: Place) -> list[Issue]:
    system, code = text_in(coding, "system"), text_in(coding, "code")
    if system is None or code is None:
        return []
    known = code_system_of(system)
    if known is None or known.has(code):
        return []
    every = sorted(known.codes)
    near = get_close_matches(code, every, 1) or [e for e in every if e.lower() == code.lower()]
    meant = f"; is {near[0]} meant?" if near else _listed(every)
    text = f"has the code '{code[:60]}', which {system} does not have{meant}"
    said = ended(f"{place.expression} {text}")
    return [Issue("error", "code-invalid", place.expression, said, "code-unknown", place.pointer)]


def _not_known(bound: Bound) -> list[Issue]:
    if bound.strength != "required":
        return []
    text = f"must be of the value set {bound.value_set}, whose codes are not known here; look"
    return [bound.issue("warning", text)]


def _code(bound: Bound, codes: Codes) -> list[Issue]:
    code = bound.visited.value
    if not isinstance(code, str) or any(code in each for each in codes.values()):
        return []
    slot = bound.visited.slot
    if slot.type_name == "uri" and ":" in code and slot.owner != REFERENCE:
        return []  # a type of FHIRPath, or of a logical model
    newer = _moving(codes) and _CURRENCY.fullmatch(code) is not None
    severity = "error" if bound.strength == "required" and not newer else "warning"
    return [bound.issue(severity, f"is '{code[:60]}', {_outside(bound, codes, code)}")]


def _concept(bound: Bound, codes: Codes) -> list[Issue]:
    """Ask for one code of the value set among the codings."""
    value: Any = bound.visited.value
    rows = [value] if bound.visited.slot.type_name == CODING else objects_in(value, "coding")
    said = [(text_in(each, "system"), text_in(each, "code")) for each in rows]
    known = [(system, code) for system, code in said if code is not None]
    if any(_is_in(codes, system, code) for system, code in known if system is not None):
        return []
    severity = "error" if bound.strength == "required" and not _moving(codes) else "warning"
    if not known:
        return [bound.issue(severity, f"has no code; {_wanted(bound, codes)}")]
    first = known[0][1]
    if any(
        system is None and any(code in each for each in codes.values()) for system, code in known
    ):
        text = f"has the code '{first[:60]}' without a system; say {' or '.join(sorted(codes))}"
        return [bound.issue(severity, text)]
    return [bound.issue(severity, f"has '{first[:60]}', {_outside(bound, codes, first)}")]


def _is_in(codes: Codes, system: str, code: str) -> bool:
    """Return whether a code is in a value set, in any case where its system has it so."""
    some = codes.get(system, frozenset())
    if code in some or not some:
        return code in some
    own = code_system_of(system)
    case_counts = own is None or own.case_counts
    return not case_counts and code.lower() in {each.lower() for each in some}


def _moving(codes: Codes) -> bool:
    """Return whether somebody else than HL7 adds codes to the set: R4's list may be old."""
    return any(system.startswith("urn:iso:") for system in codes)


def _outside(bound: Bound, codes: Codes, code: str) -> str:
    every = sorted(code for each in codes.values() for code in each)
    near = get_close_matches(code, every, 1) or [e for e in every if e.lower() == code.lower()]
    meant = f"; is {near[0]} meant?" if near and len(every) > FEW else ""
    return f"which is not in the value set {bound.name}{meant or _listed(every)}"


def _wanted(bound: Bound, codes: Codes) -> str:
    every = sorted(code for each in codes.values() for code in each)
    modal = "R4 asks for" if bound.strength == "required" else "R4 recommends"
    return f"{modal} one of the value set {bound.name}{_listed(every)}"


def _listed(every: list[str]) -> str:
    return f": {', '.join(every)}" if len(every) <= FEW else ""


def _media_type(bound: Bound) -> list[Issue]:
    value = bound.visited.value
    if not isinstance(value, str) or value in FORMATS or _MEDIA_TYPE.fullmatch(value):
        return []
    return [
        bound.issue(
            "warning", f"is '{value[:60]}', which is no media type; write one such as text/plain"
        )
    ]


def _unit(bound: Bound) -> list[Issue]:
    """Ask for UCUM as the system; whether the code is one of UCUM is asked elsewhere."""
    value: Any = bound.visited.value
    codings = objects_in(value, "coding") if isinstance(value, dict) else []
    if any(each.get("system") == UCUM for each in codings):
        return []
    severity = "error" if bound.strength == "required" else "warning"
    return [bound.issue(severity, f"has no unit of UCUM; say the system {UCUM}")]


FORMS: dict[str, Callable[[Bound], list[Issue]]] = {"mimetypes": _media_type, "ucum-units": _unit}
"""Value sets without a list, that are known by the form of their codes."""
