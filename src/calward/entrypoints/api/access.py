"""Who may call what? One table; what does not stand in it is never served.

Each route of the administration API asks here before a byte of its body is read. Host routes know their hosts themselves; they
stand in the table so that a test can walk every address.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from calward.domain.codes import ADMIN_PREFIX, token_hash
from calward.domain.errors import LicensingError, Problem
from calward.domain.roles import Permission, Principal
from calward.entrypoints.api.services import Services

__all__ = ["ENDPOINTS", "PEER_UID", "Access", "Door", "authorize", "bearer"]

PEER_UID: Final = "calward.peer_uid"
"""Key in the ASGI scope's ``extensions``: the uid of a peer of the Unix socket, as the kernel says."""


class Door(StrEnum):
    """Addresses that need no administrator."""

    PUBLIC = "public"
    HOST = "host"
    """A host's token."""


Access = Permission | Door
_API: Final = "/api/v1"

ENDPOINTS: Final[Mapping[tuple[str, str], Access]] = MappingProxyType(
    {
        ("POST", f"{_API}/licenses:request"): Door.HOST,
        ("POST", f"{_API}/licenses:confirm"): Door.HOST,
        ("POST", f"{_API}/licenses:batch"): Door.HOST,
        ("GET", f"{_API}/host"): Door.HOST,
        ("POST", f"{_API}/host:certificate"): Door.HOST,
        ("POST", f"{_API}/host:heartbeat"): Door.HOST,
        ("POST", f"{_API}/hosts:enroll"): Door.PUBLIC,
        ("POST", f"{_API}/setup"): Door.PUBLIC,
        ("GET", "/"): Door.PUBLIC,
        ("GET", "/setup"): Door.PUBLIC,
        ("POST", "/setup"): Door.PUBLIC,
        ("GET", "/setup/style.css"): Door.PUBLIC,
        ("GET", "/livez"): Door.PUBLIC,
        ("GET", "/readyz"): Door.PUBLIC,
        ("GET", "/metrics"): Door.PUBLIC,
        ("GET", "/api/openapi.json"): Door.PUBLIC,
        ("GET", f"{_API}/status"): Permission.READ,
        ("GET", f"{_API}/server"): Permission.READ,
        ("GET", f"{_API}/server/activation-request"): Permission.MANAGE_SERVER,
        ("PUT", f"{_API}/server/keyring"): Permission.MANAGE_SERVER,
        ("POST", f"{_API}/server:activate"): Permission.MANAGE_SERVER,
        ("POST", f"{_API}/server:deactivate"): Permission.MANAGE_SERVER,
        ("PATCH", f"{_API}/server/settings"): Permission.MANAGE_SERVER,
        ("GET", f"{_API}/server/quarantine"): Permission.READ,
        ("GET", f"{_API}/server/recover-request"): Permission.MANAGE_SERVER,
        ("POST", f"{_API}/server:recover"): Permission.MANAGE_SERVER,
        ("POST", f"{_API}/server:take-recovery"): Permission.MANAGE_SERVER,
        ("POST", f"{_API}/server:confirm-ledger"): Permission.MANAGE_SERVER,
        ("POST", f"{_API}/clearinghouse:request"): Permission.MANAGE_PACKS,
        ("POST", f"{_API}/clearinghouse:take"): Permission.MANAGE_PACKS,
        ("POST", f"{_API}/clearinghouse:ask"): Permission.MANAGE_PACKS,
        ("GET", f"{_API}/clearinghouse/moves"): Permission.READ,
        ("GET", f"{_API}/estate"): Permission.READ,
        ("GET", f"{_API}/estate/use"): Permission.READ,
        ("GET", f"{_API}/packs"): Permission.READ,
        ("POST", f"{_API}/packs"): Permission.MANAGE_PACKS,
        ("GET", f"{_API}/packs/{{pack}}"): Permission.READ,
        ("DELETE", f"{_API}/packs/{{pack}}"): Permission.MANAGE_PACKS,
        ("POST", f"{_API}/packs/{{pack}}:give-up-change"): Permission.MANAGE_PACKS,
        ("GET", f"{_API}/licenses"): Permission.READ,
        ("GET", f"{_API}/licenses/{{license}}"): Permission.READ,
        ("POST", f"{_API}/licenses/{{license}}:revoke"): Permission.MANAGE_LICENSES,
        ("POST", f"{_API}/licenses/{{license}}:release"): Permission.MANAGE_LICENSES,
        ("GET", f"{_API}/revocations"): Permission.READ,
        ("POST", f"{_API}/holders:erase"): Permission.MANAGE_LICENSES,
        ("GET", f"{_API}/hosts"): Permission.READ,
        ("POST", f"{_API}/hosts"): Permission.MANAGE_HOSTS,
        ("GET", f"{_API}/hosts/{{host}}"): Permission.READ,
        ("PATCH", f"{_API}/hosts/{{host}}"): Permission.MANAGE_HOSTS,
        ("DELETE", f"{_API}/hosts/{{host}}"): Permission.MANAGE_HOSTS,
        ("POST", f"{_API}/hosts/{{host}}:code"): Permission.MANAGE_HOSTS,
        ("GET", f"{_API}/policies"): Permission.READ,
        ("PUT", f"{_API}/policies/{{group}}"): Permission.MANAGE_HOSTS,
        ("DELETE", f"{_API}/policies/{{group}}"): Permission.MANAGE_HOSTS,
        ("GET", f"{_API}/tokens"): Permission.READ_TOKENS,
        ("POST", f"{_API}/tokens"): Permission.MANAGE_TOKENS,
        ("DELETE", f"{_API}/tokens/{{token}}"): Permission.MANAGE_TOKENS,
        ("GET", f"{_API}/decisions/{{decision}}"): Permission.READ,
        ("POST", f"{_API}/explain"): Permission.READ,
        ("GET", f"{_API}/audit/events"): Permission.AUDIT,
        ("GET", f"{_API}/audit/checkpoint"): Permission.AUDIT,
        ("POST", f"{_API}/audit/verify"): Permission.AUDIT,
        ("GET", f"{_API}/audit/export"): Permission.AUDIT,
    }
)
"""Method and path of every address, and what it takes."""


def bearer(request: Request) -> str | None:
    """The token that a request carries, if any."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


async def authorize(request: Request, access: Access, services: Services) -> Principal | None:
    """Who asks, if that is an administrator who may; None at a door that needs none.

    Raises: LicensingError: UNAUTHORIZED: nobody we know; FORBIDDEN: the role does not allow it.
    """
    if isinstance(access, Door):
        return None
    principal = await run_in_threadpool(_principal, request, services)
    if principal is None:
        detail = "an administrator's token is needed (Authorization: Bearer …), or the Unix socket as root or the service's user"
        raise LicensingError(Problem.UNAUTHORIZED, detail)
    principal.require(access)
    return principal


def _principal(request: Request, services: Services) -> Principal | None:
    """A token decides where one is given, so that a socket never adds a right to a token that has ended."""
    if "authorization" in request.headers:
        return _token_owner(bearer(request) or "", services)
    uid = request.scope.get("extensions", {}).get(PEER_UID)
    return services.local(uid) if isinstance(uid, int) else None


def _token_owner(token: str, services: Services) -> Principal | None:
    if not token.startswith(ADMIN_PREFIX):
        return None
    found = services.reader.token_by_hash(token_hash(token), services.clock.now())
    return Principal(f"token:{found.name}", found.role) if found else None
