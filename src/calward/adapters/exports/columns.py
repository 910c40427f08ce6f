"""By which names do files call their columns, and which columns show what a row is about?

Names are compared without case, blanks, underscores and quotes. A file is recognized by its columns, never by its name.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from calward.adapters.exports.wmi import CLASSES, SERVER_COLUMNS, Kind

__all__ = ["KNOWN", "LSREPORT_ORDER", "SHAPES", "Shape", "known_names", "plain", "recognize", "server_names"]


@lru_cache(maxsize=4096)
def plain(name: str) -> str:
    """A column's name for comparing."""
    return "".join(one for one in name.casefold() if one.isalnum())


def _same(names: Iterable[str]) -> dict[str, str]:
    return {plain(name): name for name in names}


_SERVERS: Final = _same((*SERVER_COLUMNS, "LicenseServer", "ServerName", "MachineName", "ComputerName", "Server"))
server_names: Final = tuple(_SERVERS.values())
"""Columns that name the license server whose rows these are, in order of trust."""

_WMI: Final = {name: name for wmi in CLASSES.values() for name in wmi.properties}
_PROPERTIES: Final = _same(_WMI) | {
    "issuedtouser": "sIssuedToUser",
    "issuedtocomputer": "sIssuedToComputer",
    "hardwareid": "sHardwareId",
    "keypackid": "KeyPackId",
    "licenseid": "LicenseId",
    "status": "LicenseStatus",
    "caltype": "CALType",
    "activationstatus": "ActivationStatus",
    "activated": "ActivationStatus",
    "indirectorygroup": "InDirectoryGroup",
    "intslsgroup": "InDirectoryGroup",
    "ismember": "InDirectoryGroup",
}
_MANAGER: Final = {
    # The list's columns of the manager's window, as people save them.
    "licenseversionandtype": "ProductVersion",
    "licenseprogram": "KeyPackType",
    "totallicenses": "TotalLicenses",
    "total": "TotalLicenses",
    "available": "AvailableLicenses",
    "issued": "IssuedLicenses",
    "expirydate": "ExpirationDate",
    "issuedon": "IssueDate",
    "expireson": "ExpirationDate",
}
_LSREPORT: Final = {
    # The columns of lsreport.exe (rd-licensing 8.2), also as its file spells them out.
    "licenseid": "LicenseId",
    "keypackid": "KeyPackId",
    "client": "sIssuedToComputer",
    "issuedtomachine": "sIssuedToComputer",
    "machine": "sIssuedToComputer",
    "user": "sIssuedToUser",
    "issuedtouser": "sIssuedToUser",
    "start": "IssueDate",
    "issuedate": "IssueDate",
    "issuetype": "LicenseStatus",
    "licensestatus": "LicenseStatus",
    "licensetype": "Description",
    "end": "ExpirationDate",
    "expiredate": "ExpirationDate",
    "expirationdate": "ExpirationDate",
    "hardwareid": "sHardwareId",
    "hwid": "sHardwareId",
}
LSREPORT_ORDER: Final = ("licenseID", "keypackID", "client", "user", "start", "issueType", "licenseType", "end")
"""The columns of lsreport.exe as public descriptions name them, in their order; its writer uses the same."""
_HOST_PLAIN: Final = {
    "name": "Name",
    "host": "Name",
    "hostname": "Name",
    "sessionhost": "Name",
    "computer": "Name",
    "computername": "Name",
    "pscomputername": "Name",
    "node": "Name",
    "server": "Name",
    "servername": "Name",
    "version": "Version",
    "hostversion": "Version",
    "os": "Version",
    "osversion": "Version",
    "operatingsystem": "Version",
    "caption": "Version",
    "mode": "Mode",
    "licensingmode": "Mode",
    "licensingtype": "Mode",
    "licenseservers": "Servers",
    "licenseserver": "Servers",
    "licenseserverlist": "Servers",
    "licenseserverslist": "Servers",
    "specifiedlicenseservers": "Servers",
    "specifiedlicenseserverlist": "Servers",
    "lastseen": "SeenAt",
    "seenat": "SeenAt",
    "graceuntil": "GraceUntil",
    "graceperioduntil": "GraceUntil",
    "connectivity": "Reach",
    "reach": "Reach",
    "events": "Events",
}
_HOST_WORDS: Final = {
    # The same as those write it who make such a table by hand: English, German, French, Spanish, Italian, Dutch, Portuguese.
    "Name": "FQDN Host-Name DNSHostName Sitzungshost Rechner Rechnername Computername Nom Hôte Serveur Nombre Equipo Servidor Nome Naam "
    "Sessiehost",
    "Version": "OSName OperatingSystemVersion WindowsVersion Betriebssystem Betriebssystemversion Hostversion Système "
    "Système-d'exploitation Versión Sistema-operativo Versione Besturingssysteem Versie Versão Sistema-operacional",
    "Mode": "LicenseMode LicenceMode RDSMode Licensing Modus Lizenzmodus Lizenzierungsmodus Lizenzierungstyp Mode-de-licence "
    "Mode-de-licences Modo Modo-de-licencia Modalità Modalità-licenze Licentiemodus",
    "Servers": "LicenseServer(s) LicenceServer LicenceServers LicensingServer LicensingServers SpecifiedLSList RDSLicenseServer LS "
    "Lizenzserver Serveur-de-licences Serveurs-de-licences Servidor-de-licencias Servidores-de-licencias Server-licenze "
    "Server-delle-licenze Licentieserver Licentieservers Servidor-de-licenças",
    "SeenAt": "Zuletzt-gesehen",
}
_HOST: Final = _HOST_PLAIN | {plain(word): name for name, words in _HOST_WORDS.items() for word in words.split()}


@dataclass(frozen=True, slots=True)
class Shape:
    """What rows with certain columns are about: at least one name of each of ``groups``; by the names of a dialect."""

    kind: Kind
    names: Mapping[str, str]
    groups: tuple[frozenset[str], ...]


def _shape(kind: Kind, groups: str, *names: Mapping[str, str]) -> Shape:
    merged: dict[str, str] = {}
    for one in names:
        merged |= one
    return Shape(kind, MappingProxyType(merged), tuple(frozenset(group.split("|")) for group in groups.split()))


SHAPES: Final = (
    _shape(Kind.SUMMARY, "InstalledLicenses IssuedLicenses|TSCALType", _SERVERS, _PROPERTIES),
    _shape(Kind.FAILED, "User TriedIssuanceOn", _SERVERS, _PROPERTIES),
    _shape(Kind.FAILED_SUMMARY, "DomainName FailedIssuanceCount", _SERVERS, _PROPERTIES),
    _shape(
        Kind.PACKS,
        "TotalLicenses|AvailableLicenses "
        "KeyPackId|KeyPackType|ProductType|ProductVersion|ProductVersionID|TypeAndModel|IssuedLicenses",
        _SERVERS,
        _MANAGER,
        _PROPERTIES,
    ),
    _shape(Kind.ISSUED, "LicenseId sIssuedToComputer", _SERVERS, _LSREPORT),
    _shape(
        Kind.ISSUED,
        "LicenseId|LicenseStatus|IssueDate LicenseId|KeyPackId|sIssuedToComputer|sIssuedToUser|sHardwareId",
        _SERVERS,
        _MANAGER,
        _PROPERTIES,
    ),
    _shape(Kind.DEVICE_REPORT, "sHardwareId|sIssuedToComputer", _SERVERS, _PROPERTIES),
    _shape(Kind.USER_REPORT, "User ExpirationDate|CALType|ProductVersion", _SERVERS, _PROPERTIES),
    _shape(Kind.SERVER, "ProductId|ActivationStatus Version|VersionNumber|ActivationStatus", _SERVERS, _PROPERTIES),
    _shape(Kind.HOSTS, "Name Mode|Servers", _HOST),
)
"""In order: the first that fits is it. What a later one needs may stand in an earlier one's rows, never the other way round."""

KNOWN: Final = frozenset(name for shape in SHAPES for name in shape.names)
"""Every name of a column that any file may have, for comparing."""


def known_names(cells: Iterable[str]) -> int:
    """How many of these cells are names of columns."""
    return sum(plain(cell) in KNOWN for cell in cells)


def recognize(names: Iterable[str]) -> Shape | None:
    """Say what rows with these columns are about; None: nothing that is known."""
    there = [plain(name) for name in names]
    for shape in SHAPES:
        has = {shape.names[name] for name in there if name in shape.names}
        if all(group & has for group in shape.groups):
            return shape
    return None
