"""How is a clearinghouse put together from its folder, and served?

The folder holds ``root.key`` (to be taken away and kept offline), ``root.pub``, ``pack.key``, ``activation.key``, ``keyring.json``,
``retired-keys.json`` (public keys of before that are still accepted) and ``clearinghouse.db``;
ladders that are not shipped may lie in ``ladders/NAME.toml``. Only its owner may look in.
"""

import json
import os
from dataclasses import replace
from functools import partial
from pathlib import Path

from calward.adapters.clearinghouse import SqliteClearinghouseStore
from calward.adapters.ladders import load_ladder, shipped_ladders
from calward.adapters.network.serving import serve_asgi
from calward.adapters.passphrases import ask_passphrase, named_passphrase, new_passphrase
from calward.adapters.signing import (
    Passphrase,
    create_key_file,
    encrypt_key_file,
    is_encrypted,
    load_public_key,
    load_signer,
    render_public_key,
    verify,
)
from calward.app.clearinghouse.desk import Clearinghouse
from calward.app.clearinghouse.ports import Signer
from calward.app.ports import Clock, Entropy
from calward.domain.errors import LicensingError, Problem
from calward.domain.fields import check_name
from calward.domain.ladder import Ladder
from calward.domain.settings import SECONDS_PER_DAY
from calward.domain.trust import Keyring, Role, RoleKey

__all__ = [
    "ROOT_KEY_FILE",
    "clearinghouse",
    "encrypt_keys",
    "init_clearinghouse",
    "open_keys",
    "publish_keyring",
    "rotate_key",
    "serve_asgi",
]

ROOT_KEY_FILE = "root.key"
ROOT_PUBLIC_FILE = "root.pub"
KEYRING_FILE = "keyring.json"
STORE_FILE = "clearinghouse.db"
RETIRED_FILE = "retired-keys.json"
LADDERS_FOLDER = "ladders"

_SEED_SIZE = 32
_ACTING = (Role.PACK, Role.ACTIVATION)
"""Roles whose keys are in daily use."""


def clearinghouse(
    data_dir: Path, clock: Clock, entropy: Entropy, *, passphrase: Passphrase = ask_passphrase
) -> Clearinghouse:
    """Open the clearinghouse in a folder; needs the pack and activation keys, not the root.

    Raises: LicensingError: NOT_FOUND: none was made there; FORBIDDEN: others may read its keys; CORRUPT, UNAVAILABLE.
    """
    if not (data_dir / STORE_FILE).is_file():
        detail = f"there is no clearinghouse in {data_dir}: make one by calward clearinghouse init {data_dir}"
        raise LicensingError(Problem.NOT_FOUND, detail)
    return Clearinghouse(
        store=SqliteClearinghouseStore(data_dir / STORE_FILE),
        pack_signer=load_signer(_key_file(data_dir, Role.PACK), Role.PACK, passphrase=passphrase),
        activation_signer=load_signer(_key_file(data_dir, Role.ACTIVATION), Role.ACTIVATION, passphrase=passphrase),
        clock=clock,
        entropy=entropy,
        load_ladder=partial(_ladder, data_dir / LADDERS_FOLDER),
        verify=verify,
    )


def init_clearinghouse(
    data_dir: Path, name: str, days: int, clock: Clock, entropy: Entropy
) -> tuple[Clearinghouse, bytes]:
    """Make a clearinghouse: a root key, a key for packs, one for activations, and the keyring of these two.

    Returns: the clearinghouse, and the root's public key, which license servers are told in their settings.
    Raises: LicensingError(CONFLICT): the folder holds a key already; MALFORMED: the name cannot be read.
    """
    check_name(name, "the clearinghouse's name")
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    secret = new_passphrase() if named_passphrase() else None
    root = create_key_file(_key_file(data_dir, Role.ROOT), Role.ROOT, entropy.token(_SEED_SIZE), passphrase=secret)
    for role in _ACTING:
        create_key_file(_key_file(data_dir, role), role, entropy.token(_SEED_SIZE), passphrase=secret)
    (data_dir / ROOT_PUBLIC_FILE).write_text(render_public_key(Role.ROOT, root.public_key), encoding="ascii")
    # Made with the owner's rights alone; SQLite gives its journal the same.
    os.close(os.open(data_dir / STORE_FILE, os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW, 0o600))
    made = clearinghouse(data_dir, clock, entropy)
    _publish(data_dir, made, root, name, days)
    return made, root.public_key


def publish_keyring(
    data_dir: Path, name: str | None, days: int, root_key: Path | None, clock: Clock, entropy: Entropy
) -> bytes:
    """Sign a new keyring of the keys in use with the root key, lay it into the folder, and return its envelope.

    Keys that were rotated away stay in it until their time is up. ``root_key`` says where the root key is today, None in the folder;
    ``name`` None keeps the name. Raises what ``load_signer`` raises; FORBIDDEN where it is not the root that license servers were told.
    """
    desk = clearinghouse(data_dir, clock, entropy)
    root = _root(data_dir, root_key)
    return _publish(data_dir, desk, root, name or desk.keyring()[0].clearinghouse, days)


def rotate_key(
    data_dir: Path, role: Role, keep_days: int, days: int, root_key: Path | None, clock: Clock, entropy: Entropy
) -> Keyring:
    """Sign with a new key of this role from now on; license servers accept the old one for ``keep_days`` more. The new keyring.

    Each step can be repeated: a rotation that was cut off goes on with the key that it had made. A clearinghouse that is being served
    has to be started again to use the new key; until then the old one is good.
    Raises: as ``publish_keyring``; MALFORMED: the root key is exchanged in another way.
    """
    if role not in _ACTING:
        detail = "the root key is not rotated: license servers are told a second one in their setting roots first"
        raise LicensingError(Problem.MALFORMED, detail, field="role")
    desk = clearinghouse(data_dir, clock, entropy)
    root, now = _root(data_dir, root_key), clock.now()
    path, draft = _key_file(data_dir, role), data_dir / f"{role}.key.next"
    old = desk.pack_signer if role is Role.PACK else desk.activation_signer
    if not draft.exists():
        secret = ask_passphrase() if is_encrypted(path) else None
        create_key_file(draft, role, entropy.token(_SEED_SIZE), passphrase=secret)
    new = load_signer(draft, role, passphrase=ask_passphrase)
    _retire(data_dir, RoleKey(role, old.public_key), now + keep_days * SECONDS_PER_DAY)
    rotated = replace(desk, pack_signer=new) if role is Role.PACK else replace(desk, activation_signer=new)
    _publish(data_dir, rotated, root, desk.keyring()[0].clearinghouse, days)
    draft.replace(path)
    return desk.keyring()[0]


def encrypt_keys(data_dir: Path) -> list[str]:
    """Encrypt the private keys in the folder that are not yet; the names of their files."""
    here = [role for role in Role if _key_file(data_dir, role).exists()]
    if not here:
        raise LicensingError(Problem.NOT_FOUND, f"there are no keys of a clearinghouse in {data_dir}")
    if all(is_encrypted(_key_file(data_dir, role)) for role in here):
        return []
    secret = new_passphrase()
    return [f"{role}.key" for role in here if encrypt_key_file(_key_file(data_dir, role), role, secret)]


def open_keys(data_dir: Path) -> list[str]:
    """The private keys in the folder that whoever copies the files can use: not encrypted."""
    here = [_key_file(data_dir, role) for role in Role]
    return [path.name for path in here if path.exists() and not is_encrypted(path)]


def _root(data_dir: Path, root_key: Path | None) -> Signer:
    root = load_signer(root_key or _key_file(data_dir, Role.ROOT), Role.ROOT, passphrase=ask_passphrase)
    if root.public_key != load_public_key(data_dir / ROOT_PUBLIC_FILE, Role.ROOT):
        raise LicensingError(Problem.FORBIDDEN, f"{root_key} is the root key of another clearinghouse")
    return root


def _publish(data_dir: Path, desk: Clearinghouse, root: Signer, name: str, days: int) -> bytes:
    envelope = desk.publish_keyring(name, root, days, _retired(data_dir, desk.clock.now()))
    (data_dir / KEYRING_FILE).write_bytes(envelope + b"\n")
    return envelope


def _retire(data_dir: Path, key: RoleKey, until: int) -> None:
    """Remember until when a key that no longer signs is accepted; written whole or not at all."""
    path = data_dir / RETIRED_FILE
    kept = json.loads(path.read_text()) if path.exists() else []
    found = {one["public_key"]: one for one in kept}
    found[key.public_key.hex()] = {"role": key.role.value, "public_key": key.public_key.hex(), "until": until}
    draft = path.with_name(f"{path.name}.new")
    draft.write_text(json.dumps(list(found.values()), indent=2) + "\n", encoding="ascii")
    draft.replace(path)


def _retired(data_dir: Path, now: int) -> list[RoleKey]:
    path = data_dir / RETIRED_FILE
    if not path.exists():
        return []
    kept = json.loads(path.read_text())
    return [RoleKey(Role(one["role"]), bytes.fromhex(one["public_key"])) for one in kept if one["until"] > now]


def _ladder(folder: Path, name: str) -> Ladder:
    """A shipped ladder, or one of the files that lie in the clearinghouse's folder for this.

    The name may come from an operator over HTTP: it is compared with what is there and never made into a path.
    """
    own = {file.stem: str(file) for file in folder.glob("*.toml")}
    if name not in own and name not in shipped_ladders():
        known = ", ".join(sorted({*own, *shipped_ladders()}))
        raise LicensingError(Problem.NOT_FOUND, f"there is no ladder {name!a} here, only {known}", field="ladder")
    return load_ladder(own.get(name, name))


def _key_file(data_dir: Path, role: Role) -> Path:
    return data_dir / f"{role}.key"
