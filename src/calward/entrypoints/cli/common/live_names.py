"""Which packs, hosts, licenses are there, for a shell that completes a name? Asked of the license server, which has 300 ms for it."""

from collections.abc import Callable
from threading import Thread
from types import MappingProxyType
from typing import Any, Final

import rich_click as click
from click.shell_completion import CompletionItem

from calward.entrypoints.cli.common.profiles import with_profile
from calward.entrypoints.cli.common.safe_text import safe
from calward.entrypoints.cli.common.wiring import Document, Where

__all__ = ["BUDGET", "asks_server", "complete_live"]

BUDGET: Final = 0.3
"""Seconds; somebody has pressed a key and waits. A server that takes longer gives no names."""
_MOST: Final = 200
_ANYWHERE: Final = MappingProxyType(
    {
        "pack_id": ("packs", "id", "version"),
        "packs": ("packs", "id", "version"),
        "pack": ("packs", "id", "version"),
        "license_id": ("licenses", "id", "holder"),
        "token_id": ("tokens", "id", "name"),
        "group": ("policies", "group", "mode"),
        "host": ("hosts", "name", "version"),
    }
)
"""By the name of a parameter: the collection, the name of a thing in it, and what is said beside it."""
_OF_HOSTS: Final = frozenset({"calward host show", "calward host code", "calward host set", "calward host remove"})
_NEW: Final = frozenset({"calward pack move", "calward pack install"})
"""What they name is not on this server."""


def asks_server(command: click.Command) -> bool:
    """Whether it asks a license server; ``--server`` of the clearinghouse's own commands is an id."""
    return any("--server" in param.opts and param.metavar == "URL" for param in command.params)


def complete_live(command: click.Command, path: str) -> None:
    """Let names of things on the server be completed, wherever a parameter is one."""
    if not asks_server(command) or path in _NEW:
        return
    for param in command.params:
        what = _ANYWHERE.get(param.name or "")
        if param.name == "name" and path in _OF_HOSTS:
            what = _ANYWHERE["host"]
        if what is not None and not isinstance(param.type, click.Choice):
            param._custom_shell_complete = _completer(*what)  # noqa: SLF001 - click takes it in the constructor only


def _completer(
    collection: str, key: str, beside: str
) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    def complete(context: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        found: list[Document] = []
        asking = Thread(target=_ask, args=(context, collection, found), daemon=True)
        asking.start()
        asking.join(BUDGET)
        names = {str(one[key]): str(one.get(beside) or "") for one in list(found) if key in one}
        return [
            CompletionItem(name, help=safe(help_))
            for name, help_ in names.items()
            if name.startswith(incomplete) and name.isprintable() and " " not in name
        ]

    return complete


def _ask(context: click.Context, collection: str, found: list[Document]) -> None:
    """Fill ``found``, or leave it: whatever goes wrong here is no business of a shell's."""
    try:
        given: dict[str, Any] = context.params
        where = Where(*(given.get(one) for one in ("server", "token_file", "ca_file", "fingerprint")))
        admin = context.obj.admin(with_profile(where, None))
        try:
            found += admin.ask("GET", collection, query={"limit": _MOST}).get("items", [])
        finally:
            admin.close()
    except Exception:  # noqa: BLE001
        return
