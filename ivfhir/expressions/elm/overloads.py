"""Which of several functions of one name a call means: the one whose operands are nearest."""

from ivfhir.expressions.elm import types as t
from ivfhir.expressions.fhir_model import is_a
from ivfhir.expressions.values.value import Value


def distance(wanted: list[t.ElmType], declared: list[t.ElmType]) -> int:
    """Return how far types of arguments are from those of operands.

    0 the same, more for looser fits.
    """
    return sum(step(a, b) for a, b in zip(wanted, declared, strict=True))


def step(a: t.ElmType, b: t.ElmType) -> int:
    """Return how far one type is from another."""
    if a == b:
        return 0
    if isinstance(a, t.ListOf) and isinstance(b, t.ListOf):
        return step(a.element, b.element)
    if isinstance(b, t.ChoiceOf):
        return min(1 + step(a, option) for option in b.options)
    if (
        isinstance(a, str)
        and isinstance(b, str)
        and a.startswith("FHIR.")
        and b.startswith("FHIR.")
    ):
        return 2 if is_a(a.removeprefix("FHIR."), b.removeprefix("FHIR.")) else 100
    return 10 if t.ANY in (a, b) or a == t.NULL else 100


def operand_types(definition: dict[str, Value]) -> list[t.ElmType]:
    """Return the declared types of a function's operands."""
    return [t.from_specifier(specifier_of(operand)) for operand in definition.get("operand", [])]


def specifier_of(operand: dict[str, Value]) -> dict[str, Value] | None:
    """Return the type specifier of an operand, however the translator wrote it."""
    if "operandTypeSpecifier" in operand:
        specifier: dict[str, Value] = operand["operandTypeSpecifier"]
        return specifier
    if "operandType" in operand:
        return {"type": "NamedTypeSpecifier", "name": operand["operandType"]}
    return None
