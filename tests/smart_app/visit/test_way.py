"""How a plan goes to an EHR: by what it offers, and asked as it insists."""

from types import SimpleNamespace
from urllib.parse import unquote

import requests

from ivfhir.servers.http import HttpRepository
from ivfhir.write_back import find_written, write_back
from smart_app.visit.way import DOCUMENT, ENTRIES, FILES, Way, server_for, worst_of
from tests.ivfhir.test_write_back import prepared
from tests.servers.fault_proxy import run_proxy

PARTS = ("CarePlan", "RequestGroup", "ServiceRequest", "Goal")


def names_its_patient(asked):
    """Refuse a search of clinical types that names no patient, as some servers do."""
    kind, mark, query = asked.path.strip("/").partition("?")
    is_search = asked.method == "GET" and mark and kind in PARTS
    return 403 if is_search and "patient=named-p" not in unquote(query) else None


def test_searches_for_a_plan_name_the_patient_where_a_server_insists(sekmet):
    bundle = prepared(HttpRepository(sekmet, session=requests.Session()), "named")
    lost = {"left": 1}

    def lose(asked):
        if asked.method == "POST" and lost["left"]:
            lost["left"] -= 1
            return "drop-after"
        return None

    with run_proxy(sekmet, refuse=names_its_patient, fault=lose) as proxy:
        repository = HttpRepository(proxy.base, session=requests.Session())
        launch = SimpleNamespace(repository=repository, patient_id="named-p")
        server = server_for(launch, {"bundle": bundle})
        receipt = write_back(server, bundle, pause=lambda _: None)
        assert lost["left"] == 0
        assert all(each.differences == () for each in receipt.entries)
        assert len(proxy.writes) == 1
        found = find_written(server, bundle)
    assert found is not None
    assert found.already_there


def test_of_several_ways_the_one_that_keeps_least_counts_with_every_reason():
    ways = [Way(ENTRIES, ()), Way(FILES, ("a", "b")), Way(DOCUMENT, ("b", "c"))]
    assert worst_of(ways) == Way(FILES, ("a", "b", "c"))
    assert worst_of([]) is None
