"""A cut of the syncs through a failing proxy; the long form is `make faults`."""

from tests.ivfhir.sync.through_faults import sync_often


def test_a_failing_server_ends_with_what_a_sound_one_has():
    tally = sync_often(30, seed=5)
    assert tally.wrong == []
    assert tally.syncs >= 30
    assert sum(tally.faults.values()) > 60
