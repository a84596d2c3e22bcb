"""Packages made for a test."""

import gzip
import io
import json
import tarfile

MANIFEST = {"name": "x.example", "version": "1.0.0", "fhirVersions": ["4.0.1"]}


def definition(url, kind="StructureDefinition", **more):
    return {"resourceType": kind, "text": {"div": '<a url="x">{"}</a>'}, "url": url, **more}


def write_folder(path, *definitions, manifest=MANIFEST):
    folder = path / "package"
    folder.mkdir(parents=True)
    if manifest is not None:
        (folder / "package.json").write_text(json.dumps(manifest))
    for number, each in enumerate(definitions):
        (folder / f"{each['resourceType']}-{number}.json").write_text(json.dumps(each))
    return path


def write_tgz(path, *definitions, manifest=MANIFEST, more=()):
    """Write a package; `more` are tar members with their bytes."""
    with tarfile.open(path, "w:gz") as archive:
        rows = [("package/package.json", manifest)] if manifest is not None else []
        rows += [(f"package/{e['resourceType']}-{n}.json", e) for n, e in enumerate(definitions)]
        for name, each in rows:
            add(archive, tarfile.TarInfo(name), json.dumps(each).encode())
        for member, data in more:
            add(archive, member, data)
    return path


def add(archive, member, data):
    member.size = len(data)
    archive.addfile(member, io.BytesIO(data))


def member(name, **attributes):
    made = tarfile.TarInfo(name)
    for key, value in attributes.items():
        setattr(made, key, value)
    return made


def write_bomb(path, size):
    """Write a .tgz whose one file says that it has `size` bytes, all zero."""
    header = member("package/StructureDefinition-x.json", size=size).tobuf()
    with gzip.open(path, "wb", compresslevel=9) as file:
        file.write(header)
        for _ in range(0, size, 2**20):
            file.write(bytes(2**20))
    return path
