"""The benchmark of sync measures every way, and counts what it claims."""

import json

import pytest

from benchmarks.sync.__main__ import Rates, main
from benchmarks.sync.slow_fhir import SlowFhir


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
    assert set(told) == {"server", "plansASecond", "ratio1", "ratio2", "loop2Ratio", "secondSync"}
    ways = {"loop", "loop2", "sync1", "sync1-again", "sync2", "sync2-again"}
    assert set(told["plansASecond"]) == ways
    assert all(each > 0 for each in told["plansASecond"].values())


@pytest.mark.server
def test_the_memory_of_a_run_is_told_before_early_and_at_the_end(capsys):
    assert main(["--memory", "40", "--connections", "2"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["plans"], told["readMiB"] > 0) == (40, True)
    assert told["endMiB"] < told["readMiB"] + 100


def test_the_slow_server_creates_once_and_finds_what_it_holds():
    server = SlowFhir(0.0)
    plan = {
        "resourceType": "CarePlan",
        "identifier": [{"system": "urn:s", "value": "1"}],
        "subject": {"reference": "Patient/p"},
    }
    request = {"method": "POST", "url": "CarePlan", "ifNoneExist": "identifier=urn:s|1"}
    name = "urn:uuid:5f0b2c86-6b1d-5c0e-9a3e-2f7a4d1c8e90"
    entry = {"fullUrl": name, "resource": plan, "request": request}
    body = json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": [entry]})
    statuses = [
        server.answer("POST", [], {}, body.encode())[1]["entry"][0]["response"]["status"]
        for _ in range(2)
    ]
    assert statuses == ["201", "200"]
    for name, value in (("identifier", "urn:s|1"), ("patient", "Patient/p"), ("_id", "1,2")):
        _, page = server.answer("GET", ["CarePlan"], {name: [value]}, b"")
        assert [each["resource"]["id"] for each in page["entry"]] == ["1"]
    assert server.answer("GET", ["CarePlan", "2"], {}, b"")[0] == 404
