"""Random records, plain and twisted: every protocol says what the specification's rules say."""

from collections import Counter

from ivfhir.knowledge.load import load_protocols
from tests.ivfhir.judged_by_table import Record, tables
from tests.ivfhir.random_records import disagreements, records

COUNT, SEED = 300, 20250303


def test_the_table_has_every_protocol() -> None:
    assert set(tables()["protocols"]) == set(load_protocols())


def test_random_records_are_judged_as_the_table_judges_them() -> None:
    """A cut; `python -m tests.ivfhir.random_records 4000 1` tries more."""
    truths: Counter[tuple[str, bool | None]] = Counter()
    statuses: Counter[str] = Counter()
    for number, record in enumerate(records(COUNT, SEED)):
        assert disagreements(record) == [], f"record {number}"
        judged = Record(record.patient, record.resources)
        for protocol in tables()["protocols"]:
            judgement = judged.judge(protocol)
            statuses[judgement.status] += 1
            truths.update((name, truth) for (name, _), truth in judgement.truths.items())
    # Every criterion is met with every answer: LMET-I02 has no FALSE, K-STD is seldom open.
    never = {("LMET-I02", False), ("K-STD", None)}
    for name in tables()["criteria"]:
        for truth in (True, False, None):
            assert truths[name, truth] or (name, truth) in never, f"{name} is never {truth}"
    assert min(statuses[s] for s in ("eligible", "indeterminate", "ineligible")) > 10
