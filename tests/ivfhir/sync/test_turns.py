"""One plan of a patient of the server at a time."""

import threading

from ivfhir.sync.turns import Turns


def test_a_turn_is_had_by_one_until_it_is_given_back():
    turns = Turns()
    assert turns.take("Patient/a")
    assert not turns.take("Patient/a")
    assert turns.take("Patient/b")
    turns.give_back(["Patient/a", "Patient/b"])
    assert turns.take("Patient/a")


def test_whoever_waits_has_it_next():
    turns, seen = Turns(), []
    assert turns.take("Patient/a")

    def wait():
        with turns.wait_for("Patient/a"):
            seen.append(turns.take("Patient/a"))

    thread = threading.Thread(target=wait)
    thread.start()
    thread.join(0.05)
    assert thread.is_alive()
    turns.give_back(["Patient/a"])
    thread.join(10)
    assert seen == [False]
    assert turns.take("Patient/a")
