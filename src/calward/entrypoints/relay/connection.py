"""How is one connection carried through: its bytes to the relay, the relay's acts to its sockets, and all of it in time?"""

import asyncio
from collections.abc import Iterable
from contextlib import ExitStack

from calward.domain.errors import LicensingError
from calward.entrypoints.relay.addresses import LoopbackAddresses
from calward.entrypoints.relay.deciding import decided, question_of
from calward.entrypoints.relay.leaving import left, without_tls
from calward.entrypoints.relay.legs import Leg
from calward.entrypoints.relay.patience import Patience
from calward.entrypoints.relay.settings import Outside, RelaySettings
from calward.entrypoints.relay.splice import splice
from calward.wire.errors import RemoteProtocolError
from calward.wire.relay import (
    Act,
    Ask,
    Close,
    LoggedOn,
    OpenHost,
    Phase,
    Relay,
    Secure,
    Splice,
    ToClient,
    ToHost,
    Verdict,
)

__all__ = ["Connection"]


class Connection:
    """One client's connection; ``run`` ends when it does."""

    def __init__(
        self, settings: RelaySettings, outside: Outside, addresses: LoopbackAddresses, client: Leg, wake: asyncio.Event
    ) -> None:
        self._settings = settings
        self._outside = outside
        self._addresses = addresses
        self._client = client
        self._host = Leg(wake)
        self._wake = wake
        self._relay = Relay(settings.terms(), server_random=outside.random(32), challenge=outside.random(10))
        self._address = ""
        self._stack = ExitStack()
        self._over = False
        self._patience = Patience(settings.limits)
        self._heard = False
        """The client has sent something since TLS: no person is waited for any more."""
        self.peer = client.peer

    @property
    def spliced(self) -> bool:
        """Say whether the client was let through."""
        return self._relay.phase is Phase.SPLICED

    async def run(self) -> None:
        """Carry the connection until it ends, whoever ends it."""
        with self._stack:
            try:
                await self._until_spliced()
                if self.spliced and not self._over:
                    await splice(self._client, self._host)
            except TimeoutError:
                self._log(f"too slow in phase {self._relay.phase.name}")
            except (RemoteProtocolError, LicensingError, OSError) as error:  # SSLError is an OSError.
                self._log(str(error) or type(error).__name__)
            except asyncio.CancelledError:
                self._abort()
                raise
            finally:
                self._end()

    def _end(self) -> None:
        """Close both sides; who does not take what is still to be sent does not keep its socket by that."""
        limits = self._settings.limits
        self._client.close()
        self._host.close()
        asyncio.get_running_loop().call_later(limits.flush if self.spliced else limits.linger, self._abort)
        if self._address:
            self._outside.ended(self._address)

    def _abort(self) -> None:
        self._client.abort()
        self._host.abort()

    # --- until the client is let through ---

    async def _until_spliced(self) -> None:
        async with self._patience:
            while not self._over and not self.spliced:
                await self._patience.wait(self._wake)
                await self._look()

    async def _look(self) -> None:
        """Take what has come from both sides, and see whether one has left."""
        if self._client.waiting and not self._host.full:
            self._heard = self._relay.phase is not Phase.REQUEST
            self._see()
            await self._act(self._relay.from_client(self._client.take()))
        if self._host.waiting and not self._client.full and not self._over:
            await self._act(self._relay.from_host(self._host.take()))
        if (self._client.ended or self._host.ended) and not self._over:
            self._over = True
            self._log(self._ended_early())
        self._see()

    def _ended_early(self) -> str:
        """Say why, as far as it can be told: nobody else tells it of a logon that passes unread."""
        phase, shown = self._relay.phase, self._settings.certificate
        if phase is Phase.LOGON and shown is not None and shown != self._host.certificate:
            return "the logon (NLA) has failed: the host has another certificate than the one in [relay], so clients take the relay for a stranger"
        return left(phase, "client" if self._client.ended else "host", heard=self._heard)

    def _see(self) -> None:
        self._patience.see(self._relay.phase, heard=self._heard)

    async def _act(self, acts: Iterable[Act]) -> None:
        for act in acts:
            match act:
                case ToClient(data):
                    self._client.write(data)
                case ToHost(data):
                    self._host.write(data)
                case OpenHost():
                    await self._open_host()
                case Secure(host):
                    await self._secure(host=host)
                case Ask():
                    await self._act(self._relay.decided(await self._decide(act)))
                case LoggedOn():
                    self._outside.logged_on(self._address)
                case Close(why):
                    await self._close(why)
                case Splice():
                    pass  # The phase says it; what has come since is passed on there.

    async def _open_host(self) -> None:
        host, port = self._settings.host
        local = None
        if host.startswith("127."):
            self._address = self._stack.enter_context(self._addresses.one())
            local = (self._address, 0)
        async with asyncio.timeout(self._settings.limits.open_host):
            await asyncio.get_running_loop().create_connection(lambda: self._host, host, port, local_addr=local)

    async def _secure(self, *, host: bool) -> None:
        """Set up TLS on both sides; the host first, so that a client is not made to wait for one that cannot."""
        self._see()
        self._client.hold()
        limits = self._settings.limits
        if host and self._settings.host_tls:
            await self._host.start_tls(self._settings.host_tls, limits.secure, limits.linger, server=False)
        try:
            await self._client.start_tls(self._settings.client_tls, limits.secure, limits.linger, server=True)
        except OSError as error:
            facts = self._relay.facts
            raise ConnectionError(without_tls(facts.offered, nla=facts.nla, error=error)) from error
        await self._act(self._relay.secured())
        self._see()

    async def _decide(self, ask: Ask) -> Verdict:
        question = question_of(ask, connection=self._address, peer=self.peer)
        return await decided(self._outside.decide, question, self._settings.limits.decide, self._log)

    async def _close(self, why: str) -> None:
        """End it so that the client can read what it was sent: bytes not yet read would end it with a reset."""
        self._over = True
        self._log(why)
        self._host.close()
        try:
            async with asyncio.timeout(self._settings.limits.linger):
                while not self._client.ended:
                    self._client.take()
                    self._wake.clear()
                    await self._wake.wait()
        except TimeoutError:
            pass

    def _log(self, what: str) -> None:
        if what:
            self._outside.log(f"{self.peer} {self._address}: {what}")
