"""The regular word of a license server: note what it has and has done, see whether its ledger went back, renew its right to issue."""

from dataclasses import replace
from datetime import datetime, timedelta

from calward.app.clearinghouse.means import Asked, Said, put_server
from calward.app.clearinghouse.records import RegisteredServer
from calward.app.clearinghouse.rights import RIGHT_DAYS, give_right, longest_right
from calward.domain.acceptance import AcceptanceRefusal, NotAccepted
from calward.domain.errors import LicensingError
from calward.domain.fields import render_moment
from calward.domain.notes import Checkpoint, parse_checkpoint, parse_note, verify_note
from calward.domain.pack_requests import Contact
from calward.domain.register_events import RegisterEvent
from calward.domain.statements import Channel
from calward.domain.trust import Verify

__all__ = ["hear_contact", "read_checkpoint", "rolled_back", "why_overtaken"]


def hear_contact(contact: Contact, asked: Asked) -> Said:
    """Take a contact; orders and packs that it names wait no longer.

    One that a later contact has overtaken is refused as such: its older ledger means nothing.
    """
    overtaken = why_overtaken(asked.server, contact.head.requested_at)
    if overtaken is not None:
        return overtaken
    checkpoint = read_checkpoint(contact.checkpoint, asked.server.public_key, asked.means.verify)
    if isinstance(checkpoint, NotAccepted):
        return checkpoint
    server = asked.server
    refused = _why_another(server, contact, checkpoint)
    if refused is not None:
        if not server.rolled_back:
            put_server(asked.book, replace(server, rolled_back=True), RegisterEvent.ROLLED_BACK, asked.now)
        return refused
    asked.book.outbox.done(server.server_id, contact.done, contact.packs, asked.now)
    size, root = (
        (server.checkpoint_size, server.checkpoint_root) if checkpoint is None else (checkpoint.size, checkpoint.root)
    )
    heard_at = min(contact.head.requested_at, asked.now)
    server = replace(server, last_contact=asked.now, heard_at=heard_at, heard_nonce=contact.head.nonce)
    server = replace(server, checkpoint_size=size, checkpoint_root=root, rolled_back=False)
    asked.book.parties.put_server(server)
    if server.version != contact.head.server_version:
        server = replace(server, version=contact.head.server_version)
        put_server(asked.book, server, RegisterEvent.SERVER_CHANGED, asked.now)
    return _renewal(contact, replace(asked, server=server))


def why_overtaken(server: RegisteredServer, requested_at: datetime) -> NotAccepted | None:
    """Why a word counts no more, because the server made a later one that was heard first; None if it counts."""
    if server.heard_at is None or requested_at >= server.heard_at:
        return None
    detail = (
        f"a contact of {render_moment(server.heard_at)} was heard before this one of {render_moment(requested_at)}: "
        "make a new one, and compare the license server's clock if that does not help"
    )
    return NotAccepted(AcceptanceRefusal.REPLAYED, detail)


def read_checkpoint(note: str, key: bytes, verify: Verify) -> Checkpoint | NotAccepted | None:
    """The checkpoint of a signed note; None where there is none yet."""
    if not note:
        return None
    try:
        found = parse_note(note)
        checkpoint = parse_checkpoint(found.text)
    except LicensingError as error:
        return NotAccepted(AcceptanceRefusal.MALFORMED, error.detail)
    if verify_note(found, checkpoint.origin, key, verify):
        return checkpoint
    return NotAccepted(
        AcceptanceRefusal.SIGNATURE_INVALID, "the checkpoint is not signed with the license server's key"
    )


def _why_another(server: RegisteredServer, contact: Contact, checkpoint: Checkpoint | None) -> NotAccepted | None:
    """Why this is not the ledger that talked last: an older one, or a copy that went on by itself and may be the larger one."""
    if went_back(server, checkpoint):
        return rolled_back(server, checkpoint)
    if server.heard_nonce and server.heard_nonce not in contact.after:
        detail = (
            "another copy of this license server's ledger has talked to the clearinghouse since this one did: stop one of them; if this "
            "one shall go on, run calward server recover --accept-loss"
        )
        return NotAccepted(AcceptanceRefusal.LEDGER_ROLLED_BACK, detail)
    return None


def went_back(server: RegisteredServer, checkpoint: Checkpoint | None) -> bool:
    """Whether a server shows less than it had, or another ledger of the same size."""
    if server.checkpoint_size == 0:
        return False
    if checkpoint is None or checkpoint.size < server.checkpoint_size:
        return True
    return checkpoint.size == server.checkpoint_size and checkpoint.root != server.checkpoint_root


def rolled_back(server: RegisteredServer, checkpoint: Checkpoint | None) -> NotAccepted:
    """What a server hears whose ledger went back: what is wrong, and both ways out."""
    have = 0 if checkpoint is None else checkpoint.size
    detail = (
        f"this license server showed a ledger of {server.checkpoint_size} events before, now it has one of {have} or another one of "
        "that size: restore the newer backup, or run calward server recover --accept-loss"
    )
    return NotAccepted(AcceptanceRefusal.LEDGER_ROLLED_BACK, detail)


def _renewal(contact: Contact, asked: Asked) -> Said:
    """A new right to issue, where the present one is used up by a third; a file is carried by a person, who asked for it."""
    server, channel = asked.server, asked.channel
    if server.issue_until is None:
        return ()
    whole = timedelta(days=RIGHT_DAYS[channel])
    due = channel is Channel.FILE or server.issue_until - asked.now <= whole * 2 / 3
    until = longest_right(server, asked.now + whole, asked.book, asked.now)
    if not due or until is None or until <= server.issue_until:
        return ()
    return (give_right(contact.head, until, asked),)
