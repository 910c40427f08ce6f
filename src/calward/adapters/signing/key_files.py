"""How does a key lie on the disk, and who may read it?

A private key file is text: a first line that says what it is, then ``role``, ``keyid``, ``public`` and ``private`` in hexadecimal; an
encrypted one has ``kdf``, ``salt`` and ``sealed`` instead of ``private`` (``sealed_seeds``).
Only its owner may read it; a file that others may read is refused, because then nobody knows who has the key.
"""

import os
import stat
from pathlib import Path

from calward.adapters.signing.ed25519 import Ed25519Signer
from calward.adapters.signing.sealed_seeds import KDF, Passphrase, open_seed, seal_seed
from calward.domain.envelope import keyid_of
from calward.domain.errors import LicensingError, Problem
from calward.domain.fields import Fields
from calward.domain.statements import KEY_SIZE, check_public_key

__all__ = [
    "create_key_file",
    "encrypt_key_file",
    "is_encrypted",
    "load_public_key",
    "load_signer",
    "parse_public_key",
    "render_public_key",
    "replace_key_file",
]

_PRIVATE_TITLE = "calward ed25519 private key"
_SEALED_TITLE = "calward ed25519 private key, encrypted"
_PUBLIC_TITLE = "calward ed25519 public key"
_MAX_SIZE = 1024
_SALT_SIZE = 16
_SEALED_SIZE = 12 + KEY_SIZE + 16
"""Nonce, seed, and the tag of AES-GCM."""
_MODE = 0o600


def create_key_file(path: Path, role: str, seed: bytes, *, passphrase: bytes | None = None) -> Ed25519Signer:
    """Write a new private key of 32 random bytes, encrypted where there is a passphrase; on the disk for good when this returns.

    Raises: LicensingError(CONFLICT): the file exists. A key is never overwritten: what it signed would be lost.
    """
    signer = Ed25519Signer(seed)
    text = _private_text(role, signer.public_key, seed, passphrase)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, _MODE)
    except FileExistsError:
        raise LicensingError(Problem.CONFLICT, f"the key file {path} exists: a key is never overwritten") from None
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    _sync_folder(path.parent)
    return signer


def replace_key_file(path: Path, role: str, seed: bytes, *, passphrase: bytes | None = None) -> Ed25519Signer:
    """Write a new private key in place of the one that lies there, which is gone for good; durable when this returns.

    Raises: OSError: the folder cannot be written; then the old key is still there.
    """
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)  # Of an attempt that was cut off: nobody has used it.
    signer = create_key_file(draft, role, seed, passphrase=passphrase)
    draft.replace(path)
    _sync_folder(path.parent)
    return signer


def load_signer(path: Path, role: str, *, checks: bool = True, passphrase: Passphrase | None = None) -> Ed25519Signer:
    """Read a private key file of this role. ``checks``: see ``Ed25519Signer``; ``passphrase`` is asked where the file is encrypted.

    Raises: LicensingError: NOT_FOUND; FORBIDDEN: others may read it; MALFORMED: it is no key file, or of another role; CORRUPT: the
    public half is not that of the private one; UNAUTHORIZED: it is encrypted and the passphrase is not known.
    """
    seed, public_key = _read_seed(path, role, passphrase)
    signer = Ed25519Signer(seed, checks=checks)
    if signer.public_key != public_key:
        raise LicensingError(
            Problem.CORRUPT, f"the halves of the key in {path} do not belong together: use a copy of it"
        )
    return signer


def encrypt_key_file(path: Path, role: str, passphrase: bytes) -> bool:
    """Encrypt a private key that lies there in the open; False where it is encrypted already. Raises like ``load_signer``."""
    if is_encrypted(path):
        return False
    seed, _ = _read_seed(path, role, None)
    replace_key_file(path, role, seed, passphrase=passphrase)
    return True


def is_encrypted(path: Path) -> bool:
    """Whether a private key file is encrypted; raises LicensingError(NOT_FOUND, FORBIDDEN)."""
    return _text(path, private=True).startswith(f"{_SEALED_TITLE}\n")


def _read_seed(path: Path, role: str, passphrase: Passphrase | None) -> tuple[bytes, bytes]:
    if not is_encrypted(path):
        fields = _read(path, _PRIVATE_TITLE, role, private=True)
        seed, public_key = fields.hex("private", size=KEY_SIZE), fields.hex("public", size=KEY_SIZE)
        fields.end()
        return seed, public_key
    fields = _read(path, _SEALED_TITLE, role, private=True)
    salt, sealed = fields.hex("salt", size=_SALT_SIZE), fields.hex("sealed", size=_SEALED_SIZE)
    kdf, public_key = fields.text("kdf"), fields.hex("public", size=KEY_SIZE)
    fields.end()
    if kdf != KDF:
        raise LicensingError(
            Problem.MALFORMED, f"{path} is encrypted in a way that this Calward does not know: {kdf!a}"
        )
    if passphrase is None:
        raise LicensingError(Problem.UNAUTHORIZED, f"the key file {path} is encrypted, and no passphrase is known")
    head = _head(role, public_key)
    return open_seed(salt, sealed, passphrase(), head.encode(), str(path)), public_key


def _private_text(role: str, public_key: bytes, seed: bytes, passphrase: bytes | None) -> str:
    if passphrase is None:
        return _render(_PRIVATE_TITLE, role, public_key) + f"private: {seed.hex()}\n"
    head = _head(role, public_key)
    salt, sealed = seal_seed(seed, passphrase, head.encode())
    return f"{head}salt: {salt.hex()}\nsealed: {sealed.hex()}\n"


def _head(role: str, public_key: bytes) -> str:
    """What stands before the sealed seed, and is authenticated with it."""
    return _render(_SEALED_TITLE, role, public_key) + f"kdf: {KDF}\n"


def render_public_key(role: str, public_key: bytes) -> str:
    """Render a public key as the text of a file, to be handed to a license server's administrator."""
    return _render(_PUBLIC_TITLE, role, public_key)


def load_public_key(path: Path, role: str) -> bytes:
    """Read the file that ``render_public_key`` makes; raises like ``load_signer``, anybody may read it."""
    fields = _read(path, _PUBLIC_TITLE, role, private=False)
    return _public(fields)


def parse_public_key(text: str) -> bytes:
    """Read a public key from a setting, 64 hexadecimal digits; raises LicensingError(MALFORMED)."""
    return _public(Fields({"public": text.strip().lower()}, "the public key"))


def _public(fields: Fields) -> bytes:
    public_key = fields.hex("public", size=KEY_SIZE)
    fields.end()
    return check_public_key(public_key, "the public key")


def _render(title: str, role: str, public_key: bytes) -> str:
    return f"{title}\nrole: {role}\nkeyid: {keyid_of(public_key)}\npublic: {public_key.hex()}\n"


def _read(path: Path, title: str, role: str, *, private: bool) -> Fields:
    lines = _text(path, private=private).splitlines()
    pairs = [line.partition(": ") for line in lines[1:]]
    found: dict[str, object] = {name: value for name, _, value in pairs}
    if lines[:1] != [title] or len(found) != len(pairs):
        raise LicensingError(Problem.MALFORMED, f"{path} is no file with a {title}")
    fields = Fields(found, f"the key file {path}")
    if (found_role := fields.text("role")) != role:
        raise LicensingError(Problem.MALFORMED, f"{path} holds a key with the role {found_role!a}, not {role}")
    fields.text("keyid")
    return fields


def _text(path: Path, *, private: bool) -> str:
    try:
        # The open file is asked for its mode, not the path: nobody can exchange it in between.
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if private and stat.S_IMODE(mode) & 0o077:
                detail = f"others than its owner may read the key file {path}: chmod 600 it, or make a new key"
                raise LicensingError(Problem.FORBIDDEN, detail)
            return file.read(_MAX_SIZE).decode("ascii")
    except FileNotFoundError:
        raise LicensingError(Problem.NOT_FOUND, f"there is no key file {path}") from None
    except UnicodeDecodeError:
        raise LicensingError(Problem.MALFORMED, f"{path} is no key file") from None
    except OSError as error:
        raise LicensingError(Problem.UNAVAILABLE, f"the key file {path} cannot be read: {error.strerror}") from None


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
