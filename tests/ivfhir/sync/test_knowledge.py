"""Definitions: each after what it names, only what is new or changed, nothing deleted."""

import pytest

from ivfhir.sync.knowledge import TYPES, definitions
from tests.ivfhir.sync.scene import put, run, stored
from tests.servers.fault_proxy import run_proxy


def test_a_definition_comes_after_those_that_it_names():
    seen = set()
    urls = {each["url"] for each in definitions()}
    assert len(urls) > 100
    for each in definitions():
        if each["resourceType"] == "PlanDefinition":
            libraries = {name.partition("|")[0] for name in each.get("library", ())}
            assert (libraries & urls) <= seen
        seen.add(each["url"])


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_is_there(kind):
    assert any(each["resourceType"] == kind for each in definitions())


@pytest.mark.server
def test_hapi_gets_them_once_and_then_only_what_changed(hapi):
    with run_proxy(hapi) as proxy:
        code, rows, _ = run("knowledge", "--to", proxy.base)
        assert (code, {row["result"] for row in rows} & {"parked", "updated"}) == (0, set())
        sent = len(proxy.writes)
        code, rows, _ = run("knowledge", "--to", proxy.base)
        assert {row["result"] for row in rows} == {"unchanged"}
        lung = stored(hapi, "PlanDefinition", url="https://ivfhir.example/fhir/PlanDefinition/LUNG")
        put(hapi, lung[0] | {"title": "Somebody's"})
        code, rows, _ = run("knowledge", "--to", proxy.base, "--dry-run")
        assert [row["plan"] for row in rows if row["result"] == "updated"] == [
            f"{lung[0]['url']}|{lung[0]['version']}"
        ]
        assert len(proxy.writes) == sent
        run("knowledge", "--to", proxy.base)
        (write,) = proxy.writes[sent:]
        assert (write.method, write.path) == ("PUT", f"/PlanDefinition/{lung[0]['id']}")
