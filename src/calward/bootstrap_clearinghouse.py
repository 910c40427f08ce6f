"""How is a clearinghouse put together from its folder, and served?

The folder holds ``root.key`` (to be taken away and kept offline), ``root.pub``, ``pack.key``, ``activation.key``, ``keyring.json``
and ``clearinghouse.db``; ladders that are not shipped may lie in ``ladders/NAME.toml``. Only its owner may look in.
"""

import os
from functools import partial
from pathlib import Path

from calward.adapters.clearinghouse import SqliteClearinghouseStore
from calward.adapters.ladders import load_ladder, shipped_ladders
from calward.adapters.serving import serve_asgi
from calward.adapters.signing import create_key_file, load_public_key, load_signer, render_public_key, verify
from calward.app.clearinghouse.desk import Clearinghouse
from calward.app.clearinghouse.ports import Signer
from calward.app.ports import Clock, Entropy
from calward.domain.errors import LicensingError, Problem
from calward.domain.fields import check_name
from calward.domain.ladder import Ladder
from calward.domain.trust import Role

__all__ = ["ROOT_KEY_FILE", "clearinghouse", "init_clearinghouse", "publish_keyring", "serve_asgi"]

ROOT_KEY_FILE = "root.key"
ROOT_PUBLIC_FILE = "root.pub"
KEYRING_FILE = "keyring.json"
STORE_FILE = "clearinghouse.db"
LADDERS_FOLDER = "ladders"

_SEED_SIZE = 32


def clearinghouse(data_dir: Path, clock: Clock, entropy: Entropy) -> Clearinghouse:
    """Open the clearinghouse in a folder; needs the pack and activation keys, not the root.

    Raises: LicensingError: NOT_FOUND: none was made there; FORBIDDEN: others may read its keys; CORRUPT, UNAVAILABLE.
    """
    if not (data_dir / STORE_FILE).is_file():
        detail = f"there is no clearinghouse in {data_dir}: make one by calward clearinghouse init {data_dir}"
        raise LicensingError(Problem.NOT_FOUND, detail)
    return Clearinghouse(
        store=SqliteClearinghouseStore(data_dir / STORE_FILE),
        pack_signer=load_signer(_key_file(data_dir, Role.PACK), Role.PACK),
        activation_signer=load_signer(_key_file(data_dir, Role.ACTIVATION), Role.ACTIVATION),
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
    root = create_key_file(_key_file(data_dir, Role.ROOT), Role.ROOT, entropy.token(_SEED_SIZE))
    for role in (Role.PACK, Role.ACTIVATION):
        create_key_file(_key_file(data_dir, role), role, entropy.token(_SEED_SIZE))
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

    ``root_key`` says where the root key is today, None in the folder; ``name`` None keeps the name. Raises what
    ``load_signer`` raises; FORBIDDEN where it is not the root that license servers were told.
    """
    desk = clearinghouse(data_dir, clock, entropy)
    root = load_signer(root_key or _key_file(data_dir, Role.ROOT), Role.ROOT)
    if root.public_key != load_public_key(data_dir / ROOT_PUBLIC_FILE, Role.ROOT):
        raise LicensingError(Problem.FORBIDDEN, f"{root_key} is the root key of another clearinghouse")
    return _publish(data_dir, desk, root, name or desk.keyring()[0].clearinghouse, days)


def _publish(data_dir: Path, desk: Clearinghouse, root: Signer, name: str, days: int) -> bytes:
    envelope = desk.publish_keyring(name, root, days)
    (data_dir / KEYRING_FILE).write_bytes(envelope + b"\n")
    return envelope


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
