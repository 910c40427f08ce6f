"""What happens when a signed thing is not accepted? It is written down, and said with what would help."""

from calward.app.licensing.acts import write_act
from calward.domain.acceptance import NotAccepted
from calward.domain.events import Kind
from calward.domain.roles import Principal
from calward.entrypoints.api.answers import Act
from calward.entrypoints.api.services import Services

__all__ = ["refused_view"]


def refused_view(desk: Services, who: Principal, act: str, found: NotAccepted) -> Act:
    """The refusal of an act ("install", "activate", "keyring") by somebody, after it is written down."""
    reasons = [found.reason.value]
    desk.ledger.write(lambda book: write_act(book, Kind.ACT_REFUSED, book.now(), who.name, act=act, reasons=reasons))
    return Act(outcome="refused", reason=reasons, detail=found.detail)
