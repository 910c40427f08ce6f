"""How is each act of the demo's administrators carried out? Through the use cases, as the API does it."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from calward.app.clearinghouse.sign_key_pack import SignKeyPack
from calward.app.demo import acts
from calward.app.demo.estate import hardware_id
from calward.app.demo.stage import NearClearinghouse, Stage
from calward.app.licensing import change_host, enroll_host
from calward.app.licensing.activate_online import activate_online
from calward.app.licensing.acts import Done, RefusedAct, write_act
from calward.app.licensing.change_server import change_settings, deactivate_server
from calward.app.licensing.free_license import FreeLicense, find_license, release_license, revoke_license
from calward.app.licensing.install_key_pack import RemoveKeyPack, remove_key_pack
from calward.app.licensing.make_token import MakeToken, make_token
from calward.app.licensing.set_policy import SetPolicy, set_policy
from calward.app.licensing.signed_things import install_signed_pack
from calward.app.registry import RegistryBook
from calward.domain.acceptance import NotAccepted
from calward.domain.cals import HolderKind
from calward.domain.envelope import decode_envelope
from calward.domain.events import Kind
from calward.domain.key_packs import PackId
from calward.domain.settings import SECONDS_PER_DAY
from calward.domain.statements import NO_END, KeyPackStatement

__all__ = ["administer"]

BY: Final = "demo"
_Outcome = Done | RefusedAct | NotAccepted


def administer(act: acts.Act, stage: Stage, begin: int) -> str:
    """Carry an act out; gives its outcome, or the first reason why not. ``begin``: the first day's first second."""
    found = _ACTS[type(act)](act, stage, begin)
    if isinstance(found, NotAccepted):
        _note(stage, "install" if isinstance(act, acts.InstallPack) else "activate", found)
        return found.reason.value
    return found.reasons[0].value if isinstance(found, RefusedAct) else found.outcome


def _activate(_: acts.Activate, stage: Stage, _begin: int) -> _Outcome:
    line = NearClearinghouse(stage.clearinghouse)
    return activate_online(stage.ledger, line, stage.signatures, stage.entropy, by=BY)


def _deactivate(_: acts.Deactivate, stage: Stage, _begin: int) -> _Outcome:
    return stage.ledger.write(lambda book: deactivate_server(book, now=book.now(), by=BY))


def _install(act: acts.InstallPack, stage: Stage, begin: int) -> _Outcome:
    """Buy it at the clearinghouse, then install what it has signed."""
    end = NO_END if act.ends is None else datetime.fromtimestamp(begin + act.ends * SECONDS_PER_DAY, UTC)
    server = stage.ledger.write(lambda book: book.server())
    sale = SignKeyPack(act.order, server.id, server.ladder, act.version, act.type, act.total, expires_at=end)
    signed = stage.clearinghouse.sign_pack(sale)
    stage.packs[act.order] = KeyPackStatement.from_payload(decode_envelope(signed).payload).pack_id
    return stage.ledger.write(
        lambda book: install_signed_pack(signed, book, stage.signatures, stage.ladder, now=book.now(), by=BY)
    )


def _remove_pack(act: acts.RemovePack, stage: Stage, _begin: int) -> _Outcome:
    command = RemoveKeyPack(PackId(stage.packs[act.order]), BY)
    return stage.ledger.write(lambda book: remove_key_pack(command, book, now=book.now()))


def _add_host(act: acts.AddHost, stage: Stage, _begin: int) -> _Outcome:
    command = enroll_host.AddHost(act.name, act.version, act.mode, BY, act.group)
    given = stage.ledger.write(
        lambda book: enroll_host.add_host(command, book, stage.ladder, now=book.now(), entropy=stage.entropy)
    )
    code = given.code.text()
    joined = stage.ledger.write(lambda book: enroll_host.enroll_host(code, book, now=book.now(), entropy=stage.entropy))
    stage.tokens[act.name] = joined.token
    stage.keep_token(act.name, joined.token)
    return Done("enrolled")


def _change_host(act: acts.ChangeHost, stage: Stage, _begin: int) -> _Outcome:
    command = change_host.ChangeHost(act.name, BY, version=act.version)
    stage.ledger.write(lambda book: change_host.change_host(command, book, stage.ladder, now=book.now()))
    stage.host_tokens.forget()
    return Done("changed")


def _remove_host(act: acts.RemoveHost, stage: Stage, _begin: int) -> _Outcome:
    command = change_host.RemoveHost(act.name, BY)
    done = stage.ledger.write(lambda book: change_host.remove_host(command, book, now=book.now()))
    stage.host_tokens.forget()
    return done


def _policy(act: acts.GivePolicy, stage: Stage, _begin: int) -> _Outcome:
    command = SetPolicy(act.group, BY, act.mode)
    stage.ledger.write(lambda book: set_policy(command, book, now=book.now()))
    stage.host_tokens.forget()
    return Done("set")


def _token(act: acts.GiveToken, stage: Stage, _begin: int) -> _Outcome:
    command = MakeToken(act.name, act.role, BY, days=365)
    stage.ledger.write(lambda book: make_token(command, book, now=book.now(), entropy=stage.entropy))
    return Done("made")


def _set(act: acts.Set, stage: Stage, _begin: int) -> _Outcome:
    return stage.ledger.write(lambda book: change_settings({act.key: act.value}, book, now=book.now(), by=BY))


def _revoke(act: acts.Revoke, stage: Stage, _begin: int) -> _Outcome:
    def revoke(book: RegistryBook) -> _Outcome:
        found = find_license(book, HolderKind.DEVICE, hardware_id(act.device), book.now())
        return revoke_license(FreeLicense(found.id, BY), book, now=book.now())

    return stage.ledger.write(revoke)


def _release(act: acts.Release, stage: Stage, _begin: int) -> _Outcome:
    def release(book: RegistryBook) -> _Outcome:
        found = find_license(book, HolderKind.USER, act.user, book.now())
        return release_license(FreeLicense(found.id, BY), book, now=book.now())

    return stage.ledger.write(release)


def _note(stage: Stage, act: str, found: NotAccepted) -> None:
    """Write the refusal of a signed thing down, as the API does."""
    facts = {"act": act, "reasons": [found.reason.value]}
    stage.ledger.write(lambda book: write_act(book, Kind.ACT_REFUSED, book.now(), BY, **facts))


_ACTS: Final[Mapping[type, Callable[[Any, Stage, int], _Outcome]]] = {
    acts.Activate: _activate,
    acts.Deactivate: _deactivate,
    acts.InstallPack: _install,
    acts.RemovePack: _remove_pack,
    acts.AddHost: _add_host,
    acts.ChangeHost: _change_host,
    acts.RemoveHost: _remove_host,
    acts.GivePolicy: _policy,
    acts.GiveToken: _token,
    acts.Set: _set,
    acts.Revoke: _revoke,
    acts.Release: _release,
}
