"""Record which CQL each ELM was made from, so that an old ELM is seen where no Java is.

The record is in the format of sha256sum, one line for each CQL and each ELM file:
`cd plan_definitions && sha256sum -c elm.sha256` checks the same.
"""

import hashlib
from pathlib import Path

from tools.knowledge.layout import Layout, elm_of


def write_lock(layout: Layout) -> None:
    """Record the present CQL and ELM; to be called right after a translation only."""
    paths = [path for cql in layout.cql_files() for path in (cql, elm_of(cql))]
    lines = (
        f"{_sha256(path)}  {path.relative_to(layout.knowledge).as_posix()}\n" for path in paths
    )
    layout.lock.write_text("".join(lines), encoding="utf-8")


def unlocked_files(layout: Layout) -> list[Path]:
    """Return the CQL and ELM files that are not as they were at the last translation."""
    recorded = _read_lock(layout.lock)
    present = {path for cql in layout.cql_files() for path in (cql, elm_of(cql))}
    gone = {layout.knowledge / name for name in recorded} - present
    changed = {
        path
        for path in present
        if not path.is_file()
        or recorded.get(path.relative_to(layout.knowledge).as_posix()) != _sha256(path)
    }
    return sorted(gone | changed)


def _read_lock(lock: Path) -> dict[str, str]:
    if not lock.is_file():
        return {}
    lines = lock.read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
