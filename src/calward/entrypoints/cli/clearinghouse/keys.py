"""How are the clearinghouse's keys kept and exchanged? ``calward clearinghouse encrypt-keys`` and ``rotate``."""

from pathlib import Path
from typing import Protocol

import rich_click as click

from calward.app.clearinghouse.publish_keyring import KEYRING_DAYS
from calward.domain.envelope import keyid_of
from calward.domain.trust import Keyring, Role
from calward.entrypoints.cli.clearinghouse.options import dir_option, json_option
from calward.entrypoints.cli.common.output import print_json, say

__all__ = ["KeyWiring", "encrypt_keys", "rotate"]

KEEP_DAYS = 90


class KeyWiring(Protocol):
    """What these commands need of the context object; ``calward.bootstrap.clearinghouse`` has the functions for it."""

    def encrypt_clearinghouse_keys(self, data_dir: Path) -> list[str]:
        """Encrypt the keys that are not yet; their files."""

    def rotate_clearinghouse_key(
        self, data_dir: Path, role: Role, keep_days: int, days: int, root_key: Path | None
    ) -> Keyring:
        """Sign with a new key from now on; the keyring that says so."""


@click.command("encrypt-keys")
@dir_option
@json_option
@click.pass_obj
def encrypt_keys(wiring: KeyWiring, data_dir: Path, *, as_json: bool) -> None:
    """Encrypt the clearinghouse's private keys with a passphrase, so that a copy of its files alone is worth nothing.

    The passphrase is typed, or is the first line of the file that CALWARD_CLEARINGHOUSE_PASSPHRASE_FILE names.
    Copies made before are as open as they were: destroy them.

    \b
    Example:
      calward clearinghouse encrypt-keys --dir ./ch
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart
    done = wiring.encrypt_clearinghouse_keys(data_dir)
    if as_json:
        print_json({"encrypted": done})
        return
    for name in done:
        say(f"encrypted {name}")
    say(
        "a passphrase that is lost cannot be replaced: write it down and lock it away" if done else "they are encrypted"
    )


@click.command()
@click.argument("role", type=click.Choice([Role.PACK.value, Role.ACTIVATION.value]))
@click.option(
    "--keep-days",
    default=KEEP_DAYS,
    show_default=True,
    type=click.IntRange(0, 3650),
    help="How long license servers accept what the old key has signed.",
)
@click.option("--root-key", type=click.Path(path_type=Path), help="The root key's file, if it is not in the folder.")
@click.option(
    "--days", default=KEYRING_DAYS, show_default=True, type=click.IntRange(1, 36500), help="Life of the keyring."
)
@dir_option
@json_option
@click.pass_obj
def rotate(
    wiring: KeyWiring, /, role: str, keep_days: int, root_key: Path | None, days: int, data_dir: Path, *, as_json: bool
) -> None:
    """Exchange the key that signs packs, or the one that signs activations, for a new one; the root key says so in a keyring.

    License servers get the keyring with their next contact. A key that was stolen is rotated with --keep-days 0.
    Start a clearinghouse that is being served again, so that it uses the new key.

    \b
    Examples:
      calward clearinghouse rotate pack --dir ./ch --root-key /media/safe/root.key
      calward clearinghouse rotate activation --keep-days 0 --dir ./ch --root-key /media/safe/root.key
    """  # noqa: D301
    ring = wiring.rotate_clearinghouse_key(data_dir, Role(role), keep_days, days, root_key)
    accepted = sorted(keyid_of(key) for key in ring.keys_of(Role(role)))
    if as_json:
        print_json({"role": role, "keyring": ring.version, "accepted": accepted})
        return
    say(f"a new key signs as {role}: keyring {ring.version} says so; accepted are {', '.join(accepted)}")
    if keep_days:
        say(f"the old key is accepted until the first keyring after {keep_days} days: calward clearinghouse publish")
