import pytest

from tests.side_by_side import longest_first, room_of


@pytest.mark.parametrize(
    ("path", "room"),
    [
        ("tests/servers/test_cases_on_hapi.py", "hapi"),
        ("tests/ivfhir/cli/test_evaluate_on_servers.py", "hapi"),  # a parameter
        ("tests/ivfhir/sync/test_door.py", "hapi, plans"),  # a fixture of that folder
        ("tests/knowledge/test_new_protocol_pages.py", "tests/knowledge"),
        ("tests/test_side_by_side.py", "tests/test_side_by_side.py"),
    ],
)
def test_who_shares_a_server_is_one_room(path: str, room: str) -> None:
    assert room_of(path) == room


def test_what_starts_a_server_for_many_files_comes_before_what_only_computes() -> None:
    paths = ["tests/test_docs.py", "tests/test_side_by_side.py", "tests/ivfhir/sync/test_kills.py"]
    assert sorted(paths, key=longest_first)[-1] == "tests/test_side_by_side.py"
