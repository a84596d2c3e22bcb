"""Killed at any request, on a server that fails at random: nothing lost, doubled or half-written.

A cut of what `make faults` runs.
"""

import pytest

from tests.ivfhir.sync.kills import kill_often


def test_a_killed_sync_is_made_whole_by_the_next(sekmet):
    tally = kill_often(sekmet, 24, seed=7, name="cut")
    assert tally.wrong == []
    assert tally.kills == 24
    assert sum(tally.faults.values()) > 20


def test_nor_does_a_kill_lose_or_double_a_document(sekmet):
    tally = kill_often(sekmet, 8, seed=9, name="paper", documents=True)
    assert tally.wrong == []
    assert tally.kills == 8


@pytest.mark.server
def test_on_hapi_too(hapi):
    tally = kill_often(hapi, 16, seed=8, name="kill")
    assert tally.wrong == []
    assert tally.kills == 16
