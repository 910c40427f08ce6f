"""When does a license server talk to its clearinghouse by itself?"""

import threading
from collections.abc import Callable

import structlog

from calward.adapters.network.clearinghouse_client import HttpClearinghouse
from calward.adapters.store.ledger import SqlLedger
from calward.app.licensing.activate_online import activate_online, asked_online
from calward.app.licensing.contact import contact_online
from calward.app.licensing.take_orders import Desk
from calward.app.ports import Clock
from calward.domain.acceptance import NotAccepted
from calward.domain.settings import SECONDS_PER_DAY

__all__ = ["RENEW_WITHIN", "ClearinghouseContact"]

log = structlog.get_logger(__name__)

RENEW_WITHIN = 15 * SECONDS_PER_DAY
"""The right to issue is renewed when no more is left of its 30 days: two weeks in which the clearinghouse may be away (design 5)."""


class ClearinghouseContact:
    """The regular renewal and word; ``configured`` is the clearinghouse's address by the settings, if they name one."""

    def __init__(
        self, ledger: SqlLedger, desk: Desk, clock: Clock, configured: str | None, checkpoint: Callable[[], str]
    ) -> None:
        self._ledger, self._desk, self._clock = ledger, desk, clock
        self._configured, self._checkpoint = configured, checkpoint
        self.one_question = threading.Lock()
        """Whoever asks the clearinghouse holds it: an answer goes with the question that was asked last."""

    def address(self) -> str | None:
        """Where the right to issue is renewed: as the settings say, else where an administrator has activated it online."""
        return self._configured or self._ledger.write(asked_online)

    @staticmethod
    def line(address: str) -> HttpClearinghouse:
        """A connection to a clearinghouse."""
        return HttpClearinghouse(address)

    def renew(self) -> None:
        """Renew the right to issue online where it ends soon; a server that was never activated, or was deactivated, stays so."""
        until, address = self._issue_until(), self.address()
        if until is None or until > self._clock.now() + RENEW_WITHIN or not address:
            return
        with self.one_question, self.line(address) as clearinghouse:
            found = activate_online(
                self._ledger, clearinghouse, self._desk.signatures, self._desk.entropy, by="renewal"
            )
        if isinstance(found, NotAccepted):
            log.warning("activation.not_accepted", reason=found.reason, detail=found.detail)

    def report(self) -> None:
        """The regular word to the clearinghouse: what is held here; orders and packs that wait are taken, the right is renewed.

        A server that was never activated, or was deactivated, is silent by itself.
        """
        address = self.address()
        if not address or self._issue_until() is None:
            return
        with self.one_question, self.line(address) as clearinghouse:
            said = contact_online(self._ledger, clearinghouse, self._desk, self._checkpoint)
        if said.refused:
            log.warning("contact.not_accepted", reason=said.refused.reason, detail=said.refused.detail)
        for one in said.taken:
            if not one.accepted:
                log.warning("contact.not_taken", kind=one.kind, reasons=one.reasons, detail=one.detail)

    def _issue_until(self) -> int | None:
        return self._ledger.write(lambda book: book.server().issue_until)
