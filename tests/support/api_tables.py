"""Tables of the reference that are made from the code, as Markdown."""

from collections.abc import Iterator

from calward.domain.roles import ALLOWED, MEANINGS, Role
from calward.entrypoints.api.access import ENDPOINTS, Door


def roles_table() -> str:
    """One line for each role."""
    return "\n".join(["| role | may |", "|---|---|", *(f"| `{role}` | {MEANINGS[role]} |" for role in Role)])


def addresses_table() -> str:
    """One line for each address, and who may call it."""
    head = f"| address | {' | '.join(role.replace('-', ' ') for role in Role)} | permission |"
    return "\n".join([head, "|---" * (len(Role) + 2) + "|", *_addresses()])


def _addresses() -> Iterator[str]:
    for method, path in sorted(ENDPOINTS, key=lambda one: (one[1], one[0])):
        needed = ENDPOINTS[method, path]
        if isinstance(needed, Door):
            marks = " | ".join("" for _ in Role)
            yield f"| `{method} {path}` | {marks} | {'everybody' if needed is Door.PUBLIC else 'a host token'} |"
        else:
            marks = " | ".join("✓" if needed in ALLOWED[role] else "" for role in Role)
            yield f"| `{method} {path}` | {marks} | `{needed}` |"
