"""A series that is stopped goes on where it was."""

from collections import Counter
from dataclasses import dataclass, field

from tests.long_runs import carry_on, chance_of, keep


@dataclass
class Tally:
    rounds: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def test_a_tally_comes_back_as_it_was_kept(tmp_path):
    state = tmp_path / "state.json"
    carry_on(Tally(), state)
    keep(Tally(3, Counter(late=2), ["lost"]), state)
    tally = Tally()
    carry_on(tally, state)
    tally.faults["late"] += 1
    assert tally == Tally(3, Counter(late=3), ["lost"])


def test_a_round_draws_the_same_chance_again():
    assert chance_of(1, 2).random() == chance_of(1, 2).random() != chance_of(1, 3).random()
