"""Ed25519 keys: making them, keeping them in files, signing and verifying with them.

Imported by bootstrap and tests. The rules about what is signed, and what is believed, are in ``calward.domain``.
"""

from calward.adapters.signing.ed25519 import Ed25519Signer, seal, verify
from calward.adapters.signing.key_files import (
    create_key_file,
    load_public_key,
    load_signer,
    parse_public_key,
    render_public_key,
    replace_key_file,
)

__all__ = [
    "Ed25519Signer",
    "create_key_file",
    "load_public_key",
    "load_signer",
    "parse_public_key",
    "render_public_key",
    "replace_key_file",
    "seal",
    "verify",
]
