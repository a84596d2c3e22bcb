"""Name every committed file that is not what its sources give."""

from collections.abc import Iterator
from pathlib import Path

from tools import maven
from tools.knowledge import lock, translate
from tools.knowledge.authoring import BUILT, authored_files, authored_folders
from tools.knowledge.layout import Layout
from tools.knowledge.library import library_files
from tools.knowledge.value_set import value_set_files


def stale_files(layout: Layout, *, retranslate: bool) -> Iterator[str]:
    """Yield one line for each stale file: its path and what is wrong with it.

    Args:
        layout: where the knowledge stands.
        retranslate: whether to translate again and compare byte for byte (needs Java); without
            it, an ELM that is older than its CQL is still seen by the recorded hashes.
    """
    for path in lock.unlocked_files(layout):
        yield f"{_shown(path)}: not as it was when the ELM was made; run make knowledge"
    built = dict([*authored_files(layout), *library_files(layout), *value_set_files(layout)])
    for path, content in built.items():
        if not path.is_file() or path.read_bytes() != content:
            yield f"{_shown(path)}: its sources give something else; run make knowledge"
    for path in orphans(layout, set(built)):
        yield f"{_shown(path)}: no source gives it; remove it"
    if retranslate:
        for path in translate.changed_by_translation(layout):
            yield f"{_shown(path)}: translating its CQL gives something else; run make knowledge"


def orphans(layout: Layout, built: set[Path]) -> list[Path]:
    """Return Library, ValueSet and authored files, and ELM, that no source gives."""
    resources = {
        path
        for kind in ("Library", "ValueSet")
        for path in layout.knowledge.glob(f"*/{kind}-*.json")
    }
    resources |= {
        path for folder in authored_folders(layout) for kind in BUILT for path in folder.glob(kind)
    }
    lonely_elm = {
        path
        for path in layout.knowledge.glob("*/cql/*.json")
        if not path.with_suffix(".cql").is_file()
    }
    return sorted((resources - built) | lonely_elm)


def can_retranslate() -> bool:
    """Whether Java and Maven are here."""
    return maven.missing_java() is None


def _shown(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
