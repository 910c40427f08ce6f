"""What does the state table look like to people? Writes docs/reference/rdp-licensing.md from the table itself.

``python -m calward.wire.rdpele.reference > docs/reference/rdp-licensing.md`` brings the page up to date; a test compares both.
"""

import sys

from calward.wire.rdpele.licensing_states import SECTIONS, TRANSITIONS, State

__all__ = ["page"]

_HEAD = """\
# RDP licensing, state by state

How a session host leads one client through licensing ([MS-RDPELE] 3.1.5.3.2).
This page is drawn from the state table in the code; what is not in it, is refused.
"""


def page() -> str:
    """Give the whole page in Markdown."""
    states = [f"| {state.name} | {state.value} |" for state in State]
    rows = [
        f"| {state.name} | {event.value} | {target.name} | {SECTIONS[state][event]} |"
        for state, events in TRANSITIONS.items()
        for event, target in events.items()
    ]
    parts = [
        _HEAD,
        "| state | meaning |",
        "|---|---|",
        *states,
        "",
        "| in state | when | next state | section of [MS-RDPELE] |",
        "|---|---|---|---|",
        *rows,
    ]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
