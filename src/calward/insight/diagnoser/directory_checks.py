"""Is each license server known to the directory as its hosts and its per-user CALs need it?

Source: rd-licensing 5 (scopes and groups), 10.2. Only a list of another system's license servers says so; Calward needs no directory.
"""

from typing import Final

from calward.insight.diagnoser.check import About, Check, Said, Trouble
from calward.insight.diagnoser.view import View
from calward.insight.diagnoser.words import counted, listing
from calward.insight.estate import EstateServer, PackType
from calward.insight.findings import Kind, Severity, Subject
from calward.insight.said import Fine, NotLooked, found

__all__ = ["CHECKS", "GROUP", "ROLE"]

GROUP: Final = "InDirectoryGroup"
"""The setting that tells whether a server is in the group Terminal Server License Servers of its domain."""
ROLE: Final = "ServerRole"
"""The setting with the scope in which a server is discovered: 0 is its workgroup or network only, 1 the domain, 2 the forest."""
_NO: Final = frozenset({"0", "false", "no"})
_NARROW: Final = "0"
_NO_USERS: Final = NotLooked("the snapshot has no per-user CALs that were bought")


def _group(view: View) -> Said:
    told = [(one, value) for one in view.estate.servers if (value := view.setting(one.name, GROUP)) is not None]
    if not told:
        return NotLooked("the snapshot does not say which groups of the directory license servers are in")
    users = {pack.server for pack in view.bought() if pack.type is PackType.PER_USER}
    if not users:
        return _NO_USERS
    outside = (one for one, value in told if value.casefold() in _NO and one.name in users)
    return found(
        map(_outside, outside), Fine(f"{counted(len(told), 'license server')}, each in it or without per-user CALs")
    )


def _outside(server: EstateServer) -> Trouble:
    return Trouble(
        Severity.WARNING,
        Subject(Kind.SERVER, server.name),
        f"license server {server.name} is not in the directory's group of license servers, so per-user CALs are not tracked",
        f"{GROUP}: no",
        "it may not write to users' accounts: it gives per-user CALs that no report shows (event 4105)",
        "RD Licensing Manager, Review Configuration, Add to Group, as a domain administrator; then restart the service",
    )


def _scope(view: View) -> Said:
    roles = {one.name: role for one in view.estate.servers if (role := view.setting(one.name, ROLE)) is not None}
    if not roles:
        return NotLooked("the snapshot does not say in which scope license servers are discovered")
    lost = [host.name for host in view.estate.hosts if "servers" in host.unset]
    narrow = [name for name, role in roles.items() if role == _NARROW]
    if not lost or len(narrow) < len(roles):
        return Fine("every host lists a license server, or one is discovered in its domain")
    return found([_hidden(lost, narrow)], Fine(""))


def _hidden(hosts: list[str], servers: list[str]) -> Trouble:
    return Trouble(
        Severity.WARNING,
        Subject(Kind.ESTATE, "discovery"),
        f"{counted(len(hosts), 'host')} must discover a license server, and none is announced beyond its own network",
        f"without a list: {listing(hosts)}; announced in their workgroup only: {listing(servers)}",
        "a host without a list finds only license servers whose discovery scope is its domain or forest, and hosts after 2008 R2 find none",
        "name the license servers in the hosts' list; else RD Licensing Manager, Review Configuration, Change Scope",
        names=hosts,
        inferred=True,
    )


CHECKS: Final = (
    Check("server-not-in-directory-group", "license servers may track per-user CALs", About.PLACE, _group),
    Check("discovery-scope", "hosts without a list find a license server", About.PLACE, _scope),
)
