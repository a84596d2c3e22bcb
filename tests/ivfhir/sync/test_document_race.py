"""Writers that send plans of one patient and protocol at one moment to a server of documents."""

from contextlib import ExitStack

import pytest

from tests.ivfhir.sync.scene import patient, results, run, small, stored, write
from tests.ivfhir.sync.test_documents import ACCEPTED, DOCUMENTS, documents_only
from tests.ivfhir.sync.test_race import EARLY, LATE, MIDDLE, Between, Late
from tests.servers.fault_proxy import run_proxy

pytestmark = pytest.mark.server


def current(base):
    """Return the plans whose documents are current, by the value of their own identifier."""
    return sorted(
        each["description"]
        for each in stored(base, "DocumentReference")
        if each["status"] == "current"
    )


def meet(sekmet, tmp_path, *, ours=None, refuse=documents_only, stage="before", **other):
    """Sync a plan while another writer's comes between; return the row of ours, and the next."""
    patient(sekmet)
    mine = tmp_path / "mine"
    mine.mkdir()
    write(mine, "plan", small(created=MIDDLE, title="one", **(ours or {})))
    with ExitStack() as stack:
        theirs = stack.enter_context(run_proxy(sekmet, refuse=documents_only, statement=DOCUMENTS))
        between = Between(tmp_path, theirs.base, stage=stage, title="other", **other)
        proxy = stack.enter_context(
            run_proxy(sekmet, refuse=refuse, statement=DOCUMENTS, watch=between)
        )
        _, (row,), _ = run(mine, "--to", proxy.base)
        return row, results(mine, proxy.base), between


def test_an_older_one_that_came_between_is_superseded(sekmet, tmp_path):
    row, again, between = meet(sekmet, tmp_path, created=EARLY)
    assert between.found == ["created"]
    assert (row["result"], len(row["references"])) == ("superseded", 2)
    assert current(sekmet) == ["one"]
    assert again == ["unchanged"]


def test_a_newer_one_that_came_between_stays_and_ours_is_superseded_again(sekmet, tmp_path):
    row, again, _ = meet(sekmet, tmp_path, created=LATE)
    assert row["result"] == "refused"
    told = row["outcome"]["issue"][0]["diagnostics"]
    assert told == f"{row['references'][1]}, sent at the same time, stays for this protocol; " + (
        f"{row['references'][0]} was superseded again."
    )
    assert current(sekmet) == ["other"]
    assert again == ["unchanged"]


def test_of_two_of_one_moment_the_one_that_was_stored_first_stays(sekmet, tmp_path):
    row, _, _ = meet(sekmet, tmp_path, created=MIDDLE)
    assert row["result"] == "refused"
    assert current(sekmet) == ["other"]


def test_documents_that_a_search_does_not_show_yet_are_settled_by_the_next_run(sekmet, tmp_path):
    patient(sekmet)
    mine = tmp_path / "mine"
    mine.mkdir()
    write(mine, "plan", small(created=MIDDLE, title="one"))
    between, late = (
        Between(tmp_path, sekmet, created=EARLY, title="other"),
        Late(None, "DocumentReference"),
    )
    how = {"refuse": documents_only, "statement": DOCUMENTS}
    with run_proxy(sekmet, watch=between, answer=late, **how) as proxy:
        between.base = proxy.base
        _, (row,), _ = run(mine, "--to", proxy.base)
        assert (row["result"], between.found) == ("created", ["created"])
        assert "does not show it yet" in row["differences"][-1]["text"]
        assert current(sekmet) == ["one", "other"]
        late.looks = 0
        assert results(mine, proxy.base) == ["superseded"]
        assert results(mine, proxy.base) == ["unchanged"]
    assert current(sekmet) == ["one"]


@pytest.mark.parametrize("accepted", ["ours", "theirs"])
def test_an_accepted_plans_document_is_ended_by_no_proposals(sekmet, tmp_path, accepted):
    ours, theirs = (ACCEPTED, {}) if accepted == "ours" else ({}, ACCEPTED)
    created = LATE if accepted == "ours" else EARLY
    row, _, _ = meet(sekmet, tmp_path, ours=ours, created=created, **theirs)
    assert row["result"] == ("superseded" if accepted == "ours" else "refused")
    assert current(sekmet) == ["one" if accepted == "ours" else "other"]


def test_one_of_another_protocol_is_left_alone(sekmet, tmp_path):
    row, _, _ = meet(sekmet, tmp_path, created=LATE, instantiatesCanonical=["https://x.example/Q"])
    assert row["result"] == "created"
    assert current(sekmet) == ["one", "other"]


def test_one_that_the_server_lets_nobody_end_is_told(sekmet, tmp_path):
    def lose(asked):
        return 403 if asked.method == "PUT" else documents_only(asked)

    row, _, _ = meet(sekmet, tmp_path, refuse=lose, created=EARLY)
    assert row["result"] == "created"
    (line,) = (each for each in row["differences"] if "could not be ended" in each["text"])
    assert line["reference"] == row["references"][1]
    assert current(sekmet) == ["one", "other"]


def test_a_writer_that_died_before_it_looked_settles_it_when_it_comes_back(sekmet, tmp_path):
    """No look succeeds after its document arrived, until the next run."""
    patient(sekmet)
    mine = tmp_path / "mine"
    mine.mkdir()
    write(mine, "plan", small(created=MIDDLE, title="one"))
    sent = False

    def refuse(asked):
        nonlocal sent
        sent = sent or asked.writes
        return 403 if sent and not asked.writes else documents_only(asked)

    with ExitStack() as stack:
        theirs = stack.enter_context(run_proxy(sekmet, refuse=documents_only, statement=DOCUMENTS))
        between = Between(tmp_path, theirs.base, title="other", created=EARLY)
        proxy = stack.enter_context(
            run_proxy(sekmet, refuse=refuse, statement=DOCUMENTS, watch=between)
        )
        assert results(mine, proxy.base) == ["parked"]
        assert current(sekmet) == ["one", "other"]
        proxy.refuse = documents_only
        assert results(mine, proxy.base) == ["superseded"]
        assert results(mine, proxy.base) == ["unchanged"]
    assert current(sekmet) == ["one"]
