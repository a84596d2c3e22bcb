"""What has to be obtained: one line a need."""

from collections.abc import Sequence

from ivfhir.wording.concepts import OBTAIN, concept

ONE_NEED = (("creatinine", "egfr"),)
"""Concepts of which either will do: one need."""


def needs(keys: Sequence[str]) -> list[tuple[str, str]]:
    """Return name (as it begins a line) and how to obtain it, one line a need, in order.

    Where either of two will do, they are one need: `Creatinine or eGFR`.
    """
    others = dict(ONE_NEED)
    either = {first: second for first, second in others.items() if {first, second} <= set(keys)}
    return [
        (
            f"{concept(key)} or {concept(either[key])}" if key in either else concept(key),
            OBTAIN.get(key, ""),
        )
        for key in dict.fromkeys(keys)
        if key not in either.values()
    ]
