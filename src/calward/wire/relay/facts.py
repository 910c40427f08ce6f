"""What does the relay learn while the two sides connect, and what does it change for them?

Source: [MS-RDPBCGR] 2.2.1.3 and 2.2.1.4 (Connect Initial and Response with their GCC blocks); 3.2.5.3.4.
"""

from dataclasses import dataclass

from calward.wire.rdp.x224 import Protocol

__all__ = ["Facts"]


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a connection; of the client's part nothing is proven.

    ``offered``: the protocols that the client asked for. ``io_channel`` and ``user_channel`` None: not yet known.
    """

    offered: Protocol = Protocol.RDP
    name: str = ""
    build: int = 0
    io_channel: int | None = None
    user_channel: int | None = None
