"""Which role may do what?"""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from calward.domain.errors import LicensingError, Problem

__all__ = ["ALLOWED", "MEANINGS", "Permission", "Principal", "Role"]


class Role(StrEnum):
    """What an administrator is. Every token has one role; there is no other way to get a right."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    LICENSE_ADMINISTRATOR = "license-administrator"
    AUDITOR = "auditor"

    @classmethod
    def parse(cls, text: str) -> "Role":
        """Read a role; raises LicensingError(MALFORMED) that names all."""
        try:
            return cls(text.strip().lower())
        except ValueError:
            raise LicensingError(Problem.MALFORMED, f"a role is one of {', '.join(cls)}", field="role") from None


class Permission(StrEnum):
    """One thing that can be allowed."""

    READ = "read"
    """Status, server, packs, licenses, hosts, policies, decisions; explain."""
    MANAGE_HOSTS = "manage-hosts"
    """Add, change and remove hosts and policies."""
    MANAGE_PACKS = "manage-packs"
    MANAGE_LICENSES = "manage-licenses"
    """Revoke and release."""
    MANAGE_SERVER = "manage-server"
    """Activate, deactivate, settings."""
    READ_TOKENS = "read-tokens"
    MANAGE_TOKENS = "manage-tokens"
    AUDIT = "audit"
    """Read, export and verify the audit trail."""


_ALL = frozenset(Permission)

ALLOWED: Final = MappingProxyType(
    {
        Role.VIEWER: frozenset({Permission.READ}),
        Role.OPERATOR: frozenset({Permission.READ, Permission.MANAGE_HOSTS}),
        # Nobody can change the trail, so reading it needs no second person.
        Role.LICENSE_ADMINISTRATOR: _ALL,
        Role.AUDITOR: frozenset({Permission.READ, Permission.READ_TOKENS, Permission.AUDIT}),
    }
)
"""The table of roles; what is not in it is denied."""

MEANINGS: Final = MappingProxyType(
    {
        Role.VIEWER: "sees status, packs, licenses, hosts and decisions, and may ask why; changes nothing",
        Role.OPERATOR: "sees what a viewer sees; adds, changes and removes session hosts and their policies",
        Role.LICENSE_ADMINISTRATOR: "may do everything: packs, licenses, the server and its settings, tokens; reads the audit trail",
        Role.AUDITOR: "sees everything, tokens and the audit trail too, verifies and exports it; changes nothing",
    }
)
"""One line for each role."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, as the door knew it. ``name`` is what events call it ("token:backup", "local:root")."""

    name: str
    role: Role

    def require(self, permission: Permission) -> None:
        """Raise LicensingError(FORBIDDEN) unless the role allows it."""
        if permission not in ALLOWED[self.role]:
            able = " or ".join(role for role, allowed in ALLOWED.items() if permission in allowed)
            raise LicensingError(
                Problem.FORBIDDEN, f"the role {self.role} does not include {permission}: it needs {able}"
            )
