"""One plan of a patient at a time, and threads that share the patients."""

import threading
from dataclasses import replace

from ivfhir.sync.lines import Lines
from ivfhir.sync.plans import SyncPlan


def plans(*patients):
    empty = SyncPlan("", {}, {}, {}, {}, (), "", "")
    return [
        replace(empty, name=str(number), care_plan={"subject": {"reference": f"Patient/{each}"}})
        for number, each in enumerate(patients)
    ]


def names(lines):
    return [line.plan.name for line in lines]


def test_a_patients_next_plan_comes_after_the_one_before():
    lines = Lines(plans("a", "a", "b", "a"), most=5)
    first, second = lines.take(), lines.take()
    assert (names(first), names(second)) == (["0"], ["2"])
    lines.give_back(second)
    lines.give_back(first)
    again = lines.take()
    assert names(again) == ["1"]
    lines.give_back(again)
    last = lines.take()
    assert names(last) == ["3"]
    lines.give_back(last)
    assert lines.take() == []


def test_the_last_group_is_half_of_the_others():
    lines = Lines(plans(*map(str, range(25))), most=10)
    taken = []
    while group := lines.take():
        taken.append(len(group))
        lines.give_back(group)
    assert taken == [10, 10, 5]


def test_who_finds_none_waits_for_those_that_others_have():
    lines = Lines(plans("a", "a"), most=5)
    first = lines.take()
    got = []
    thread = threading.Thread(target=lambda: got.extend(names(lines.take())))
    thread.start()
    lines.give_back(first)
    thread.join(10)
    assert got == ["1"]


def test_where_there_is_a_trial_nobody_else_begins_before_it_is_done():
    lines = Lines(plans(*map(str, range(25))), most=10, trial=2)
    first = lines.take()
    assert names(first) == ["0", "1"]
    got = []
    thread = threading.Thread(target=lambda: got.extend(lines.take()))
    thread.start()
    thread.join(0.2)
    assert got == []
    lines.give_back(first)
    thread.join(10)
    assert names(got) == [str(number) for number in range(2, 11)]


def test_few_lines_have_no_trial():
    assert len(Lines(plans(*"abcdefgh"), most=10, trial=2).take()) == 5
