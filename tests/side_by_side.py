"""How the tests of a run are dealt out when it has several workers (`pytest -n`)."""

import re
from functools import cache
from pathlib import Path

from xdist.scheduler import LoadFileScheduling

_ROOT = Path(__file__).parents[1]
_ASKS_FOR_HAPI = re.compile(
    r"(?:\bdef \w+|\bparametrize)\([^)]*\b(?:hapi|hapi_with_knowledge|clinic)\b"
)

_STARTS_PROCESSES = re.compile(r"mark\.(?:server|browser)\b|\bsubprocess\b|\bkills\b")


def longest_first(path: str) -> tuple[int, int]:
    """Return what orders files for a run with several workers: what takes long begins early.

    A server that is started once comes first, then files that start processes, the fewest tests
    first: theirs are the longest. What only computes fills the time that is left.

    Args:
        path: of a test file, from the project's root, with slashes.
    """
    text = (_ROOT / path).read_text()
    if room_of(path).startswith("hapi"):
        return 0, 0
    if path.startswith("tests/knowledge/"):
        return 1, 0
    if _STARTS_PROCESSES.search(text):
        return 2, len(re.findall(r"^def test_", text, re.MULTILINE))
    return 3 if path.startswith("tests/smart_app/") else 4, 0


class ByFile(LoadFileScheduling):
    """A file stays together, and so do files that share what is dear to start."""

    def _split_scope(self, nodeid: str) -> str:
        return room_of(nodeid.split("::", 1)[0])


@cache
def room_of(path: str) -> str:
    """Return what a file's tests are kept together by: a server, a folder's build, or the file.

    Args:
        path: of a test file, from the project's root, with slashes.
    """
    if path.startswith("tests/knowledge/"):
        return "tests/knowledge"  # one build of a new protocol
    if _ASKS_FOR_HAPI.search((_ROOT / path).read_text()):
        is_of_plans = path.startswith(("tests/ivfhir/sync/", "tests/smart_app/"))
        return "hapi, plans" if is_of_plans else "hapi"  # two servers, each started once
    return path
