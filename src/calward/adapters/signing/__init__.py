"""Ed25519 keys: making them, keeping them in files, signing and verifying with them.

Imported by bootstrap and tests. The rules about what is signed, and what is believed, are in ``calward.domain``.
"""

from calward.adapters.signing.ed25519 import Ed25519Signer, seal, verify
from calward.adapters.signing.key_files import (
    create_key_file,
    encrypt_key_file,
    is_encrypted,
    load_public_key,
    load_signer,
    parse_public_key,
    render_public_key,
    replace_key_file,
)
from calward.adapters.signing.sealed_seeds import Passphrase

__all__ = [
    "Ed25519Signer",
    "Passphrase",
    "create_key_file",
    "encrypt_key_file",
    "is_encrypted",
    "load_public_key",
    "load_signer",
    "parse_public_key",
    "render_public_key",
    "replace_key_file",
    "seal",
    "verify",
]
