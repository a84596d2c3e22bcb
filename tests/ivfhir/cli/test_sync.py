"""`ivfhir sync` on a real server: each plan once, nothing overwritten, nothing outranked."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import requests

from ivfhir.cli.main import main
from tests.ivfhir.sync.scene import (
    MRN,
    named,
    patient,
    put,
    results,
    run,
    small,
    stored,
    write,
)
from tests.servers.fault_proxy import run_proxy
from tests.servers.raw_server import http_answer, raw_server

DENIED = http_answer(b"{}", status="401 Unauthorized")
ACCEPTED = {"status": "active", "intent": "plan"}
LATER = "2025-04-03T10:00:00+01:00"
GOLDEN = Path(__file__).parents[1] / "golden"


def counts(base):
    kinds = ("CarePlan", "RequestGroup", "ServiceRequest", "Goal")
    return [len(stored(base, kind)) for kind in kinds]


def test_a_plan_is_created_once_and_then_unchanged(sekmet, tmp_path):
    patient(sekmet)
    write(tmp_path, "plan", small())
    code, (row,), _ = run(tmp_path, "--to", sekmet)
    assert (code, row["result"], row["to"]) == (0, "created", sekmet)
    assert row["plan"] == "https://example.org/plans|one"
    before = stored(sekmet, "CarePlan")
    assert row["references"] == [f"CarePlan/{before[0]['id']}"]
    code, (row,), _ = run(tmp_path, "--to", sekmet)
    assert (code, row["result"], row["differences"]) == (0, "unchanged", [])
    assert row["references"] == [f"CarePlan/{before[0]['id']}"]
    assert stored(sekmet, "CarePlan") == before
    assert counts(sekmet) == [1, 1, 1, 1]


def test_without_its_ledger_a_second_run_finds_the_same(sekmet, tmp_path):
    patient(sekmet)
    write(tmp_path, "plan", small())
    assert results(tmp_path, sekmet) == ["created"]
    (tmp_path / ".ivfhir-sync.sqlite3").unlink()
    assert results(tmp_path, sekmet) == ["unchanged"]
    assert counts(sekmet) == [1, 1, 1, 1]


def test_an_order_that_only_points_to_its_plan_is_found_without_the_ledger(sekmet, tmp_path):
    patient(sekmet)
    plan = small()
    (look,) = (each for each in plan["contained"] if each["id"] == "look")
    plan["contained"].append({**look, "id": "alone"})
    write(tmp_path, "plan", plan)
    assert results(tmp_path, sekmet) == ["created"]
    (tmp_path / ".ivfhir-sync.sqlite3").unlink()
    assert results(tmp_path, sekmet) == ["unchanged"]
    assert len(stored(sekmet, "ServiceRequest")) == 2


def test_what_apply_prints_is_one_plan_as_careplan_and_as_bundle(sekmet, tmp_path):
    from ivfhir.fhir.contained import collection_bundle  # noqa: PLC0415

    plan = json.loads((GOLDEN / "CarePlan-V01.json").read_text())
    put(sekmet, {"resourceType": "Patient", "id": "in-v01-standard"})
    for name in ("contained", "bundle"):
        (tmp_path / name).mkdir()
    write(tmp_path / "contained", "plan", plan)
    write(tmp_path / "bundle", "plan", collection_bundle(plan))
    assert results(tmp_path / "contained", sekmet) == ["created"]
    assert results(tmp_path / "bundle", sekmet) == ["unchanged"]
    assert len(stored(sekmet, "ServiceRequest")) == 31
    group = stored(sekmet, "RequestGroup")[0]
    assert "Library/LUNG" in json.dumps(group)  # An expression's library is no resource here.


def test_a_plan_without_identifier_is_refused_with_the_reason(sekmet, tmp_path):
    patient(sekmet)
    write(tmp_path, "plan", small(identifier=None))
    code, (row,), _ = run(tmp_path, "--to", sekmet)
    assert (code, row["result"]) == (0, "refused")
    assert "no identifier" in row["outcome"]["issue"][0]["diagnostics"]
    assert stored(sekmet, "CarePlan") == []


def test_a_change_of_the_input_is_patched_in(sekmet, tmp_path):
    patient(sekmet)
    write(tmp_path, "plan", small())
    results(tmp_path, sekmet)
    plan = small(title="Another title")
    plan["contained"][1]["code"] = {"text": "Look twice"}
    write(tmp_path, "plan", plan)
    assert results(tmp_path, sekmet, "--dry-run") == ["updated"]
    assert stored(sekmet, "CarePlan")[0]["title"] == "A plan"
    assert results(tmp_path, sekmet) == ["updated"]
    assert stored(sekmet, "CarePlan")[0]["title"] == "Another title"
    assert stored(sekmet, "ServiceRequest")[0]["code"]["text"] == "Look twice"
    assert [each["meta"]["versionId"] for each in stored(sekmet, "Goal")] == ["1"]
    assert results(tmp_path, sekmet) == ["unchanged"]
    assert counts(sekmet) == [1, 1, 1, 1]


@pytest.mark.parametrize("ledger", ["kept", "lost"])
def test_a_part_that_is_new_is_added_and_one_that_is_gone_is_ended(sekmet, tmp_path, ledger):
    patient(sekmet)
    write(tmp_path, "plan", small())
    results(tmp_path, sekmet)
    if ledger == "lost":
        (tmp_path / ".ivfhir-sync.sqlite3").unlink()
    plan = small()
    new = plan["contained"][1] | {"id": "act", "code": {"text": "Act"}}
    plan["contained"].append(new)
    plan["contained"][0]["action"].append({"title": "Act", "resource": {"reference": "#act"}})
    write(tmp_path, "plan", plan)
    assert results(tmp_path, sekmet) == ["updated"]
    assert counts(sekmet) == [1, 1, 2, 1]
    assert results(tmp_path, sekmet) == ["unchanged"]
    write(tmp_path, "plan", small())
    assert results(tmp_path, sekmet) == ["updated"]
    ends = {each["code"]["text"]: each["status"] for each in stored(sekmet, "ServiceRequest")}
    assert ends == {"Look": "draft", "Act": "revoked"}


@pytest.mark.parametrize("ledger", ["kept", "lost"])
@pytest.mark.parametrize("ours", ["A plan", "Mine"])
def test_an_edit_on_the_server_is_never_overwritten(sekmet, tmp_path, ours, ledger):
    patient(sekmet)
    write(tmp_path, "plan", small())
    results(tmp_path, sekmet)
    theirs = stored(sekmet, "CarePlan")[0]
    put(sekmet, theirs | {"title": "Theirs"})
    write(tmp_path, "plan", small(title=ours))
    if ledger == "lost":
        (tmp_path / ".ivfhir-sync.sqlite3").unlink()
    code, (row,), _ = run(tmp_path, "--to", sekmet)
    assert (code, row["result"]) == (6, "conflict")
    (line,) = [each for each in row["differences"] if each["element"] == "CarePlan.title"]
    assert (line["theirs"], line["ours"]) == ("Theirs", ours)
    assert line.get("sent") == ("A plan" if ledger == "kept" else None)
    assert stored(sekmet, "CarePlan")[0]["title"] == "Theirs"


def test_what_was_deleted_on_the_server_is_not_sent_again(sekmet, tmp_path):
    patient(sekmet)
    write(tmp_path, "plan", small())
    results(tmp_path, sekmet)
    theirs = stored(sekmet, "CarePlan")[0]
    put(sekmet, theirs | {"status": "entered-in-error"})
    assert results(tmp_path, sekmet) == ["conflict"]
    assert len(stored(sekmet, "CarePlan")) == 1


@pytest.mark.parametrize("deleted", [True, False])
@pytest.mark.parametrize("ledger", [True, False])
def test_an_order_that_somebody_took_out_does_not_come_back_with_a_change(
    sekmet, tmp_path, deleted, ledger
):
    patient(sekmet)
    write(tmp_path, "plan", small())
    assert results(tmp_path, sekmet) == ["created"]
    (order,) = stored(sekmet, "ServiceRequest")
    if deleted:
        requests.delete(f"{sekmet}/ServiceRequest/{order['id']}", timeout=60).raise_for_status()
    else:
        put(sekmet, {**order, "status": "entered-in-error"})
    if not ledger:
        (tmp_path / ".ivfhir-sync.sqlite3").unlink()
    write(tmp_path, "plan", small(title="Another"))
    assert results(tmp_path, sekmet) == ["conflict"]
    assert stored(sekmet, "CarePlan")[0]["title"] == "A plan"
    assert len(stored(sekmet, "ServiceRequest")) == (0 if deleted else 1)


def test_a_newer_plan_takes_the_place_of_the_older_with_its_untouched_drafts(sekmet, tmp_path):
    patient(sekmet)
    write(tmp_path, "a", named("old"))
    assert results(tmp_path, sekmet) == ["created"]
    write(tmp_path, "b", named("new", created=LATER))
    assert results(tmp_path, sekmet, "--dry-run") == ["unchanged", "superseded"]
    assert results(tmp_path, sekmet) == ["unchanged", "superseded"]
    plans = {each["identifier"][0]["value"]: each for each in stored(sekmet, "CarePlan")}
    assert plans["old"]["status"] == "revoked"
    assert plans["new"]["replaces"][0]["reference"] == f"CarePlan/{plans['old']['id']}"
    assert sorted(each["status"] for each in stored(sekmet, "ServiceRequest")) == [
        "draft",
        "revoked",
    ]
    assert results(tmp_path, sekmet) == ["unchanged", "unchanged"]
    (tmp_path / ".ivfhir-sync.sqlite3").unlink()
    assert results(tmp_path, sekmet) == ["unchanged", "unchanged"]
    write(tmp_path, "a", named("old", title="Changed afterwards"))
    assert results(tmp_path, sekmet) == ["refused", "unchanged"]


def test_an_order_that_somebody_activated_stays_when_its_plan_is_replaced(sekmet, tmp_path):
    patient(sekmet)
    write(tmp_path, "a", named("old"))
    results(tmp_path, sekmet)
    put(sekmet, stored(sekmet, "ServiceRequest")[0] | {"status": "active"})
    (tmp_path / "a.json").unlink()
    write(tmp_path, "b", named("new", created=LATER))
    assert results(tmp_path, sekmet) == ["superseded"]
    assert sorted(each["status"] for each in stored(sekmet, "ServiceRequest")) == [
        "active",
        "draft",
    ]


@pytest.mark.parametrize("created", ["2025-03-03T10:00:00+01:00", "2025-03-03", None, "2024-01-01"])
def test_a_plan_that_was_not_surely_made_later_is_refused(sekmet, tmp_path, created):
    patient(sekmet)
    write(tmp_path, "a", named("old"))
    results(tmp_path, sekmet)
    (tmp_path / "a.json").unlink()
    write(tmp_path, "b", named("new", created=created))
    assert results(tmp_path, sekmet) == ["refused"]
    assert len(stored(sekmet, "CarePlan")) == 1


@pytest.mark.parametrize("force", ["active", "on-hold"])
def test_a_draft_never_takes_the_place_of_a_plan_in_force(sekmet, tmp_path, force):
    patient(sekmet)
    write(tmp_path, "a", named("old", **(ACCEPTED | {"status": force})))
    assert results(tmp_path, sekmet) == ["created"]
    write(tmp_path, "b", named("new", created=LATER))
    assert results(tmp_path, sekmet) == ["unchanged", "refused"]
    assert [each["status"] for each in stored(sekmet, "CarePlan")] == [force]


def test_sync_activates_nothing(sekmet, tmp_path):
    patient(sekmet)
    write(tmp_path, "plan", small())
    results(tmp_path, sekmet)
    write(tmp_path, "plan", small(**ACCEPTED))
    assert results(tmp_path, sekmet) == ["refused"]
    assert stored(sekmet, "CarePlan")[0]["status"] == "draft"


@pytest.mark.parametrize("was", ["on-hold", "revoked", "completed"])
def test_nor_does_it_open_again_what_was_sent_as_held_or_ended(sekmet, tmp_path, was):
    patient(sekmet)
    write(tmp_path, "plan", small(status=was, intent="plan"))
    assert results(tmp_path, sekmet) == ["created"]
    write(tmp_path, "plan", small(**ACCEPTED))
    _, (row,), _ = run(tmp_path, "--to", sekmet)
    assert row["result"] == "refused"
    assert f"is {was} on the server" in row["outcome"]["issue"][0]["diagnostics"]
    assert stored(sekmet, "CarePlan")[0]["status"] == was


def test_a_change_makes_no_second_open_plan_of_another_protocol(sekmet, tmp_path):
    patient(sekmet)
    other = "https://example.org/PlanDefinition/Q|1"
    write(tmp_path, "a", named("theirs", instantiatesCanonical=[other], **ACCEPTED))
    write(tmp_path, "b", named("ours"))
    assert results(tmp_path, sekmet) == ["created", "created"]
    write(tmp_path, "b", named("ours", instantiatesCanonical=[other], created=LATER))
    _, rows, _ = run(tmp_path, "--to", sekmet)
    assert [row["result"] for row in rows] == ["unchanged", "refused"]
    assert "is an open plan of a protocol" in rows[1]["outcome"]["issue"][0]["diagnostics"]


def test_one_identifier_at_two_patients_loses_neither_plan_silently(sekmet, tmp_path):
    patient(sekmet)
    put(sekmet, {"resourceType": "Patient", "id": "q"})
    for day, name in enumerate("pq", 1):
        meta = {"lastUpdated": f"2025-03-0{day}T10:00:00Z"}
        text = json.dumps(small(identifier=[{"value": "1"}], meta=meta))
        write(tmp_path, name, json.loads(text.replace("Patient/p", f"Patient/{name}")))
    _, (row,), _ = run(tmp_path, "--to", sekmet)
    assert row["result"] == "refused"
    assert "two patients" in row["outcome"]["issue"][0]["diagnostics"]
    assert stored(sekmet, "CarePlan") == []


def bundle(*resources):
    entries = [{"fullUrl": f"urn:x:{place}", "resource": r} for place, r in enumerate(resources)]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


HERE = {"resourceType": "Patient", "id": "p", "identifier": [MRN]}


def test_the_patient_is_found_by_identifier_where_ids_differ(sekmet, tmp_path):
    patient(sekmet, "p", identifier=[{**MRN, "value": "somebody else"}])
    patient(sekmet, "q")
    write(tmp_path, "plan", bundle(HERE, small()))
    assert results(tmp_path, sekmet) == ["created"]
    for kind in ("CarePlan", "ServiceRequest", "Goal"):
        assert stored(sekmet, kind)[0]["subject"]["reference"] == "Patient/q"


def test_a_patient_who_is_named_by_identifier_alone_is_named_by_reference_there(sekmet, tmp_path):
    patient(sekmet)
    plan = small(subject={"identifier": MRN}, supportingInfo=[{"reference": "Patient/p"}])
    for each in plan["contained"]:
        each["subject"] = {"identifier": MRN}
    write(tmp_path, "plan", plan)
    assert results(tmp_path, sekmet) == ["created"]
    for kind in ("CarePlan", "ServiceRequest", "Goal"):
        assert stored(sekmet, kind)[0]["subject"]["reference"] == "Patient/p"
    (tmp_path / ".ivfhir-sync.sqlite3").unlink()
    assert results(tmp_path, sekmet) == ["unchanged"]


@pytest.mark.parametrize("address", ["", "{}/"])
def test_whoever_a_part_names_as_the_plans_patient_is_named_so_there(sekmet, tmp_path, address):
    patient(sekmet)
    plan = small()
    for each in plan["contained"]:
        each["subject"] = {"reference": f"{address.format(sekmet)}Patient/p"}
    write(tmp_path, "plan", plan)
    assert results(tmp_path, sekmet) == ["created"]
    assert stored(sekmet, "ServiceRequest")[0]["subject"]["reference"] == "Patient/p"


@pytest.mark.parametrize(
    ("there", "said"),
    [
        (0, "no patient of that identifier;"),
        (2, "2 patients of that identifier (Patient/q0, Patient/q1): which is"),
        (7, "Patient/q4 and 2 more): which is"),
    ],
)
def test_none_or_several_patients_are_refused(sekmet, tmp_path, there, said):
    for number in range(there):
        patient(sekmet, f"q{number}")
    write(tmp_path, "plan", bundle(HERE, small()))
    code, (row,), _ = run(tmp_path, "--to", sekmet)
    assert (code, row["result"]) == (0, "refused")
    assert said in row["outcome"]["issue"][0]["diagnostics"]


def test_what_the_server_does_not_have_is_kept_as_words(sekmet, tmp_path):
    patient(sekmet)
    put(
        sekmet,
        {"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/p"}},
    )
    addresses = [{"reference": "Condition/c"}, {"reference": "Condition/d", "display": "Cough"}]
    write(tmp_path, "plan", small(addresses=addresses))
    _, (row,), _ = run(tmp_path, "--to", sekmet)
    assert [each["reference"] for each in row["differences"]] == ["Condition/d"]
    assert stored(sekmet, "CarePlan")[0]["addresses"] == [
        {"reference": "Condition/c"},
        {"type": "Condition", "display": "Cough"},
    ]


def test_a_dry_run_writes_nothing_not_even_a_ledger(sekmet, tmp_path):
    patient(sekmet)
    write(tmp_path, "a", named("one"))
    write(tmp_path, "b", named("two", created=LATER))
    assert results(tmp_path, sekmet, "--dry-run") == ["created", "superseded"]
    assert stored(sekmet, "CarePlan") == []
    assert [file.name for file in tmp_path.iterdir() if file.suffix != ".json"] == []
    assert results(tmp_path, sekmet) == ["created", "superseded"]


def test_the_brake_stops_before_anything_is_sent(sekmet, tmp_path):
    patient(sekmet)
    write(tmp_path, "a", named("one", instantiatesCanonical=None))
    results(tmp_path, sekmet)
    write(tmp_path, "b", named("two", instantiatesCanonical=None))
    code, rows, _ = run(tmp_path, "--to", sekmet, "--at-most", "0.4")
    assert (code, [row["result"] for row in rows]) == (6, ["unchanged", "parked"])
    assert "--at-most" in rows[1]["outcome"]["issue"][0]["diagnostics"]
    assert len(stored(sekmet, "CarePlan")) == 1
    assert results(tmp_path, sekmet, "--at-most", "0.5") == ["unchanged", "created"]


@pytest.mark.parametrize("waiting", [0, 1])
def test_the_brake_counts_what_could_not_be_looked_at(sekmet, tmp_path, waiting):
    patient(sekmet)
    write(tmp_path, "a", named("one"))
    write(tmp_path, "b", named("two", created=LATER)) if waiting else None
    left = [1]

    def fail_once(asked):
        return "500-html" if "/CarePlan" in asked.path and left and left.pop() else None

    share = "0.5" if waiting else "0"
    with run_proxy(sekmet, fault=fail_once) as proxy:
        code, rows, _ = run(tmp_path, "--to", proxy.base, "--at-most", share)
        assert (left, code) == ([], 6)
        assert [row["result"] for row in rows] == ["parked"] * (1 + waiting)
        assert proxy.writes == []


def test_the_brake_leaves_out_a_server_that_was_not_reached(sekmet, tmp_path):
    patient(sekmet)
    write(tmp_path, "a", named("one", instantiatesCanonical=None))
    results(tmp_path, sekmet)
    write(tmp_path, "b", named("two", instantiatesCanonical=None))
    to = ("--to", sekmet, "--to", "http://127.0.0.1:9/fhir")
    _, rows, _ = run(tmp_path, *to, "--at-most", "0.5")
    assert [row["result"] for row in rows] == ["unchanged", "parked", "created", "parked"]


def test_several_servers_each_get_a_row(sekmet, tmp_path):
    from tests.servers.sekmet_server import run_sekmet  # noqa: PLC0415

    patient(sekmet)
    write(tmp_path, "plan", small())
    with run_sekmet() as other:
        patient(other)
        code, rows, _ = run(tmp_path, "--to", sekmet, "--to", other)
        assert [(row["to"], row["result"]) for row in rows] == [
            (sekmet, "created"),
            (other, "created"),
        ]
    code, rows, _ = run(tmp_path, "--to", sekmet, "--to", other)
    assert (code, [row["result"] for row in rows]) == (6, ["unchanged", "parked"])


def test_no_server_is_exit_5_no_plan_exit_4_and_no_name_exit_2(tmp_path):
    write(tmp_path, "plan", small())
    assert run(tmp_path, "--to", "http://127.0.0.1:9/fhir")[0] == 5
    assert run(tmp_path, "--to", "nowhere")[0] == 2
    assert run(tmp_path, "--to", "http://127.0.0.1:9/fhir", "--at-most", "2")[0] == 2
    write(tmp_path, "plan", HERE)
    assert run(tmp_path, "--to", "http://127.0.0.1:9/fhir")[0] == 4
    (tmp_path / "plan.json").write_text("{")
    assert run(tmp_path, "--to", "http://127.0.0.1:9/fhir")[0] == 4


def test_text_ends_with_a_table_and_shows_no_progress_off_a_terminal(sekmet, tmp_path, capsys):
    patient(sekmet)
    write(tmp_path, "plan", small(addresses=[{"reference": "Condition/x"}]))
    assert main(["sync", str(tmp_path), "--to", sekmet]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    lines = said.out.splitlines()
    assert lines[0].endswith("Condition/x: The server has none of this patient; kept as words.")
    assert lines[1].split() == ["PLAN", "TO", "RESULT", "REFERENCE", "WHY"]
    assert lines[2].split()[:3] == ["https://example.org/plans|one", sekmet, "created"]
    assert lines[-1] == "1: 1 created"


def test_ndjson_and_a_folder_of_what_the_plan_refers_to(sekmet, tmp_path):
    patient(sekmet)
    plan = small()
    inside = plan.pop("contained")
    text = json.dumps(plan)
    for part in inside:
        text = text.replace(f'"#{part["id"]}"', f'"{part["resourceType"]}/{part["id"]}"')
    whole = json.dumps(inside).replace('"#look"', '"ServiceRequest/look"')
    whole = whole.replace('"#"', '"CarePlan/cp"')
    plans = [json.loads(text) | {"id": "cp"}, *json.loads(whole)]
    (tmp_path / "all.ndjson").write_text("\n".join(map(json.dumps, plans)))
    assert results(tmp_path, sekmet) == ["created"]
    assert counts(sekmet) == [1, 1, 1, 1]
    request = stored(sekmet, "ServiceRequest")[0]
    assert request["basedOn"][0]["reference"] == f"CarePlan/{stored(sekmet, 'CarePlan')[0]['id']}"
    (tmp_path / "all.ndjson").unlink()
    (tmp_path / ".ivfhir-sync.sqlite3").unlink()
    write(tmp_path, "plan", small())
    assert results(tmp_path, sekmet) == ["unchanged"]


@pytest.mark.server
def test_hapi_gets_each_plan_once_too(hapi, tmp_path):
    mrn = [{**MRN, "value": "sync-on-hapi"}]
    put(hapi, {"resourceType": "Patient", "id": "sync-p", "identifier": mrn})
    here = HERE | {"identifier": mrn}
    canonical = ["https://example.org/PlanDefinition/SYNC|1"]
    old = named("hapi-old", instantiatesCanonical=canonical)
    write(tmp_path, "a", bundle(here, old))
    assert results(tmp_path, hapi) == ["created"]
    assert results(tmp_path, hapi) == ["unchanged"]
    write(tmp_path, "a", bundle(here, old | {"title": "Changed"}))
    assert results(tmp_path, hapi) == ["updated"]
    new = named("hapi-new", instantiatesCanonical=canonical, created=LATER)
    write(tmp_path, "b", bundle(here, new))
    assert results(tmp_path, hapi) == ["unchanged", "superseded"]
    (tmp_path / ".ivfhir-sync.sqlite3").unlink()
    assert results(tmp_path, hapi) == ["unchanged", "unchanged"]
    theirs = stored(hapi, "CarePlan", subject="Patient/sync-p", status="draft")
    put(hapi, theirs[0] | {"title": "Theirs"})
    assert results(tmp_path, hapi) == ["unchanged", "conflict"]
    plans = stored(hapi, "CarePlan", subject="Patient/sync-p")
    assert sorted((each["status"], each["title"]) for each in plans) == [
        ("draft", "Theirs"),
        ("revoked", "Changed"),
    ]


def test_progress_is_shown_on_a_terminal_and_results_stay_apart(sekmet, tmp_path):
    patient(sekmet)
    write(tmp_path, "plan", small())
    ours, theirs = os.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "ivfhir.cli.main", "sync", tmp_path, "--to", sekmet],
        stdout=subprocess.PIPE,
        stderr=theirs,
        check=True,
        text=True,
        env=os.environ | {"TERM": "xterm"},
    )
    os.close(theirs)
    assert b"0/1" in os.read(ours, 65536)
    os.close(ours)
    assert done.stdout.splitlines()[-1] == "1: 1 created"


def test_two_runs_at_once_on_a_racing_server_leave_one_plan_each(sekmet, tmp_path):
    """Sekmet's conditional creates race; who looks last withdraws what is too many."""
    patient(sekmet)
    for number in range(6):
        write(tmp_path, str(number), named(f"plan-{number}", instantiatesCanonical=None))
    command = [sys.executable, "-m", "ivfhir.cli.main", "sync", tmp_path, "--to", sekmet]
    runs = [
        subprocess.Popen(
            [*command, "--ledger", tmp_path / f"ledger-{each}"], stdout=subprocess.DEVNULL
        )
        for each in range(3)
    ]
    assert {each.wait(120) for each in runs} <= {0, 6}
    assert set(results(tmp_path, sekmet)) <= {"unchanged"}
    for kind in ("CarePlan", "ServiceRequest", "RequestGroup"):
        standing = [each for each in stored(sekmet, kind) if each["status"] == "draft"]
        assert len(standing) == 6


def test_no_token_is_shown(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("IVFHIR_TOKEN", "secret-token")
    write(tmp_path, "plan", small())
    with raw_server(lambda connection, _: connection.sendall(DENIED)) as base:
        assert main(["sync", str(tmp_path), "--to", base]) == 5
    said = capsys.readouterr()
    assert "secret-token" not in said.out + said.err


_HEARS_INTERRUPTS = (
    "import signal, sys\n"
    "from ivfhir.cli.main import main\n"
    "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    "sys.exit(main())"
)
"""Whoever starts the tests in the background may have told them to ignore interrupts."""


def test_an_interrupt_ends_a_run_soon_also_while_it_waits_for_a_busy_server(tmp_path):
    busy = http_answer(b"{}", "Retry-After: 100", status="503 Service Unavailable")
    states = json.dumps({"resourceType": "CapabilityStatement", "status": "active"}).encode()
    asked = threading.Event()

    def answer(connection, request):
        if b"/metadata" in request:
            connection.sendall(http_answer(states, "Content-Type: application/fhir+json"))
        else:
            connection.sendall(busy)
            asked.set()

    for number in range(40):
        text = json.dumps(named(f"{number}")).replace("Patient/p", f"Patient/p{number}")
        write(tmp_path, f"{number}", json.loads(text))
    with (
        raw_server(answer) as base,
        subprocess.Popen(
            [sys.executable, "-c", _HEARS_INTERRUPTS, "sync", tmp_path, "--to", base],
            stderr=subprocess.PIPE,
            text=True,
        ) as run,
    ):
        try:
            assert asked.wait(60)
            time.sleep(1)  # The pauses have begun.
            run.send_signal(signal.SIGINT)
            _, said = run.communicate(timeout=30)
        finally:
            run.kill()
    assert (run.returncode, "run the same line again" in said) == (130, True)


def test_a_dry_run_takes_a_ledger_in_which_nothing_could_be_kept_for_an_empty_one(sekmet, tmp_path):
    patient(sekmet)
    write(tmp_path, "plan", small())
    (tmp_path / ".ivfhir-sync.sqlite3").touch()
    assert results(tmp_path, sekmet, "--dry-run") == ["created"]
