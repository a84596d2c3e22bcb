"""The files of a package, from a folder or a .tgz that nobody vouches for.

Nothing is written under a name of the archive: what is wanted of a .tgz lies in one nameless file,
and is read from there when it is asked for.
"""

import tarfile
import tempfile
import weakref
import zlib
from collections.abc import Callable, Iterator
from gzip import GzipFile
from pathlib import Path, PurePath, PurePosixPath
from typing import IO, Protocol, cast

from ivfhir.errors import InputError

MAX_UNPACKED = 512 * 2**20
"""Bytes of a package when unpacked."""
MAX_FILE = 64 * 2**20
"""Bytes of one file."""
MAX_MEMBERS = 50_000
"""Files of a package."""
FOLDER = "package"
"""Where a package keeps its definitions; examples and others lie beside them in further folders."""
UNREADABLE = (OSError, EOFError, tarfile.TarError, zlib.error, ValueError)
Keep = Callable[[str, str], bool]


class Files(Protocol):
    """The files of a package by name, `package.json` among them."""

    names: list[str]

    def read(self, name: str) -> str:
        """Return the text of a file.

        Raises:
            InputError: it cannot be read, or is no UTF-8.
        """


class FolderFiles:
    """The files of a folder."""

    def __init__(self, path: Path) -> None:
        """List them: those of its folder `package`, where it has one.

        Raises:
            InputError: it cannot be read, holds too many files, or too large ones.
        """
        inner = path / FOLDER
        self._folder = inner if (inner / "package.json").is_file() else path
        self._shown = str(path)
        try:
            found = sorted(each for each in self._folder.iterdir() if _is_wanted(each))
            size = sum(each.lstat().st_size for each in found)
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror}.") from None
        for each in found:
            if each.is_symlink():
                raise InputError(f"{path}: {each.name} is a link; put the file itself there.")
        _bounded(self._shown, len(found), size)
        self.names = [each.name for each in found if each.is_file()]

    def read(self, name: str) -> str:
        """Return the text of a file; see Files."""
        place = f"{name} of {self._shown}"
        try:
            with (self._folder / name).open("rb") as file:
                return _text(file.read(MAX_FILE + 1), place)
        except OSError as error:
            raise InputError(f"{place} cannot be read: {error.strerror}.") from None


class ArchiveFiles:
    """The JSON files of a .tgz that are wanted, unpacked into one nameless file."""

    def __init__(self, path: Path, keep: Keep) -> None:
        """Unpack it.

        Args:
            path: of the archive.
            keep: whether a file is wanted, by its name and text.

        Raises:
            InputError: it is no .tgz, unpacks to too much, or holds what no package holds.
        """
        self._shown = str(path)
        self._spool = cast(IO[bytes], tempfile.TemporaryFile())  # noqa: SIM115 - see next line
        weakref.finalize(self, self._spool.close)
        self._places: dict[str, tuple[int, int]] = {}
        try:
            with path.open("rb") as file, GzipFile(fileobj=file) as unpacked:
                for name, data in _members(cast(IO[bytes], unpacked), self._shown):
                    if keep(name, _text(data, f"{name} of {path}")):
                        self._places[name] = (self._spool.tell(), len(data))
                        self._spool.write(data)
        except UNREADABLE as error:
            why = getattr(error, "strerror", None) or str(error)
            raise InputError(
                f"{path} is no FHIR package that can be unpacked ({why}); give a .tgz or a folder."
            ) from None
        self.names = list(self._places)

    def read(self, name: str) -> str:
        """Return the text of a file; see Files."""
        start, size = self._places[name]
        self._spool.seek(start)
        return _text(self._spool.read(size), f"{name} of {self._shown}")


class _Bounded:
    """A stream that is read to MAX_UNPACKED at most; what tarfile needs of one."""

    def __init__(self, stream: IO[bytes], shown: str) -> None:
        self._stream = stream
        self._shown = shown

    def read(self, size: int = -1) -> bytes:
        if size < 0 or size > MAX_FILE:
            raise InputError(f"{self._shown} holds a file of more than {_mb(MAX_FILE)}.")
        _bounded(self._shown, 0, self.tell() + size)
        return self._stream.read(size)

    def seek(self, at: int) -> int:
        _bounded(self._shown, 0, at)
        return self._stream.seek(at)

    def tell(self) -> int:
        return self._stream.tell()


def _members(stream: IO[bytes], shown: str) -> Iterator[tuple[str, bytes]]:
    """Yield name and bytes of each JSON file that lies in the package's folder itself."""
    bounded = cast(IO[bytes], _Bounded(stream, shown))
    count = 0
    with tarfile.open(fileobj=bounded, mode="r:") as archive:
        while (member := archive.next()) is not None:
            archive.members.clear()  # type: ignore[attr-defined]  # tarfile would keep each
            count += 1
            _bounded(shown, count, 0)
            if member.size > MAX_FILE:
                raise InputError(f"{shown} holds a file of more than {_mb(MAX_FILE)}.")
            path = PurePosixPath(member.name)
            if path.is_absolute() or ".." in path.parts:
                raise InputError(
                    f"{shown} holds a file with a path that leads out of it "
                    f"({member.name[:60]}); it is no FHIR package."
                )
            if member.isdir():
                continue
            if not member.isfile() or member.issparse():
                raise InputError(
                    f"{shown} holds a link or device ({member.name[:60]}); "
                    "a FHIR package holds files only."
                )
            parts = path.parts[1:] if path.parts[:1] == (".",) else path.parts
            if len(parts) == 2 and parts[0] == FOLDER and _is_wanted(path):  # noqa: PLR2004
                file = archive.extractfile(member)
                yield parts[1], file.read() if file is not None else b""


def _is_wanted(path: PurePath) -> bool:
    """Return whether a file may hold a definition; no index (`.index.json`) is needed."""
    return path.suffix == ".json" and path.name[:1] != "."


def _bounded(shown: str, members: int, size: int) -> None:
    if members > MAX_MEMBERS:
        raise InputError(f"{shown} holds more than {MAX_MEMBERS} files; give a smaller package.")
    if size > MAX_UNPACKED:
        raise InputError(
            f"{shown} unpacks to more than {_mb(MAX_UNPACKED)}; give a smaller package."
        )


def _mb(size: int) -> str:
    return f"{size // 2**20} MB"


def _text(data: bytes, place: str) -> str:
    if len(data) > MAX_FILE:
        raise InputError(f"{place} is larger than {_mb(MAX_FILE)}.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{place} is not UTF-8; export the package again.") from None
