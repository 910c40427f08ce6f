"""The licensing relay as a program: accepts clients, sets up TLS, keeps time, and copies once a client was let through.

Imported by bootstrap. What is done with the bytes is in ``calward.wire.relay``.
"""

from calward.entrypoints.relay.server import RelayServer
from calward.entrypoints.relay.settings import Limits, Outside, RelaySettings

__all__ = ["Limits", "Outside", "RelayServer", "RelaySettings"]
