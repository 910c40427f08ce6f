"""What does the relay's state table look like to people? Writes docs/reference/rdp-relay.md from the table itself.

``python -m calward.wire.relay.reference > docs/reference/rdp-relay.md`` brings the page up to date; a test compares both.
"""

import sys

from calward.wire.relay.phases import SECTIONS, TRANSITIONS, Event, Phase

__all__ = ["page"]

_HEAD = """\
# The relay, phase by phase

How the licensing relay carries one client's connection to the host behind it ([MS-RDPBCGR] 1.3.1.1).
The licensing of the client within it has [a table of its own](rdp-licensing.md).
This page is drawn from the state table in the code; what is not in it, is refused.
"""
_ENDS = f"In every phase the connection may end ({Event.ENDED.value}): then it is {Phase.CLOSED.name}."


def page() -> str:
    """Give the whole page in Markdown."""
    phases = [f"| {phase.name} | {phase.value} | {SECTIONS[phase]} |" for phase in Phase]
    rows = [
        f"| {phase.name} | {event.value} | {target.name} |"
        for phase, events in TRANSITIONS.items()
        for event, target in events.items()
        if event is not Event.ENDED
    ]
    parts = [
        _HEAD,
        "| phase | waits for | section of [MS-RDPBCGR] |",
        "|---|---|---|",
        *phases,
        "",
        "| in phase | when | next phase |",
        "|---|---|---|",
        *rows,
        "",
        _ENDS,
    ]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
