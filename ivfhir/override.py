"""An override, a plan against the protocol's answer: its kinds in words, its reason free text."""

from collections.abc import Mapping
from types import MappingProxyType

OVERRIDE_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "tumour-board": "tumour-board decision",
        "judgement": "clinical judgement",
        "trial": "trial",
        "outside-the-record": "facts known outside the record",
        "other": "other reason",
    }
)
"""Kinds as `--override-kind` names them -> words inside a sentence."""


def override_words(kind: str | None, reason: str) -> str:
    """Return `Override (tumour-board decision): …` for a note; without a kind, without brackets."""
    named = f" ({OVERRIDE_KINDS.get(kind, kind)})" if kind else ""
    return f"Override{named}: {reason}"
