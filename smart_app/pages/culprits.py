"""Which facts block: those without which a failed criterion would not fail.

Found by asking again: each resource that a failed criterion rests on is left out once, and the
protocol is evaluated without it. No rule of a protocol is known here.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ivfhir.evaluate import evaluate_protocol
from ivfhir.fhir.references import reference_of
from ivfhir.knowledge.load import ClinicalProtocol
from smart_app.pages.facts import Fact, FactWriter
from smart_app.visit.reading import Reading

_MOST = 12
"""Resources that are tried; a protocol that fails on more is named by its criteria."""


def find_culprits(
    protocol: ClinicalProtocol, reading: Reading, entry: Mapping[str, Any], writer: FactWriter
) -> list[Fact]:
    """Return the facts that block, each once; empty when none alone makes the difference.

    Args:
        protocol: the protocol.
        reading: the record.
        entry: the Decision's entry of the protocol.
        writer: turns evidence into facts.
    """
    failed = [criterion for criterion in entry["criteria"] if criterion["id"] in entry["failed"]]
    tried = dict.fromkeys(
        evidence["reference"]
        for criterion in failed
        for evidence in criterion.get("evidence", ())
        if str(evidence.get("reference", "")).partition("/")[0] not in ("", "Patient")
    )
    if entry["status"] != "ineligible" or len(tried) > _MOST:
        return []
    culprits: dict[Fact, None] = {}
    for reference in tried:
        freed = _passes_without(protocol, reading, reference, failed)
        for criterion in failed:
            if criterion["id"] in freed:
                for evidence in criterion["evidence"]:
                    if evidence.get("reference") == reference:
                        culprits[writer.fact(evidence)] = None
    return list(culprits)


def _passes_without(
    protocol: ClinicalProtocol, reading: Reading, reference: str, failed: list[Mapping[str, Any]]
) -> frozenset[str]:
    """Return the ids of the failed criteria that no longer fail when the resource is left out."""
    rest = tuple(each for each in reading.record.resources if reference_of(each) != reference)
    record = replace(reading.record, resources=rest)
    decision = evaluate_protocol(protocol, record, as_of=reading.as_of).decision.to_json()
    return frozenset(criterion["id"] for criterion in failed) - frozenset(decision["failed"])
