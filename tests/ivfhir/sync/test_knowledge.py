"""Definitions: each after what it names, only what is new or changed, nothing deleted."""

import pytest

from ivfhir.cli import sync as command
from ivfhir.errors import NotFoundError, ServerError, UnreachableError
from ivfhir.servers.http import Stored
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


class _Hollow:
    """Has nothing, takes everything, and is gone after so many writes."""

    def __init__(self, name, writes):
        self.name, self.left = name, writes

    def connect(self):
        return self

    def search(self, kind, params):
        return []

    def read(self, kind, resource_id):
        raise NotFoundError("It has none.")

    def update(self, resource, *, if_match=None):
        if not self.left:
            raise UnreachableError("It does not answer.")
        self.left -= 1
        return Stored(f"{resource['resourceType']}/{resource['id']}", created=True)


class _Closed(_Hollow):
    """Signs nobody in."""

    def connect(self):
        raise ServerError("The token endpoint says invalid_client.")


@pytest.fixture
def few(monkeypatch):
    """Send three definitions to the servers given; return code and results by server."""
    three = [{"resourceType": "Library", "id": name, "url": f"urn:x:{name}"} for name in "abc"]
    three = [each | {"status": "draft", "type": {"text": "x"}} for each in three]
    monkeypatch.setattr(command, "definitions", lambda: three)
    monkeypatch.setattr(command, "connector", lambda server: server.connect)

    def send(*servers, options=()):
        monkeypatch.setattr(command, "find_servers", lambda names, config: servers)
        code, rows, told = run("knowledge", "--to", "x", *options)
        return code, [(row["to"], row["result"]) for row in rows or ()], told

    return send


def test_what_one_server_got_is_told_though_another_does_not_answer(few):
    code, rows, _ = few(_Hollow("one", 3), _Hollow("two", 0), _Hollow("three", 1))
    assert code == command.FOUND
    assert rows == [
        *[("one", "created")] * 3,
        *[("two", "parked")] * 3,
        ("three", "created"),
        *[("three", "parked")] * 2,
    ]


def test_where_no_server_answers_that_is_the_answer(few):
    code, rows, told = few(_Hollow("one", 0), _Hollow("two", 0))
    assert (code, rows) == (5, [])
    assert "does not answer" in told


def test_what_one_server_got_is_told_though_another_signs_nobody_in(few):
    code, rows, _ = few(_Hollow("one", 3), _Closed("two", 0), _Hollow("three", 3))
    assert code == command.FOUND
    assert rows == [
        *[("one", "created")] * 3,
        *[("two", "parked")] * 3,
        *[("three", "created")] * 3,
    ]


def test_where_no_server_signs_us_in_that_is_the_answer(few):
    code, rows, told = few(_Closed("one", 0), _Hollow("two", 0))
    assert (code, rows) == (5, [])
    assert "invalid_client" in told


DEFINITION = {
    "resourceType": "Library",
    "id": "a",
    "url": "urn:x:a",
    "version": "2",
    "status": "draft",
    "type": {"text": "x"},
}


@pytest.fixture
def only(monkeypatch):
    """Let the knowledge be one definition."""
    monkeypatch.setattr(command, "definitions", lambda: [DEFINITION])


@pytest.mark.parametrize("dry", [["--dry-run"], []])
@pytest.mark.parametrize("other", [{"url": "urn:other"}, {"url": None}])
def test_somebody_elses_definition_of_the_same_id_is_not_overwritten(sekmet, only, other, dry):
    theirs = {k: v for k, v in (DEFINITION | other).items() if v is not None}
    before = put(sekmet, theirs)
    code, (row,), _ = run("knowledge", "--to", sekmet, *dry)
    assert (code, row["result"], row["references"]) == (6, "parked", [])
    assert "it is not overwritten" in row["outcome"]["issue"][0]["diagnostics"]
    assert stored(sekmet, "Library") == [before]


def test_another_version_of_the_same_id_is_updated_as_it_was_read(sekmet, only):
    before = put(sekmet, DEFINITION | {"version": "1"})
    with run_proxy(sekmet) as proxy:
        code, (row,), _ = run("knowledge", "--to", proxy.base)
        (write,) = proxy.writes
    assert (code, row["result"], row["references"]) == (0, "updated", ["Library/a"])
    assert write.headers["If-Match"] == f'W/"{before["meta"]["versionId"]}"'
    assert [each["version"] for each in stored(sekmet, "Library")] == ["2"]
    _, (row,), _ = run("knowledge", "--to", sekmet)
    assert row["result"] == "unchanged"


@pytest.mark.parametrize(
    ("at_most", "servers", "results", "left"),
    [
        ("0", [("one", 3)], ["parked"] * 3, [3]),
        ("0.9", [("one", 3), ("two", 3)], ["parked"] * 6, [3, 3]),
        ("1", [("one", 3)], ["created"] * 3, [0]),
    ],
)
def test_nothing_is_sent_where_more_than_a_share_would_change(few, at_most, servers, results, left):
    hollow = [_Hollow(*each) for each in servers]
    code, rows, _ = few(*hollow, options=["--at-most", at_most])
    assert [result for _, result in rows] == results
    assert [each.left for each in hollow] == left
    assert code == (command.FOUND if "parked" in results else 0)


def test_a_server_that_is_not_reached_does_not_count_in_the_share(few):
    hollow = _Hollow("one", 3)
    _, rows, _ = few(hollow, _Closed("two", 0), options=["--at-most", "1"])
    assert [result for _, result in rows] == ["created"] * 3 + ["parked"] * 3
    hollow = _Hollow("one", 3)
    few(hollow, _Closed("two", 0), options=["--at-most", "0.6"])
    assert hollow.left == 3


def test_what_is_unchanged_is_told_and_what_would_change_says_why_it_is_not_sent(
    sekmet, monkeypatch
):
    two = [DEFINITION, DEFINITION | {"id": "b", "url": "urn:x:b"}]
    monkeypatch.setattr(command, "definitions", lambda: two)
    put(sekmet, DEFINITION)
    with run_proxy(sekmet) as proxy:
        for options in (["--at-most", "0"], ["--at-most", "0.4", "--dry-run"]):
            code, rows, _ = run("knowledge", "--to", proxy.base, *options)
            assert (code, [row["result"] for row in rows]) == (6, ["unchanged", "parked"])
            said = rows[1]["outcome"]["issue"][0]["diagnostics"]
            assert said.startswith("It would be created, but more than 0")
        _, rows, _ = run("knowledge", "--to", proxy.base, "--at-most", "0.5", "--dry-run")
        assert [row["result"] for row in rows] == ["unchanged", "created"]
        assert not proxy.writes
        code, rows, _ = run("knowledge", "--to", proxy.base, "--at-most", "0.5")
        assert (code, len(proxy.writes)) == (0, 1)


def test_a_server_that_cannot_be_looked_at_in_part_counts_as_changing(few):
    class Falling(_Hollow):
        def read(self, kind, resource_id):
            if resource_id == "b":
                raise UnreachableError("It does not answer.")
            return super().read(kind, resource_id)

    server = Falling("one", 3)
    _, rows, _ = few(server, options=["--at-most", "0.9"])
    assert ([result for _, result in rows], server.left) == (["parked"] * 3, 3)
