"""What people, hosts and mishaps do in one step, drawn at random."""

from collections.abc import Callable, Mapping
from random import Random
from typing import Any, TypeAlias

from calward.app.licensing.activate_online import activate_online
from calward.app.licensing.acts import RefusedAct
from calward.app.licensing.contact import Said, ask_online, contact_online, make_contact
from calward.app.licensing.deactivate import request_deactivation
from calward.app.licensing.plan_change import ChangePlan
from calward.app.licensing.quarantine import enter_quarantine
from calward.app.licensing.request_packs import (
    Ask,
    ask,
    ask_change,
    give_up_change,
    to_cancel,
    to_install,
    to_move,
    to_recover,
)
from calward.app.licensing.signed_things import request_activation
from calward.app.licensing.sweep import sweep
from calward.app.licensing.take_orders import Taken, take
from calward.app.licensing.transfers import releases
from calward.domain.bundle import join, split
from calward.domain.cals import CalType
from calward.domain.handover import MAX_HANDOVER_SIZE
from calward.domain.pack_requests import ChangeKind, MoveReason, RecoverReason, SourceState
from calward.domain.purchases import Purchase
from calward.domain.quarantine import Cause, Quarantine
from calward.domain.statements import Channel
from tests.support.builders import ladder
from tests.support.moving_world.copies import Copy
from tests.support.moving_world.hosts import host_asks
from tests.support.moving_world.world import BrokenError, Letter, World, deliver_to_house

Act: TypeAlias = Callable[[World, Random], Any]
HOUR, DAY = 3600, 86_400


def someone(world: World, rng: Random) -> Copy:
    return rng.choice(world.running())


# --- hosts ---


def a_host_asks(world: World, rng: Random) -> None:
    session_host = rng.choice(world.hosts)
    host_asks(world, rng, someone(world, rng), session_host, rng.choice(session_host.people))


def many_ask(world: World, rng: Random) -> None:
    copy, session_host = someone(world, rng), rng.choice(world.hosts)
    for who in session_host.people:
        for _ in range(2):
            host_asks(world, rng, copy, session_host, who)


# --- license servers and their administrators ---


def _heard(world: World, copy: Copy, said: Said | None) -> None:
    """An exchange is over and everything was taken: from now on this copy knows what the clearinghouse says."""
    if said is None:
        return
    for one in said.taken:
        world.tell(f"   {copy.label} takes {one.kind}: {one.outcome} {','.join(one.reasons)}")
        world.count(f"{one.kind} {one.outcome}")
    if said.refused is not None:
        world.tell(f"   {copy.label} hears no: {said.refused.reason}")
        world.count(f"no: {said.refused.reason}")
        return
    copy.fresh = world.step


def contact(world: World, rng: Random, copy: Copy | None = None) -> None:
    copy = copy or someone(world, rng)
    world.tell(f"{copy.label} contacts")
    line = world.line(copy)
    said = world.guarded(copy, lambda: contact_online(copy.ledger, line, copy.desk, copy.note))
    _heard(world, copy, said)


def send(world: World, copy: Copy, request: bytes) -> Said | None:
    line = world.line(copy)
    said = world.guarded(copy, lambda: ask_online(request, copy.ledger, line, copy.desk, copy.note))
    _heard(world, copy, said)
    return said


def ask_for(world: World, rng: Random, copy: Copy, wanted: Ask, *, online: bool = False) -> None:
    """Online mostly, else as a file that may go any way."""
    request = world.guarded(copy, lambda: copy.act(_ask, wanted, copy))
    if request is None:
        return
    again = copy.look(lambda book: _ask(wanted, copy, book, now=book.now()))
    if again != request:
        raise BrokenError("the same question was signed anew")
    if online or rng.random() < 0.7:
        send(world, copy, request)
    else:
        post(world, copy, request)


def _ask(wanted: Ask, copy: Copy, book: Any, *, now: int) -> bytes:
    return ask(wanted, book, copy.signatures, copy.entropy, now=now)


def post(world: World, copy: Copy, bundle: bytes) -> None:
    letter = Letter(True, bundle, copy.who, world.step)
    world.bag.append(letter)
    world.sent.append(letter)


def activate(world: World, rng: Random, copy: Copy | None = None, *, online: bool = False) -> None:
    copy = copy or someone(world, rng)
    world.tell(f"{copy.label} activates")
    if not online and rng.random() < 0.3:

        def request(book: Any, *, now: int) -> bytes:
            return request_activation(book, copy.signatures, copy.entropy, now=now)

        made = world.guarded(copy, lambda: copy.act(request))
        if made is not None:
            post(world, copy, made)
        return

    def online() -> Any:
        return activate_online(copy.ledger, world.line(copy), copy.signatures, copy.entropy, by="tests")

    world.tell(f"   {world.guarded(copy, online)!r:.80}")


def install(
    world: World, rng: Random, copy: Copy | None = None, bought: Purchase | None = None, *, online: bool = False
) -> None:
    copy, bought = copy or someone(world, rng), bought or rng.choice(world.purchases)
    quantity = rng.choice((None, 1, 1, 2, 3))
    world.tell(f"{copy.label} installs {quantity} of {bought.version} {bought.cal_type}")
    preview = not online and rng.random() < 0.1
    ask_for(world, rng, copy, to_install(bought.program, bought.numbers, quantity, preview=preview), online=online)


def move(world: World, rng: Random) -> None:
    copy = someone(world, rng)
    source = world.other(copy)
    held = [x.statement.pack_id for x in world.register() if x.statement.server_id == source.id]
    packs = tuple(rng.sample(held, rng.randint(1, len(held)))) if held and rng.random() < 0.7 else ()
    state = rng.choice(
        (*[SourceState.CONNECTED] * 4, SourceState.UNREACHABLE, SourceState.UNREACHABLE, SourceState.DEAD)
    )
    proof = rng.choice(world.purchases).proof if rng.random() < 0.9 else None
    world.tell(f"{copy.label} moves {len(packs) or 'all'} here, source {state}")
    ask_for(world, rng, copy, to_move(source.id, state, rng.choice(tuple(MoveReason)), packs, proof))


def cancel(world: World, rng: Random) -> None:
    pending = world.pending()
    if not pending:
        return
    one = rng.choice(pending)
    if rng.random() < 0.3:
        world.tell(f"an operator cancels {one.transfer_id[:6]}")
        world.operate(lambda house: house.cancel_transfer(one.transfer_id, "operator"))
        return
    copy = someone(world, rng)
    world.tell(f"{copy.label} cancels {one.transfer_id[:6]}")
    ask_for(world, rng, copy, to_cancel(one.transfer_id))


def change(world: World, rng: Random) -> None:
    copy = someone(world, rng)
    here = sorted(copy.packs().values(), key=lambda x: x.row)
    if not here:
        return
    pack = rng.choice(here)
    kind = rng.choice((ChangeKind.DOWNGRADE, ChangeKind.DOWNGRADE, ChangeKind.UPGRADE, ChangeKind.CONVERT))
    to = rng.choice(("2003", "2008", "2012", "2016")) if kind is not ChangeKind.CONVERT else other_type(pack.type)
    plan = ChangePlan(pack.id, kind, to, rng.choice((None, 1, 1, min(2, pack.total))), "tests")
    world.tell(f"{copy.label} wants {kind} of {plan.count} of {pack.id[:6]}/{pack.generation} to {to}")

    def wanted(book: Any, *, now: int) -> bytes | RefusedAct:
        return ask_change(plan, book, ladder(), copy.signatures, copy.entropy, now=now)

    request = world.guarded(copy, lambda: copy.act(wanted))
    if isinstance(request, bytes):
        send(world, copy, request) if rng.random() < 0.7 else post(world, copy, request)


def other_type(type_: CalType) -> CalType:
    return next(one for one in CalType if one is not type_)


def give_up(world: World, rng: Random) -> None:
    copy = someone(world, rng)
    for pack in [one for one in copy.packs().values() if one.aside]:
        world.tell(f"{copy.label} gives up the change of {pack.id[:6]}")
        world.guarded(copy, lambda pack=pack: copy.act(_give_up, pack.id))


def _give_up(pack: Any, book: Any, *, now: int) -> Any:
    return give_up_change(pack, book, now=now, by="tests")


def deactivate(world: World, rng: Random) -> None:
    copy = someone(world, rng)
    world.tell(f"{copy.label} gives up its right")

    def word(book: Any, *, now: int) -> bytes:
        return request_deactivation(book, copy.signatures, copy.entropy, now=now, by="tests")

    request = world.guarded(copy, lambda: copy.act(word))
    if request is None:
        return
    if rng.random() < 0.6:
        line = world.line(copy)
        world.guarded(copy, lambda: line.ask(request))
    else:
        post(world, copy, request)


def recover(world: World, rng: Random, copy: Copy | None = None) -> None:
    """An administrator takes the way out of a quarantine; now and then without need."""
    copy = copy or someone(world, rng)
    if copy.server.quarantined_at is None and rng.random() < 0.9:
        return
    world.tell(f"{copy.label} recovers")
    ask_for(world, rng, copy, to_recover(RecoverReason.RESTORED))


def sweeps(world: World, rng: Random) -> None:
    copy = someone(world, rng)
    world.guarded(copy, lambda: copy.act(_sweep))


def _sweep(book: Any, *, now: int) -> Any:
    return sweep(book, now=now)


def restarts(world: World, rng: Random) -> None:
    copy = someone(world, rng)
    world.tell(f"{copy.label} restarts")
    copy.restart()


def tends(world: World, rng: Random) -> None:
    copy = someone(world, rng)
    world.guarded(copy, copy.tend)


# --- files and what the network does by itself ---


def writes_files(world: World, rng: Random) -> None:
    """The regular word as a file, with everything that was released."""
    copy = someone(world, rng)
    world.tell(f"{copy.label} writes a file")

    def make(book: Any, *, now: int) -> tuple[bytes, ...]:
        word = make_contact(book, note, copy.signatures, copy.entropy, now=now)
        return (*releases(book), word)

    note = copy.note()
    made = world.guarded(copy, lambda: copy.act(make))
    if made is None:
        return
    for one in made:
        post(world, copy, one)


def something_arrives(world: World, rng: Random) -> None:
    """Anything that is on its way, in any order."""
    if not world.bag:
        return
    arrives(world, rng, world.bag.pop(rng.randrange(len(world.bag))))


def something_comes_again(world: World, rng: Random) -> None:
    """Anything that was ever sent: to the right one, or to somebody else."""
    if not world.sent:
        return
    world.count("replayed")
    arrives(world, rng, rng.choice(world.sent), elsewhere=rng.random() < 0.2)


def something_is_cut(world: World, rng: Random) -> None:
    """Somebody takes a bundle apart and sends a part of it, in another order."""
    if not world.sent:
        return
    letter = rng.choice(world.sent)
    parts = list(split(letter.bundle, max_size=MAX_HANDOVER_SIZE)) if letter.bundle else []
    if parts:
        some = rng.sample(parts, rng.randint(1, len(parts)))
        world.count("cut")
        arrives(world, rng, Letter(letter.to_house, join(some), letter.who, letter.step))


def arrives(world: World, rng: Random, letter: Letter, *, elsewhere: bool = False) -> None:
    world.tell(
        f"a letter of step {letter.step} {'of' if letter.to_house else 'for'} {letter.who.name.split()[0]} arrives"
    )
    if letter.to_house:
        deliver_to_house(world, letter, rng.choice((Channel.ONLINE, Channel.FILE)))
        return
    fitting = [one for one in world.running() if elsewhere or one.who == letter.who]
    if fitting and letter.bundle:
        takes(world, rng.choice(fitting), letter.bundle)


def takes(world: World, copy: Copy, bundle: bytes) -> None:
    taken: tuple[Taken, ...] | None = world.guarded(copy, lambda: take(bundle, copy.ledger, copy.desk))
    for one in taken or ():
        world.tell(f"   {copy.label} takes {one.kind}: {one.outcome} {','.join(one.reasons)}")
        world.count(f"{one.kind} {one.outcome}")


# --- disks ---


def copies_disk(world: World, rng: Random) -> None:
    copy = someone(world, rng)
    world.tell(f"{copy.label}: its disk is copied")
    kept = world.shelved.setdefault(copy.who.id, [])
    kept.append((world.step, copy.disk.snapshot()))


def wakes_clone(world: World, rng: Random) -> None:
    copy = someone(world, rng)
    kept = world.shelved.get(copy.who.id)
    if not kept or len(world.running()) > 3:
        return
    at, found = rng.choice(kept)
    clone = world.add_copy(copy.who, rng)
    clone.disk.put_back(found)
    clone.restart()
    world.forked[copy.who.id] = world.step
    world.tell(f"{clone.label} wakes up with the disk of step {at}")
    world.count("clone woke up")


def restores(world: World, rng: Random) -> None:
    """An old disk is put back: by the tool, which marks it, or behind its back."""
    copy = someone(world, rng)
    kept = world.shelved.get(copy.who.id)
    if not kept:
        return
    at, found = rng.choice(kept)
    by_tool = rng.random() < 0.5
    copy.disk.put_back(found)
    copy.restart()
    copy.fresh = -1
    world.forked[copy.who.id] = world.step
    world.tell(f"{copy.label} gets its disk of step {at} back{' by the tool' if by_tool else ''}")
    world.count("old disk")
    if by_tool:
        copy.act(_mark, len(copy.disk.leaves()))


def _mark(events: int, book: Any, *, now: int) -> None:
    enter_quarantine(Quarantine(Cause.RESTORED, now, events), book, now=now, by="tool")


def clone_goes(world: World, rng: Random) -> None:
    copy = someone(world, rng)
    if sum(one.who == copy.who for one in world.running()) > 1:
        world.tell(f"{copy.label} is shut down for good")
        copy.running = False


# --- time ---


def time_passes(world: World, rng: Random) -> None:
    days = rng.choice((1, 1, 3, 10, 20, 32, 45))
    world.tell(f"{days} days pass")
    world.later(days * DAY)


ACTS: Mapping[Act, int] = {
    a_host_asks: 14,
    many_ask: 8,
    contact: 18,
    activate: 4,
    install: 8,
    move: 12,
    cancel: 3,
    change: 7,
    give_up: 1,
    deactivate: 2,
    recover: 4,
    sweeps: 1,
    restarts: 2,
    tends: 4,
    writes_files: 5,
    something_arrives: 10,
    something_comes_again: 5,
    something_is_cut: 2,
    time_passes: 6,
}
THEMES: tuple[Mapping[Act, int], ...] = (
    # Rights that are given, given up and claimed, by letters that come late.
    {activate: 6, deactivate: 5, move: 6, something_arrives: 10, something_comes_again: 5, contact: 4, time_passes: 2},
    # Moves that are given up and ordered again.
    {
        move: 8,
        cancel: 8,
        contact: 4,
        writes_files: 4,
        something_arrives: 8,
        something_is_cut: 4,
        something_comes_again: 4,
    },
    # Old disks and the register.
    {
        copies_disk: 3,
        restores: 3,
        recover: 5,
        contact: 6,
        move: 5,
        something_arrives: 4,
        something_comes_again: 8,
        tends: 1,
    },
    # Moves that nobody answers.
    {
        move: 6,
        contact: 2,
        time_passes: 8,
        many_ask: 4,
        something_arrives: 4,
        something_is_cut: 4,
        install: 2,
        activate: 2,
    },
)
DISK_ACTS: Mapping[Act, int] = {copies_disk: 4, wakes_clone: 3, restores: 3, clone_goes: 2}
