"""What may be asked of the clearinghouse over HTTP? One body for each kind; anything not named here is refused."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Discriminator, Field, RootModel

from calward.app.licensing.plan_change import ChangePlan
from calward.app.licensing.request_packs import Ask, to_cancel, to_install, to_move, to_recover
from calward.domain.key_packs import PackId
from calward.domain.pack_requests import MAX_PACKS, ChangeKind, MoveReason, RecoverReason, SourceState
from calward.domain.statements import MAX_TOTAL, ActivationReason, Program
from calward.entrypoints.api.bodies import Strict

__all__ = ["Activate", "AskBody", "Cancel", "Change", "Deactivate", "Install", "Move", "Recover", "Regular"]

_Id = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
_Text = Annotated[str, Field(min_length=1, max_length=200)]
_Count = Annotated[int, Field(ge=1, le=MAX_TOTAL, strict=True)]


class _Asking(Strict):
    """``clearinghouse``: its address; by itself the one of the settings, else where this server was activated online."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    clearinghouse: Annotated[str, Field(max_length=300)] | None = None


class Install(_Asking):
    """Claim what was bought under these numbers; a preview only says what that would be."""

    kind: Literal["install"]
    program: Program
    numbers: Annotated[list[_Text], Field(min_length=1, max_length=4)]
    quantity: _Count | None = None
    preview: bool = False

    def ask(self) -> Ask:
        """The question."""
        return to_install(self.program, tuple(self.numbers), self.quantity, preview=self.preview)


class Move(_Asking):
    """Move key packs of another license server to this one; none named: all of them."""

    kind: Literal["move"]
    source: _Id
    packs: Annotated[tuple[_Id, ...], Field(max_length=MAX_PACKS)] = ()
    state: SourceState = SourceState.CONNECTED
    reason: MoveReason = MoveReason.REPLACED
    proof: _Text | None = None

    def ask(self) -> Ask:
        """The question."""
        return to_move(self.source, self.state, self.reason, self.packs, self.proof)


class Cancel(_Asking):
    """Give up a move to this server; ``move`` is the number of the request, or that of a single pack's transfer."""

    kind: Literal["cancel"]
    move: _Id

    def ask(self) -> Ask:
        """The question."""
        return to_cancel(self.move)


class Recover(_Asking):
    """Ask what this server holds, because its ledger is new or may be old."""

    kind: Literal["recover"]
    reason: RecoverReason

    def ask(self) -> Ask:
        """The question."""
        return to_recover(self.reason)


class Change(_Asking):
    """Turn a key pack, or ``count`` of its CALs, into another version or, for a conversion, another type."""

    kind: Literal["change"]
    change: ChangeKind
    pack: _Text
    to: _Text
    count: _Count | None = None
    preview: bool = False

    def plan(self, by: str) -> ChangePlan:
        """The plan of whoever asks."""
        return ChangePlan(PackId(self.pack), self.change, self.to, self.count, by)


class Regular(_Asking):
    """The regular word: say what is held here, hear what is ordered."""

    kind: Literal["contact"]


class Activate(_Asking):
    """Ask for the right to issue; ``reason`` says why this server does so once more."""

    kind: Literal["activate"]
    reason: ActivationReason = ActivationReason.FIRST


class Deactivate(_Asking):
    """Give up the right to issue, and tell the clearinghouse."""

    kind: Literal["deactivate"]


class AskBody(
    RootModel[
        Annotated[
            Install | Move | Change | Cancel | Regular | Recover | Activate | Deactivate,
            Discriminator("kind"),
        ]
    ]
):
    """What is asked."""

    model_config = ConfigDict(frozen=True)
