"""Tables of the clearinghouse's reference that are made from the code, as Markdown."""

from calward.domain.operators import OPERATOR_MAY, ROLE_MEANINGS, OperatorRole
from calward.entrypoints.clearinghouse.operator_routes import OPERATOR_ROUTES


def operators_table() -> str:
    """One line for each address, and which role may call it."""
    lines = [f"| address | {' | '.join(OperatorRole)} | right |", "|---" * (len(OperatorRole) + 2) + "|"]
    for method, path in sorted(OPERATOR_ROUTES, key=lambda one: (one[1], one[0])):
        right = OPERATOR_ROUTES[method, path]
        marks = " | ".join("✓" if right in OPERATOR_MAY[role] else "" for role in OperatorRole)
        lines.append(f"| `{method} {path}` | {marks} | `{right}` |")
    return "\n".join(lines)


def operator_roles_table() -> str:
    """One line for each role."""
    return "\n".join(["| role | |", "|---|---|", *(f"| `{role}` | {ROLE_MEANINGS[role]} |" for role in OperatorRole)])
