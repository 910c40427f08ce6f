"""How are the files of a backup put into one, and taken out again without believing what stands in it?

A tar file, uncompressed, its owner's alone. ``manifest.json`` comes first and names every other file with size and SHA-256; all lie
at the top, none is anything but a plain file.
"""

import hashlib
import json
import os
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from calward.domain.errors import LicensingError, Problem

__all__ = ["MANIFEST", "Manifest", "digest_of", "read_manifest", "unpack", "write_archive"]

MANIFEST: Final = "manifest.json"
_FORMAT: Final = 1
_MAX_MANIFEST: Final = 1 << 20
_CHUNK: Final = 1 << 20
_NAME_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup is of. ``kind``: "license-server" or "clearinghouse". ``files``: size and SHA-256 (hex) by name.

    ``facts``: what its kind tells of itself, plain JSON.
    """

    kind: str
    made_at: str
    release: str
    facts: Mapping[str, Any]
    files: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    format: int = _FORMAT


def write_archive(target: Path, manifest: Manifest, files: Mapping[str, Path]) -> Manifest:
    """Write a new archive, whole or not at all; it is on the disk when this returns. Returns the manifest with the files in it.

    Raises: LicensingError: CONFLICT: the target exists; UNAVAILABLE: it cannot be written.
    """
    listed = {name: (path.stat().st_size, digest_of(path)) for name, path in files.items()}
    whole = Manifest(manifest.kind, manifest.made_at, manifest.release, manifest.facts, listed)
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "wb") as out:
            _write(out, json.dumps(asdict(whole), indent=1).encode() + b"\n", files)
            out.flush()
            os.fsync(out.fileno())
        os.link(partial, target)  # Unlike a rename it never takes an older backup's place.
    except FileExistsError:
        raise LicensingError(Problem.CONFLICT, f"{target} exists already: name a new file") from None
    except OSError as error:
        raise LicensingError(Problem.UNAVAILABLE, f"{target} cannot be written: {error.strerror}") from None
    finally:
        partial.unlink(missing_ok=True)
    return whole


def read_manifest(archive: Path) -> Manifest:
    """What a backup says that it is; raises LicensingError: NOT_FOUND, MALFORMED."""
    with _opened(archive) as tar:
        return _manifest(tar, archive)


def unpack(archive: Path, folder: Path) -> Manifest:
    """Lay all files into an empty folder of ours, each checked against its digest.

    Raises: LicensingError: NOT_FOUND, MALFORMED: no backup; CORRUPT: a file is missing or is not what the manifest says.
    """
    with _opened(archive) as tar:
        manifest = _manifest(tar, archive)
        found = {member.name for member in _members(tar, archive) if member.name in manifest.files}
        for name in sorted(manifest.files):
            if name not in found:
                raise _corrupt(archive, f"{name} is missing")
            _unpack_one(tar, name, manifest.files[name], folder / name, archive)
    return manifest


def digest_of(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(out: IO[bytes], manifest: bytes, files: Mapping[str, Path]) -> None:
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        head = tarfile.TarInfo(MANIFEST)
        head.size, head.mode = len(manifest), 0o600
        tar.addfile(head, _Bytes(manifest))
        for name, path in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = path.stat().st_size, 0o600
            with path.open("rb") as file:
                tar.addfile(info, file)


class _Bytes:
    """Just enough of a file for ``tarfile``."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def read(self, size: int = -1) -> bytes:
        end = len(self._content) if size < 0 else size
        part, self._content = self._content[:end], self._content[end:]
        return part


def _opened(archive: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(archive, mode="r:")
    except FileNotFoundError:
        raise LicensingError(Problem.NOT_FOUND, f"there is no file {archive}") from None
    except (OSError, tarfile.TarError) as error:
        raise LicensingError(Problem.MALFORMED, f"{archive} is no backup of ours: {error}") from None


def _members(tar: tarfile.TarFile, archive: Path) -> Iterable[tarfile.TarInfo]:
    try:
        return tar.getmembers()
    except (OSError, tarfile.TarError) as error:
        raise _corrupt(archive, str(error)) from None


def _manifest(tar: tarfile.TarFile, archive: Path) -> Manifest:
    try:
        first = tar.next()
        content = _read(tar, first, _MAX_MANIFEST) if first is not None and first.name == MANIFEST else b""
        found = json.loads(content)
        files = {str(name): (int(size), str(digest)) for name, (size, digest) in found.pop("files").items()}
        manifest = Manifest(**found, files=files)
    except (OSError, tarfile.TarError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        detail = f"{archive} is no backup of ours: it does not begin with a manifest that can be read"
        raise LicensingError(Problem.MALFORMED, detail) from None
    if manifest.format != _FORMAT:
        detail = f"{archive} is a backup of format {manifest.format}: use the release of Calward that made it, or a later one"
        raise LicensingError(Problem.MALFORMED, detail)
    if not all(_plain(name) for name in manifest.files):
        raise LicensingError(Problem.MALFORMED, f"{archive} names files outside of itself: it is no backup of ours")
    return manifest


def _plain(name: str) -> bool:
    return 0 < len(name) <= _NAME_MAX and Path(name).name == name and name.isprintable() and not name.startswith(".")


def _read(tar: tarfile.TarFile, member: tarfile.TarInfo, most: int) -> bytes:
    if not member.isreg() or member.size > most:
        raise ValueError(member.name)
    file = tar.extractfile(member)
    return b"" if file is None else file.read()


def _unpack_one(tar: tarfile.TarFile, name: str, listed: tuple[int, str], target: Path, archive: Path) -> None:
    size, digest = listed
    member = tar.getmember(name)
    source = tar.extractfile(member) if member.isreg() and member.size == size else None
    if source is None:
        raise _corrupt(archive, f"{name} is not of the size that its manifest says")
    sha256 = hashlib.sha256()
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "wb") as out:
            while part := source.read(_CHUNK):
                sha256.update(part)
                out.write(part)
            out.flush()
            os.fsync(out.fileno())
    except (tarfile.TarError, EOFError) as error:
        raise _corrupt(archive, f"{name}: {error}") from None
    except OSError as error:
        raise LicensingError(Problem.UNAVAILABLE, f"{target} cannot be written: {error.strerror}") from None
    if sha256.hexdigest() != digest:
        raise _corrupt(archive, f"{name} is not what its manifest says")


def _corrupt(archive: Path, why: str) -> LicensingError:
    return LicensingError(Problem.CORRUPT, f"the backup {archive} is damaged: {why}")
