"""Servers of fewer means: a real one behind a proxy that refuses what such a server refuses."""

import json
from urllib.parse import unquote

import pytest

from ivfhir.errors import RejectedError
from ivfhir.servers.http import Stored
from ivfhir.servers.memory import MemoryRepository
from ivfhir.sync.door import Door
from ivfhir.sync.ladder import Rung, read_means
from ivfhir.sync.profiles import Profile
from tests.ivfhir.sync.scene import named, patient, put, results, run, small, stored, write
from tests.servers.fault_proxy import run_proxy

LATER = "2025-04-03T10:00:00+01:00"
PARTS = ("RequestGroup", "ServiceRequest", "Goal")
ALL = ("CarePlan", *PARTS)


def offering(types=ALL, *, without=(), system=("transaction",), software="a server"):
    """Return a function that makes a CapabilityStatement say this."""
    codes = [each for each in ("read", "create", "update", "search-type") if each not in without]

    def statement(own):
        theirs = {each["type"]: each for each in own["rest"][0]["resource"]}
        rest = {
            "mode": "server",
            "interaction": [{"code": each} for each in system],
            "resource": [
                {
                    "type": each,
                    "interaction": [{"code": code} for code in codes],
                    "searchParam": theirs.get(each, {}).get("searchParam") or [{"name": "_id"}],
                }
                for each in (*types, "Patient")
            ],
        }
        return own | {"software": {"name": software}, "rest": [rest]}

    return statement


def is_transaction(asked):
    return asked.method == "POST" and asked.path.strip("/") == ""


def no_transactions(asked):
    return 405 if is_transaction(asked) else None


def settings(folder, base, profile):
    path = folder / "ivfhir.toml"
    path.write_text(f'[[server]]\nname = "it"\nurl = "{base}"\nprofile = "{profile}"\n')
    return path


ONE_BY_ONE = offering(system=("batch",))
ALONE = offering(("CarePlan",), system=("batch",))


@pytest.mark.server
def test_without_transactions_each_resource_is_created_after_those_it_names(clinic, plans):
    write(plans, "plan", clinic.plan("one"))
    with run_proxy(clinic.base, refuse=no_transactions, statement=ONE_BY_ONE) as proxy:
        _, (row,), _ = run(plans, "--to", proxy.base)
        assert row["result"] == "created"
        order = [each.path for each in proxy.writes if each.method == "POST"]
        assert order[-1] == "/CarePlan"
        assert order.index("/ServiceRequest") < order.index("/RequestGroup")
        sent = len(proxy.writes)
        assert results(plans, proxy.base) == ["unchanged"]
        assert len(proxy.writes) == sent
    plan, request = clinic.stored("CarePlan")[0], clinic.stored("ServiceRequest")[0]
    assert request["basedOn"] == [{"reference": f"CarePlan/{plan['id']}"}]  # Added at the end.
    assert any("one by one" in each["text"] for each in row["differences"])


@pytest.mark.server
def test_a_newer_plan_supersedes_there_too(clinic, plans):
    write(plans, "a", clinic.plan("old"))
    write(plans, "b", clinic.plan("new", created=LATER))
    with run_proxy(clinic.base, refuse=no_transactions, statement=ONE_BY_ONE) as proxy:
        assert results(plans, proxy.base) == ["created", "superseded"]
        assert results(plans, proxy.base) == ["unchanged", "unchanged"]
    assert sorted(each["status"] for each in clinic.stored("CarePlan")) == ["draft", "revoked"]
    assert sorted(each["status"] for each in clinic.stored("ServiceRequest")) == [
        "draft",
        "revoked",
    ]


@pytest.mark.server
def test_what_a_refusal_leaves_half_is_marked_and_a_later_run_makes_it_whole(clinic, plans):
    write(plans, "plan", clinic.plan("one"))

    def no_plan(asked):
        is_plan = asked.method == "POST" and asked.path == "/CarePlan"
        return no_transactions(asked) or (422 if is_plan else None)

    with run_proxy(clinic.base, refuse=no_plan, statement=ONE_BY_ONE) as proxy:
        code, (row,), _ = run(plans, "--to", proxy.base)
        assert (code, row["result"]) == (6, "parked")
        issues = row["outcome"]["issue"]
        assert "marked as entered in error" in issues[0]["diagnostics"]
        assert issues[1]["diagnostics"] == "not allowed here"
        assert [each["status"] for each in clinic.stored("ServiceRequest")] == ["entered-in-error"]
        proxy.refuse = no_transactions
        assert results(plans, proxy.base) == ["created"]
    assert sorted(each["status"] for each in clinic.stored("ServiceRequest")) == [
        "draft",
        "entered-in-error",
    ]
    group = [each for each in clinic.stored("RequestGroup") if each["status"] == "draft"]
    target = group[0]["action"][0]["resource"]["reference"]
    drafts = [each for each in clinic.stored("ServiceRequest") if each["status"] == "draft"]
    assert target == f"ServiceRequest/{drafts[0]['id']}"


def ends(asked, kind):
    """Tell whether a request ends a resource of a type."""
    is_put = asked.method == "PUT" and asked.path.startswith(f"/{kind}/")
    return is_put and asked.json()["status"] == "revoked"


@pytest.fixture
def after_an_older(sekmet, tmp_path):
    """A folder with a newer plan of a patient; the server has the older one, with its orders."""
    patient(sekmet)
    older, newer = tmp_path / "older", tmp_path / "newer"
    older.mkdir()
    newer.mkdir()
    write(older, "plan", named("old"))
    write(newer, "plan", named("new", created=LATER))
    assert results(older, sekmet) == ["created"]
    return newer


def statuses(base):
    return sorted(each["status"] for each in stored(base, "CarePlan"))


def test_an_order_of_the_older_plan_that_may_not_be_ended_takes_the_newer_plan_not_away(
    sekmet, after_an_older
):
    def refuse(asked):
        return no_transactions(asked) or (422 if ends(asked, "ServiceRequest") else None)

    with run_proxy(sekmet, refuse=refuse, statement=ALONE) as proxy:
        _, (row,), _ = run(after_an_older, "--to", proxy.base)
    (order,) = stored(sekmet, "ServiceRequest")
    assert row["result"] == "superseded"
    assert statuses(sekmet) == ["draft", "revoked"]
    assert {
        "reference": f"ServiceRequest/{order['id']}",
        "text": "It was to be revoked, and is not known to be.",
    } in row["differences"]


def test_where_the_older_plan_may_not_be_ended_the_newer_one_comes_once_it_may(
    sekmet, after_an_older
):
    def refuse(asked):
        return no_transactions(asked) or (422 if ends(asked, "CarePlan") else None)

    with run_proxy(sekmet, refuse=refuse, statement=ALONE) as proxy:
        assert results(after_an_older, proxy.base) == ["parked"]
        assert statuses(sekmet) == ["draft", "entered-in-error"]
        proxy.refuse = no_transactions
        assert results(after_an_older, proxy.base) == ["superseded"]
    assert statuses(sekmet) == ["draft", "entered-in-error", "revoked"]


def test_orders_of_an_older_plan_end_though_a_try_broke_before_them(
    sekmet, after_an_older, monkeypatch
):
    monkeypatch.setattr("ivfhir.sync.retries.FIRST_PAUSE_S", 0.01)
    left = ["503"]

    def fault(asked):
        return left.pop() if ends(asked, "ServiceRequest") and left else None

    how = {"refuse": no_transactions, "statement": ALONE}
    with run_proxy(sekmet, fault=fault, **how) as proxy:
        _, (row,), _ = run(after_an_older, "--to", proxy.base)
        assert results(after_an_older, proxy.base) == ["unchanged"]
    assert row["result"] == "superseded"
    assert len(row["references"]) == 2
    (order,) = stored(sekmet, "ServiceRequest")
    assert (order["status"], left) == ("revoked", [])


def test_a_transaction_that_is_not_offered_after_all_is_asked_for_once(sekmet, plans):
    patient(sekmet)
    write(plans, "plan", small())
    with run_proxy(sekmet, refuse=no_transactions, statement=offering(("CarePlan",))) as proxy:
        _, (row,), _ = run(plans, "--to", proxy.base)
    assert row["result"] == "created"
    assert sum(map(is_transaction, proxy.asked)) == 1
    assert any("contained" in each["text"] for each in row["differences"])


@pytest.mark.parametrize("status", [404, 405, 501])
def test_where_nothing_is_said_of_transactions_and_there_are_none_a_plan_is_written_one_by_one(
    sekmet, plans, status
):
    def none(asked):
        return status if is_transaction(asked) else None

    patient(sekmet)
    goalless = small(contained=[small()["contained"][1]], goal=None)
    activity = [{"reference": {"reference": "#look"}}]
    write(plans, "plan", goalless | {"activity": activity})
    with run_proxy(sekmet, refuse=none, statement=offering(system=())) as proxy:
        _, (row,), _ = run(plans, "--to", proxy.base)
        assert row["result"] == "created"
        assert any("one by one" in each["text"] for each in row["differences"])
        assert results(plans, proxy.base) == ["unchanged"]
    assert [len(stored(sekmet, each)) for each in ("CarePlan", "ServiceRequest")] == [1, 1]


def test_what_is_refused_as_wrong_is_not_tried_one_by_one(sekmet, plans):
    patient(sekmet)
    write(plans, "plan", small())

    def wrong(asked):
        return 422 if is_transaction(asked) else None

    with run_proxy(sekmet, refuse=wrong, statement=offering(system=())) as proxy:
        assert results(plans, proxy.base) == ["parked"]
        assert len(proxy.writes) == 1


def test_a_server_of_care_plans_alone_gets_one_that_contains_the_rest(sekmet, plans):
    patient(sekmet)
    write(plans, "plan", small())

    def plans_only(asked):
        kinds = (
            [entry["resource"]["resourceType"] for entry in asked.json()["entry"]]
            if (is_transaction(asked))
            else [asked.path.strip("/").partition("/")[0]]
        )
        return 422 if asked.writes and set(kinds) - {"CarePlan"} else None

    with run_proxy(sekmet, refuse=plans_only, statement=offering(("CarePlan",))) as proxy:
        _, (row,), _ = run(plans, "--to", proxy.base)
        assert row["result"] == "created"
        assert any("contained" in each["text"] for each in row["differences"])
        assert results(plans, proxy.base) == ["unchanged"]
        (plans / ".ivfhir-sync.sqlite3").unlink()
        assert results(plans, proxy.base) == ["unchanged"]
        write(plans, "plan", small(title="Another"))
        assert results(plans, proxy.base) == ["updated"]
    (plan,) = stored(sekmet, "CarePlan")
    assert sorted(each["resourceType"] for each in plan["contained"]) == sorted(PARTS)
    assert plan["title"] == "Another"
    assert all(stored(sekmet, each) == [] for each in PARTS)


def test_a_server_that_takes_no_care_plan_is_told(sekmet, plans):
    patient(sekmet)
    write(plans, "plan", small())
    with run_proxy(sekmet, statement=offering(PARTS)) as proxy:
        _, (row,), _ = run(plans, "--to", proxy.base)
        assert row["result"] == "refused"
        assert "CarePlan" in row["outcome"]["issue"][0]["diagnostics"]
        assert proxy.writes == []


def test_a_create_only_server_gets_plans_and_no_changes(sekmet, plans, tmp_path):
    patient(sekmet)
    write(plans, "a", named("old"))

    def create_only(asked):
        putting = is_transaction(asked) and any(
            entry["request"]["method"] != "POST" for entry in asked.json()["entry"]
        )
        return 405 if asked.method in ("PUT", "PATCH", "DELETE") or putting else None

    with run_proxy(sekmet, refuse=create_only, statement=offering()) as proxy:
        to = ("it", "--config", str(settings(tmp_path, proxy.base, "create-only")))
        assert results(plans, *to) == ["created"]
        write(plans, "a", named("old", title="Another"))
        assert results(plans, *to) == ["refused"]
        write(plans, "a", named("old"))
        write(plans, "b", named("new", created=LATER))
        assert results(plans, *to) == ["unchanged", "refused"]
    assert len(stored(sekmet, "CarePlan")) == 1


@pytest.mark.server
def test_without_conditional_creates_it_is_looked_first(clinic, plans, tmp_path):
    write(plans, "plan", clinic.plan("one"))
    seen = []

    def no_conditions(asked):
        seen.append("If-None-Exist" in asked.headers or b"ifNoneExist" in asked.body)
        return 412 if seen[-1] else no_transactions(asked)

    lost = {"left": 1}

    def lose_the_group(asked):
        if asked.method == "POST" and asked.path == "/RequestGroup" and lost["left"]:
            lost["left"] -= 1
            return "drop-after"
        return None

    with run_proxy(
        clinic.base, refuse=no_conditions, fault=lose_the_group, statement=ONE_BY_ONE
    ) as proxy:
        to = ("it", "--config", str(settings(tmp_path, proxy.base, "no-conditional-create")))
        assert results(plans, *to) == ["created"]
    assert not any(seen)
    assert lost["left"] == 0
    assert [len(clinic.stored(each)) for each in ALL] == [1, 1, 1, 1]


def test_what_could_not_be_found_again_is_not_created_one_by_one(sekmet, plans):
    """Sekmet cannot search a Goal by identifier: a lost answer would make two of it."""
    patient(sekmet)
    write(plans, "plan", small())
    with run_proxy(sekmet, refuse=no_transactions, statement=ONE_BY_ONE) as proxy:
        assert results(plans, proxy.base) == ["created"]
        assert [each.path for each in proxy.writes] == ["/CarePlan"]
        assert results(plans, proxy.base) == ["unchanged"]


def test_searches_name_the_patient_where_a_server_insists(sekmet, plans, tmp_path):
    patient(sekmet)
    write(plans, "a", named("old"))
    write(plans, "b", named("new", created=LATER))

    def names_a_patient(asked):
        kind, mark, query = asked.path.strip("/").partition("?")
        searched = asked.method == "GET" and mark and kind in ALL
        return 403 if searched and "patient=Patient/p" not in unquote(query) else None

    with run_proxy(sekmet, refuse=names_a_patient, statement=offering()) as proxy:
        profile = "no-search-by-identifier-without-patient"
        to = ("it", "--config", str(settings(tmp_path, proxy.base, profile)))
        assert results(plans, *to) == ["created", "superseded"]
        assert results(plans, *to) == ["unchanged", "unchanged"]
    assert [len(stored(sekmet, each)) for each in ALL] == [2, 2, 2, 2]


def test_a_profile_that_is_not_there_is_wrong_usage(sekmet, plans, tmp_path):
    write(plans, "plan", small())
    path = settings(tmp_path, sekmet, "nobody's")
    code, _, sentence = run(plans, "--to", "it", "--config", path)
    assert code == 2
    assert "no-transaction" in sentence


def test_hapi_and_sekmet_are_known_by_their_software(sekmet):
    from ivfhir.sync.profiles import profile_of  # noqa: PLC0415

    assert profile_of({"software": {"name": "HAPI FHIR Server"}}).name == "hapi"
    assert profile_of({"software": {"name": "Something"}}).name == "any"
    assert profile_of(None).name == "any"
    import requests  # noqa: PLC0415

    assert profile_of(requests.get(f"{sekmet}/metadata", timeout=10).json()).name == "sekmet"


def test_a_dry_run_lets_no_write_reach_the_server(sekmet, plans):
    patient(sekmet)
    write(plans, "plan", small())
    with run_proxy(sekmet) as proxy:
        assert results(plans, proxy.base, "--dry-run") == ["created"]
        assert results(plans, proxy.base) == ["created"]
        sent = len(proxy.writes)
        assert sent == 1
        put(sekmet, stored(sekmet, "CarePlan")[0] | {"title": "Theirs"})
        write(plans, "plan", small(title="Ours"))
        write(plans, "new", named("new", created=LATER))
        assert results(plans, proxy.base, "--dry-run") == ["conflict", "superseded"]
        assert len(proxy.writes) == sent
        assert json.dumps(stored(sekmet, "CarePlan")).count('"CarePlan"') == 1


def test_a_provenance_that_nobody_may_search_for_is_not_taken_for_deleted(sekmet, plans):
    patient(sekmet)
    signature = {
        "resourceType": "Provenance",
        "id": "signature",
        "target": [{"reference": "#"}],
        "recorded": "2025-03-03T10:00:00+01:00",
        "agent": [{"who": {"display": "Dr Vance"}}],
    }
    plan = small()
    plan["contained"].append(signature)
    write(plans, "plan", plan)

    def no_search(asked):
        return 403 if asked.method == "GET" and asked.path.startswith("/Provenance?") else None

    with run_proxy(sekmet, refuse=no_search) as proxy:
        assert results(plans, proxy.base) == ["created"]
        (plans / ".ivfhir-sync.sqlite3").unlink()
        assert results(plans, proxy.base) == ["unchanged"]
        assert results(plans, proxy.base) == ["unchanged"]
    assert len(stored(sekmet, "Provenance")) == 1


class _Halfway(MemoryRepository):
    """Takes one resource and refuses the next, and lets nobody change what is there."""

    def create(self, resource, *, if_none_exist=None):
        if resource["resourceType"] == "CarePlan":
            raise RejectedError("No plan.", status=422)
        return Stored("Goal/1", created=True)

    def update(self, resource, *, if_match=None):
        raise RejectedError("No change.", status=405)


def test_what_a_refusal_leaves_and_nobody_may_mark_is_told_by_its_references():
    entries = [
        {
            "fullUrl": f"urn:uuid:{kind}",
            "resource": {"resourceType": kind, "identifier": [{"value": kind}]},
            "request": {"method": "POST", "url": kind},
        }
        for kind in ("CarePlan", "Goal")
    ]
    server = _Halfway([{"resourceType": "Goal", "id": "1", "lifecycleStatus": "proposed"}])
    door = Door(server, read_means(None, Profile()), rung=Rung.SINGLES)
    with pytest.raises(RejectedError) as refused:
        door.transact({"resourceType": "Bundle", "type": "transaction", "entry": entries})
    assert refused.value.left == ("Goal/1",)
