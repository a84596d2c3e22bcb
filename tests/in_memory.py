"""What the tests write lies in memory where there is room: a disk takes half of a store's time."""

import os
import shutil
import tempfile
from pathlib import Path

ROOM_BYTES = 2 << 30
"""What must be free. A run takes a tenth: the files of a test that passed are removed after it."""

_MEMORY = Path("/dev/shm")  # noqa: S108 - files in it are made by tempfile
_DISK = Path("/var/tmp")  # noqa: S108 - so are those in it


def write_to_memory() -> None:
    """Let temporary files of this process and its children be in memory, unless TMPDIR says where.

    A memory in which no program can be started, as a container's often is, is left alone.
    """
    if "TMPDIR" in os.environ or not os.access(_MEMORY, os.W_OK):
        return
    if os.statvfs(_MEMORY).f_flag & os.ST_NOEXEC or shutil.disk_usage(_MEMORY).free < ROOM_BYTES:
        return
    os.environ["TMPDIR"] = str(_MEMORY)
    tempfile.tempdir = None


def place_of_much() -> Path | None:
    """Return the folder for what is too large for memory; None for that of all temporary files."""
    return _DISK if tempfile.gettempdir() == str(_MEMORY) else None
