"""What can be wrong with bytes? Either the peer broke the protocol, or we did; anything else is a bug."""

__all__ = ["LocalProtocolError", "ProtocolError", "RemoteProtocolError"]


class ProtocolError(Exception):
    """Bytes or a step that the protocol does not allow.

    ``structure`` and ``field`` are the specification's names, ``offset`` counts bytes from the start of the structure; None
    where the fault has no place.
    """

    def __init__(self, message: str, *, structure: str, field: str | None = None, offset: int | None = None) -> None:
        self.message = message
        self.structure = structure
        self.field = field
        self.offset = offset
        super().__init__(str(self))

    def __str__(self) -> str:
        """Give one sentence: where, then what."""
        where = self.structure if self.field is None else f"{self.structure}.{self.field}"
        place = "" if self.offset is None else f" at byte {self.offset}"
        return f"{where}{place}: {self.message}"


class RemoteProtocolError(ProtocolError):
    """The peer broke the protocol."""


class LocalProtocolError(ProtocolError):
    """We were about to break the protocol: a value does not fit its field, or a step is out of turn."""
