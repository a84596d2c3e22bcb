"""Random patients and wishes: every regimen gives what the specification's table gives."""

from collections import Counter
from decimal import Decimal

import pytest

from ivfhir.knowledge.regimens import load_regimens
from tests.ivfhir.doses_by_table import ROWS, expect, rounded
from tests.ivfhir.random_doses import disagreement, trials

COUNT, SEED = 460, 20250303


def test_the_table_has_every_regimen() -> None:
    assert set(ROWS) == set(load_regimens())


def test_each_regimen_gives_what_the_table_gives() -> None:
    """A cut; `python -m tests.ivfhir.random_doses 6000 1` tries more."""
    answers: Counter[str] = Counter()
    for number, trial in enumerate(trials(COUNT, SEED)):
        said = disagreement(trial)
        assert not said, f"trial {number}, {trial.parameters}, {trial.person}: {said}"
        code = expect(trial.person, trial.asked).code
        answers[f"{trial.asked.regimen} {code}"] += 1
    # It meets doses of every regimen that can give one, and each kind of refusal.
    assert {name for name in ROWS if answers[f"{name} 0"]} == set(ROWS) - {"RG-LU7"}
    for code in (0, 2, 3):
        assert sum(count for name, count in answers.items() if name.endswith(f" {code}")) > 50


@pytest.mark.parametrize(
    ("mg", "drawn_up"),
    [("134.4", 135), ("132.5", 130), ("132.51", 135), ("49.5", 49), ("49.51", 50), ("17.92", 18)],
)
def test_the_table_s_own_rounding(mg: str, drawn_up: int) -> None:
    assert rounded(Decimal(mg)) == drawn_up
