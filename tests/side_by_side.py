"""How the tests of a run are dealt out when it has several workers (`pytest -n`)."""

import re
from functools import cache
from pathlib import Path

from xdist.scheduler import LoadFileScheduling

_ROOT = Path(__file__).parents[1]
_ASKS_FOR_HAPI = re.compile(r"def \w+\([^)]*\b(?:hapi|hapi_with_knowledge)\b")


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
        return "hapi"  # one server, loaded with the knowledge once
    return path
