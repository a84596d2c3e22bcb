"""Whether codes are of the value sets that a profile binds elements to.

http://hl7.org/fhir/R4/terminologies.html#strength
"""

from dataclasses import dataclass
from difflib import get_close_matches

from ivfhir.fhir.r4 import lineage_of
from ivfhir.packages.codes import Codes
from ivfhir.validation.bindings import FEW, FORMS, VALUE_SETS
from ivfhir.validation.profile.discriminators import codings_of, is_member
from ivfhir.validation.profile.items import Item
from ivfhir.validation.profile.told import listed

CODED = frozenset({"code", "uri", "string", "Coding", "CodeableConcept", "Quantity"})


@dataclass(frozen=True, slots=True)
class Unbound:
    """What is wrong with a code: the severity, what is said, and what the profile expects."""

    severity: str
    text: str
    expected: str = ""


def unbound(item: Item, strength: str, value_set: str, codes: Codes | None) -> Unbound | None:
    """Return what is wrong with the codes of an element, None where nothing is.

    A code outside a required value set is an error, outside an extensible one a warning. Where it
    cannot be told, a required one is a warning, an extensible one information: never silent.

    Args:
        item: the element; of one that holds no codes nothing is wrong.
        strength: required or extensible.
        value_set: canonical.
        codes: of the value set, None where nobody has it.
    """
    name = value_set.partition("|")[0].removeprefix(VALUE_SETS)
    coded = not CODED.isdisjoint(lineage_of(item.type_name))
    if not coded or item.value is None or name in FORMS:
        return None
    is_in = is_member(item, codes)
    if is_in:
        return None
    required = strength == "required"
    if is_in is None:
        why = "is not known here" if codes is None else "cannot be listed whole"
        said = f"is bound to the value set {value_set}, which {why}, so it is not checked"
        return Unbound("warning" if required else "information", said)
    severity = "error" if required else "warning"
    said = _outside(item, codes or Codes())
    modal = "asks for one of" if required else "recommends one of"
    return Unbound(severity, said, f"{modal} the value set {name}{_listed(codes or Codes())}")


def _outside(item: Item, codes: Codes) -> str:
    if isinstance(item.value, str):
        return f"is '{item.value[:60]}'{_meant(item.value, codes)}"
    found = codings_of(item)
    if not found:
        return "has no code"
    system, code = found[0]
    if system is None:
        having = sorted(system for system in codes.listed if codes.has(system, code))
        whose = f"; {listed(having)} has it" if having else ""
        return f"has the code '{code[:60]}' without a system{whose}"
    return f"has '{code[:60]}' of {system[:80]}{_meant(code, codes)}"


def _meant(code: str, codes: Codes) -> str:
    every = [each for some in codes.listed.values() for each in some]
    near = get_close_matches(code, every, 1) if FEW < len(every) <= 10 * FEW else []
    return f" (is {near[0]} meant?)" if near else ""


def _listed(codes: Codes) -> str:
    every = sorted(code for each in codes.listed.values() for code in each)
    return f": {', '.join(every)}" if codes.is_whole and 0 < len(every) <= FEW else ""
