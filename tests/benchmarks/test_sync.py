"""The benchmark of sync measures every way, and counts what it claims."""

import json

import pytest

from benchmarks.sync.__main__ import Rates, main


def test_rates_are_over_all_turns():
    rates = Rates()
    for plans in (1, 3):
        with rates.timed("loop", plans):
            pass
    assert rates.a_second()["loop"] > 0


@pytest.mark.server
def test_a_short_run_measures_every_way(capsys):
    words = ["--plans", "2", "--turns", "1", "--connections", "2", "--server", "sekmet"]
    assert main(words) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told) == {"server", "plansASecond", "ratio1", "ratio2", "secondSync"}
    assert set(told["plansASecond"]) == {"loop", "sync1", "sync1-again", "sync2", "sync2-again"}
    assert all(each > 0 for each in told["plansASecond"].values())
