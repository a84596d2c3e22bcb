"""What no record here tells, so that a clinician has to say it for this patient."""

from collections.abc import Collection

from ivfhir.errors import ParameterError
from ivfhir.knowledge.dosing_rules import dosing_rules


def check_confirmed(confirmed: Collection[str]) -> frozenset[str]:
    """Return the ids that were confirmed.

    Raises:
        ParameterError: one is unknown.
    """
    statements = dosing_rules().statements
    unknown = sorted(set(confirmed) - set(statements))
    if unknown:
        raise ParameterError(
            f"confirmed holds {', '.join(unknown)}, which means nothing here; it may hold "
            f"{', '.join(statements)}."
        )
    return frozenset(confirmed)
