"""A cut of the writers that race; the long form is `make faults`."""

import pytest

from tests.ivfhir.sync.writers import LATE_S, race_often, without_if_match, without_the_newest
from tests.servers.fault_proxy import run_proxy

pytestmark = pytest.mark.server


def test_of_plans_that_six_writers_send_at_once_the_newest_stays(sekmet: str) -> None:
    tally = race_often(sekmet, writers=6, rounds=3, seed=1, name="racing")
    assert (tally.rounds, tally.wrong) == (3, [])
    assert tally.results.total() == 18


def test_so_it_does_where_the_server_ignores_if_match(sekmet: str) -> None:
    with run_proxy(sekmet, change=without_if_match) as proxy:
        tally = race_often(proxy.base, writers=4, rounds=2, seed=2, name="careless")
    assert (tally.rounds, tally.wrong) == (2, [])


def test_so_it_does_where_the_server_finds_late_what_it_stored(sekmet: str) -> None:
    with run_proxy(sekmet, answer=without_the_newest) as proxy:
        tally = race_often(proxy.base, writers=4, rounds=2, seed=4, name="late", late_s=LATE_S)
    assert (tally.rounds, tally.wrong) == (2, [])


def test_so_it_does_on_hapi(hapi: str) -> None:
    tally = race_often(hapi, writers=4, rounds=2, seed=3, name="hapi")
    assert (tally.rounds, tally.wrong) == (2, [])
