"""A resource beside R4's definitions: everything that is wrong with it."""

from ivfhir.fhir.types import Json
from ivfhir.validation.bindings import unbound_codes
from ivfhir.validation.bundles import wrong_addresses
from ivfhir.validation.consistency import contradictions
from ivfhir.validation.extensions import wrong_extensions
from ivfhir.validation.issue import Issue
from ivfhir.validation.references import entries_of, wrong_targets
from ivfhir.validation.rules import broken_rules
from ivfhir.validation.structure import MAX_ISSUES, Structure, Visited

SEVERITIES = ("error", "warning", "information")
TOO_MANY = "too-many"


def validate_resource(raw: Json) -> list[Issue]:
    """Return what is wrong with a resource: shape, types, formats, codes, references, R4's rules.

    Args:
        raw: parsed JSON; nothing of it is changed.

    Returns:
        Issues as they are met, those of the shape first. A rule is not asked of an element whose
        own value is of another kind than its type. Of more than MAX_ISSUES the errors are kept
        before the warnings, and a last issue says that the rest is not shown.
    """
    broken: list[Issue] = []
    entries = entries_of(raw)

    def visit(visited: Visited) -> None:
        broken.extend(wrong_targets(visited, entries))
        broken.extend(wrong_addresses(visited))
        broken.extend(contradictions(visited))
        broken.extend(wrong_extensions(visited))
        broken.extend(unbound_codes(visited))
        broken.extend(broken_rules(visited))

    structure = Structure(visit)
    structure.resource(raw)
    return _shown([*structure.issues, *broken])


def _shown(issues: list[Issue]) -> list[Issue]:
    if len(issues) <= MAX_ISSUES:
        return issues
    most = sorted(issues, key=lambda each: SEVERITIES.index(each.severity))[:MAX_ISSUES]
    text = f"More than {MAX_ISSUES} issues were found; the rest is not shown, errors come first."
    return [*most, Issue("information", "informational", "", text, TOO_MANY, ())]
