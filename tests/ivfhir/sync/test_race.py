"""Writers that send plans of one patient and protocol at the same moment."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ivfhir.sync.race import last_of
from tests.ivfhir.sync.scene import named, patient, put, results, run, small, stored, write
from tests.servers.fault_proxy import Asked, FaultProxy, run_proxy

EARLY, MIDDLE, LATE = (f"2025-03-0{day}T10:00:00+01:00" for day in (1, 3, 5))


class Between:
    """Another writer, whose plan arrives just before or after this one's is sent."""

    def __init__(self, folder: Path, base: str, *, stage: str = "before", **plan: Any) -> None:
        """Write the other's plan into a folder of its own."""
        self.base, self.stage, self.waits = base, stage, True
        self.folder = folder / "other"
        self.folder.mkdir()
        write(self.folder, "plan", named("other", **plan))
        self.found: list[str] = []

    def __call__(self, stage: str, asked: Asked) -> None:
        """Send it at the first write."""
        if self.waits and stage == self.stage and asked.writes:
            self.waits = False
            self.found = results(self.folder, self.base)


def meet(sekmet: str, tmp_path: Path, **other: Any) -> tuple[dict[str, Any], Between, FaultProxy]:
    """Sync a plan while another writer's comes between; return the row of ours."""
    patient(sekmet)
    mine = tmp_path / "mine"
    mine.mkdir()
    write(mine, "plan", small(created=MIDDLE))
    between = Between(tmp_path, sekmet, **other)
    with run_proxy(sekmet, watch=between) as proxy:
        _, rows, sentence = run(mine, "--to", proxy.base)
        assert rows, sentence
        again = results(mine, proxy.base)
    assert again == ["unchanged"]
    return rows[0], between, proxy


def open_plans(sekmet: str) -> list[str]:
    """Return the identifiers of the plans that are open."""
    return [
        next(each["value"] for each in plan["identifier"] if "example.org" in each["system"])
        for plan in stored(sekmet, "CarePlan")
        if plan["status"] == "draft"
    ]


def order_statuses(sekmet: str) -> list[str]:
    return sorted(each["status"] for each in stored(sekmet, "ServiceRequest"))


def test_an_older_one_that_came_between_is_revoked_with_its_orders(sekmet, tmp_path):
    row, between, _ = meet(sekmet, tmp_path, created=EARLY)
    assert between.found == ["created"]
    assert row["result"] == "superseded"
    assert len(row["references"]) == 2
    assert open_plans(sekmet) == ["one"]
    assert order_statuses(sekmet) == ["draft", "revoked"]


def test_a_newer_one_that_came_between_stays_and_ours_is_revoked_again(sekmet, tmp_path):
    row, _, _ = meet(sekmet, tmp_path, created=LATE)
    assert row["result"] == "refused"
    told = row["outcome"]["issue"][0]["diagnostics"]
    assert told == f"{row['references'][1]}, sent at the same time, stays for this protocol; " + (
        f"{row['references'][0]} was revoked again."
    )
    assert open_plans(sekmet) == ["other"]
    assert order_statuses(sekmet) == ["draft", "revoked"]


def test_of_two_of_one_moment_the_one_that_was_stored_first_stays(sekmet, tmp_path):
    row, _, _ = meet(sekmet, tmp_path, created=MIDDLE)
    assert row["result"] == "refused"
    assert open_plans(sekmet) == ["other"]


def test_one_of_another_protocol_is_left_alone(sekmet, tmp_path):
    row, _, _ = meet(sekmet, tmp_path, created=LATE, instantiatesCanonical=["https://x.example/Q"])
    assert row["result"] == "created"
    assert sorted(open_plans(sekmet)) == ["one", "other"]


def test_a_writer_that_died_before_it_looked_settles_it_when_it_comes_back(sekmet, tmp_path):
    """No look succeeds after its plan arrived, until the next run."""
    patient(sekmet)
    mine = tmp_path / "mine"
    mine.mkdir()
    write(mine, "plan", small(created=MIDDLE))
    between = Between(tmp_path, sekmet, created=EARLY)
    sent = False

    def refuse(asked: Asked) -> int | None:
        nonlocal sent
        sent = sent or asked.writes
        return 403 if sent and not asked.writes else None

    with run_proxy(sekmet, watch=between, refuse=refuse) as proxy:
        assert results(mine, proxy.base) == ["parked"]
        assert sorted(open_plans(sekmet)) == ["one", "other"]
        proxy.refuse = lambda _: None
        assert results(mine, proxy.base) == ["superseded"]
    assert open_plans(sekmet) == ["one"]


class Late:
    """A server whose search by patient shows no plan until it was asked so often.

    Args:
        looks: how often; None until `looks` is changed.
        kind: what plans are sent as.
    """

    def __init__(self, looks: int | None, kind: str = "CarePlan") -> None:
        """Show nothing yet."""
        self.looks, self.kind, self.asked = looks, kind, 0

    def __call__(self, asked: Asked, body: Any) -> Any:
        """Return the answer as such a server gives it."""
        if asked.method != "GET" or not re.search(rf"{self.kind}\?.*patient=", asked.path):
            return body
        self.asked += 1
        is_late = self.looks is None or self.asked <= self.looks
        return {**body, "total": 0, "entry": []} if is_late else body


@contextmanager
def beside_an_unseen_one(
    sekmet: str, tmp_path: Path, *, created: str, looks: int | None
) -> Iterator[tuple[Path, Between, Late, str]]:
    """Yield our plan's folder, another writer on the same late server, that server, its base."""
    patient(sekmet)
    mine = tmp_path / "mine"
    mine.mkdir()
    write(mine, "plan", small(created=MIDDLE))
    between, late = Between(tmp_path, sekmet, created=created), Late(looks)
    with run_proxy(sekmet, watch=between, answer=late) as proxy:
        between.base = proxy.base
        yield mine, between, late, proxy.base


@pytest.mark.parametrize(
    ("other", "result", "stays"), [(EARLY, "superseded", "one"), (LATE, "refused", "other")]
)
def test_writers_that_do_not_see_each_other_yet_are_settled_by_the_next_run(
    sekmet, tmp_path, other, result, stays
):
    with beside_an_unseen_one(sekmet, tmp_path, created=other, looks=None) as (
        mine,
        between,
        late,
        base,
    ):
        for again in ("created", "unchanged"):
            _, (row,), _ = run(mine, "--to", base)
            assert (row["result"], between.found) == (again, ["created"])
            (told,) = row["differences"]
            assert told["text"].startswith("The server's search does not show it yet")
            assert sorted(open_plans(sekmet)) == ["one", "other"]
        late.looks = 0
        assert results(mine, base) == [result]
        assert open_plans(sekmet) == [stays]
        before = late.asked
        assert results(mine, base) == ["unchanged"]
    assert late.asked == before


def test_a_plan_that_is_changed_before_others_were_seen_is_settled_all_the_same(sekmet, tmp_path):
    with beside_an_unseen_one(sekmet, tmp_path, created=EARLY, looks=None) as (mine, _, late, base):
        assert results(mine, base) == ["created"]
        write(mine, "plan", small(created=MIDDLE, title="Another title"))
        late.looks = 0
        assert results(mine, base) == ["updated"]
        assert results(mine, base) == ["superseded"]
        assert results(mine, base) == ["unchanged"]
    assert open_plans(sekmet) == ["one"]


def test_a_search_that_shows_a_plan_after_a_while_is_waited_for(sekmet, tmp_path):
    with beside_an_unseen_one(sekmet, tmp_path, created=EARLY, looks=3) as (mine, _, _, base):
        _, (row,), _ = run(mine, "--to", base)
    assert (row["result"], row["differences"]) == ("superseded", [])
    assert open_plans(sekmet) == ["one"]


def overlook_patient(asked: Asked) -> None:
    """Search as a server does that overlooks the parameter `patient`, which R4 allows."""
    asked.path = re.sub(r"(?<=[?&])patient=[^&]*", "", asked.path)


@pytest.mark.parametrize(("theirs", "stage"), [(EARLY, ""), (LATE, ""), (LATE, "before")])
def test_another_patients_plan_is_none_of_ours_whatever_a_search_brings(
    sekmet, tmp_path, theirs, stage
):
    patient(sekmet)
    put(sekmet, {"resourceType": "Patient", "id": "other"})
    bare = small(contained=None, goal=None, activity=None, created=theirs, identifier=None)
    other = {**bare, "id": "theirs", "subject": {"reference": "Patient/other"}}
    mine = tmp_path / "mine"
    mine.mkdir()
    write(mine, "plan", small(created=MIDDLE))

    def come(now: str, asked: Asked) -> None:
        if now == stage and asked.writes:
            put(sekmet, other)

    if not stage:
        put(sekmet, other)
    with run_proxy(sekmet, change=overlook_patient, watch=come) as proxy:
        assert results(mine, proxy.base) == ["created"]
    assert [plan["status"] for plan in stored(sekmet, "CarePlan")] == ["draft", "draft"]


@pytest.mark.parametrize("status", ["completed", "revoked"])
def test_a_plan_that_is_sent_as_ended_leaves_open_plans_alone(sekmet, tmp_path, status):
    patient(sekmet)
    write(tmp_path, "a", named("open", created=EARLY))
    ended = named("done", created=LATE, status=status, intent="plan")
    write(tmp_path, "b", ended)
    assert results(tmp_path, sekmet) == ["created", "created"]
    assert open_plans(sekmet) == ["open"]
    assert sorted(each["status"] for each in stored(sekmet, "CarePlan")) == sorted(
        ["draft", status]
    )
    assert order_statuses(sekmet) == ["draft", "draft"]


def test_a_plan_that_is_sent_as_ended_does_not_choose_between_other_peoples(sekmet, tmp_path):
    patient(sekmet)
    for number in "12":
        bare = named(f"o{number}", contained=None, goal=None, activity=None, created=EARLY)
        put(sekmet, {**bare, "id": f"o{number}"})
    write(tmp_path, "b", named("done", created=LATE, status="completed", intent="plan"))
    _, (row,), _ = run(tmp_path, "--to", sekmet)
    assert (row["result"], len(row["references"])) == ("created", 1)
    assert sorted(open_plans(sekmet)) == ["o1", "o2"]


@pytest.mark.parametrize(
    ("others", "stays"),
    [
        ([{"created": LATE}, {"created": EARLY}], "0"),
        ([{"created": EARLY}, {"created": LATE}], "1"),
        ([{"created": None}, {"created": LATE}], "0"),
        ([{"created": LATE}, {"created": EARLY, "status": "active"}], "1"),
        ([{"created": LATE}, {"created": EARLY, "intent": "plan"}], "1"),
        ([{"created": "2025-03"}, {"created": "2025-03-05"}], "0"),
    ],
)
def test_which_one_stays_does_not_hang_on_who_looks(others, stays):
    plans = [
        small(**each, id=str(number), meta={"lastUpdated": f"2025-04-01T00:00:0{number}Z"})
        for number, each in enumerate(others)
    ]
    assert last_of(plans)["id"] == stays
    assert last_of(plans[::-1])["id"] == stays
