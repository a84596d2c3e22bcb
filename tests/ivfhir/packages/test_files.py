"""A package that is not to be trusted is a sentence, in bounded memory."""

import gzip
import os
import tarfile
import tracemalloc

import pytest

from ivfhir.errors import InputError
from ivfhir.packages import files
from ivfhir.packages.package import open_package
from tests.ivfhir.packages.making import definition, member, write_bomb, write_folder, write_tgz

A = definition("http://x.example/A")
LINK = {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}


def refused(path):
    with pytest.raises(InputError) as caught:
        open_package(path)
    return caught.value.message


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (member("../x.json"), "path that leads out"),
        (member("package/../../x.json"), "path that leads out"),
        (member("/etc/x.json"), "path that leads out"),
        (member("package/x.json", **LINK), "a link or device"),
        (member("package/x.json", **LINK | {"type": tarfile.LNKTYPE}), "a link or device"),
        (member("package/x", type=tarfile.CHRTYPE), "a link or device"),
        (member("package/x.json"), "x.json of"),
    ],
)
def test_a_member_that_no_package_holds_is_refused(tmp_path, made, said):
    data = b"\xff\xfe" if said == "x.json of" else b""
    assert said in refused(write_tgz(tmp_path / "p.tgz", A, more=[(made, data)]))


def test_a_folder_with_a_link_is_refused(tmp_path):
    path = write_folder(tmp_path / "p", A)
    os.symlink("/etc/passwd", path / "package/x.json")
    assert "x.json is a link" in refused(path)


@pytest.mark.parametrize(
    "data",
    [b"", b"no gzip", gzip.compress(b"no tar" * 200)],
    ids=["empty", "no-gzip", "gzip-of-no-tar"],
)
def test_what_is_no_archive_is_refused(tmp_path, data):
    path = tmp_path / "p.tgz"
    path.write_bytes(data)
    assert "p.tgz" in refused(path)


def test_one_that_is_cut_off_is_refused(tmp_path):
    path = write_tgz(tmp_path / "p.tgz", *[A] * 50)
    path.write_bytes(path.read_bytes()[:-40])
    assert "no FHIR package that can be unpacked" in refused(path)


def test_a_bomb_takes_no_memory(tmp_path):
    path = write_bomb(tmp_path / "p.tgz", 200 * 2**20)
    assert path.stat().st_size < 2**20
    tracemalloc.start()
    said = refused(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "more than 64 MB" in said
    assert peak < 8 * 2**20


def test_many_files_are_a_bomb_too(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MAX_MEMBERS", 20)
    rows = [A] * 30
    assert "more than 20 files" in refused(write_tgz(tmp_path / "p.tgz", *rows))
    assert "more than 20 files" in refused(write_folder(tmp_path / "p", *rows))


def test_so_is_much_in_small_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MAX_UNPACKED", 2**20)
    rows = [definition("http://x.example/A", description="x" * 2**17) for _ in range(20)]
    assert "unpacks to more than 1 MB" in refused(write_tgz(tmp_path / "p.tgz", *rows))
    assert "unpacks to more than 1 MB" in refused(write_folder(tmp_path / "p", *rows))
