"""`ivfhir protocols new ID`: a protocol's folder, from the template, to begin with."""

import re
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from ivfhir.errors import UsageError
from ivfhir.knowledge.package import read_json, shared_folder

TEMPLATE = "protocol_template"
_ID = re.compile(r"[A-Z][A-Z0-9]{1,15}")


def new_protocol(protocol_id: str, folder: Path, *, date: str) -> Path:
    """Write the folder of a new protocol; return it.

    Args:
        protocol_id: capital letters and digits: `KIDNEY`.
        folder: the folder of protocols that gets it.
        date: today, as FHIR writes it.

    Raises:
        UsageError: an id of another shape, a folder that is there already or cannot be written.
    """
    if _ID.fullmatch(protocol_id) is None:
        raise UsageError(
            f"'{protocol_id}' is no id of a protocol; take 2 to 16 capital letters and digits, "
            "a letter first, such as KIDNEY."
        )
    target = folder / protocol_id.lower()
    if target.exists():
        raise UsageError(f"{target} is there already; name another id, or remove it first.")
    shared = read_json(shared_folder() / "Library-IOConventions.json")["version"]
    words = {"ID": protocol_id, "date": date, "shared": shared}
    try:
        _write(files("ivfhir") / TEMPLATE, target, words)
    except OSError as error:
        raise UsageError(f"{target} cannot be written: {error.strerror}; name another.") from error
    return target


def _write(source: Traversable, target: Path, words: dict[str, str]) -> None:
    target.mkdir(parents=True)
    for entry in sorted(source.iterdir(), key=lambda each: each.name):
        place = target / entry.name.replace("ID.", f"{words['ID']}.")
        if entry.is_dir():
            _write(entry, place, words)
        else:
            text = Template(entry.read_text(encoding="utf-8")).substitute(words)
            place.write_text(text, encoding="utf-8")
