"""How is the session host's side put together? The only file that knows all its parts; loads nothing of the server's.

``python -m calward.bootstrap.pam account|session`` is what ``calward pam account|session`` runs.
"""

import os
import secrets
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from calward.adapters.network.license_server_client import LicenseServerClient
from calward.adapters.sessionhost.agent_socket import ask_agent
from calward.adapters.sessionhost.checkpoints import HostCheckpoints
from calward.adapters.sessionhost.config import DEFAULT_CONFIG, HostConfig, ListedServer, load_host_config, read_token
from calward.adapters.sessionhost.process import age_seconds, alarm_within, groups_of, log_to_administrator, set_alarm
from calward.adapters.sessionhost.state import StateFolder, heard_policy
from calward.app.sessionhost.check_without_agent import check_without_agent
from calward.app.sessionhost.close_session import close_session
from calward.app.sessionhost.open_session import OpenSession, open_session
from calward.app.sessionhost.ports import HostPolicy, TimeLeft
from calward.domain.cals import CalType
from calward.domain.errors import LicensingError
from calward.entrypoints.pam.helper import IN, OUT, PamDesk, PamQuestion, answer

__all__ = ["main", "run_pam"]

_TO_FINISH: Final = 0.5
"""Seconds kept back from the deadline: to write what is to be remembered, and to end the program."""
_TO_END: Final = 0.25
"""Of these, what remains when the alarm rings: on a busy machine a program may wait for its turn to end."""
_WITHOUT_AGENT: Final = 0.8
"""Seconds kept back for the helper's own work, should the agent not answer: license servers have a part of it."""
_TO_LOOK: Final = 0.2
"""Seconds to look into the host's own memory before anybody is asked: a disk may hang."""
_ON_THE_WAY: Final = 0.1
"""Of what the agent has, what the way there and back may take."""
_USAGE: Final = "usage: python -m calward.bootstrap.pam account|session [--config FILE]"
_WRONG_USAGE: Final = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the PAM helper without the command line's framework; gives the exit code."""
    match list(sys.argv[1:] if arguments is None else arguments):
        case [("account" | "session") as stack]:
            return run_pam(stack, None, os.environ)
        case [("account" | "session") as stack, "--config", path]:
            return run_pam(stack, Path(path), os.environ)
        case _:
            print(_USAGE, file=sys.stderr)  # noqa: T201 - it is for whoever has typed it.
            return _WRONG_USAGE


def run_pam(stack: str, config: Path | None, environment: Mapping[str, str]) -> int:
    """Answer one question of PAM; gives the exit code, in time whatever the license servers do.

    ``config`` None is /etc/calward/host.toml; ``environment`` is what pam_exec sets (PAM_USER, PAM_TYPE, PAM_TTY).
    """
    started = time.monotonic() - age_seconds()
    question = PamQuestion.read(stack, environment)
    said = _agents_answer(question, config or DEFAULT_CONFIG, started)
    if said is not None:
        return said
    return answer(
        question,
        partial(_desk, config or DEFAULT_CONFIG, started),
        now=datetime.now(UTC).replace(microsecond=0),  # noqa: TID251 - adapters.system serves the license server.
        request_id=secrets.token_urlsafe(18),
        say=_say,
        tell=log_to_administrator,
        complain=log_to_administrator,
    )


def _agents_answer(question: PamQuestion, path: Path, started: float) -> int | None:
    """Let the agent answer, where one listens; None: nobody does, or not in time, and the helper does its own work."""
    try:
        config = load_host_config(path)
    except LicensingError:
        return None  # The helper says what is wrong with the settings.
    seconds = started + config.deadline_seconds - _kept_back(config) - time.monotonic()
    asked = {"ask": "pam", "seconds": max(0.0, seconds - _ON_THE_WAY), **asdict(question)}
    said = ask_agent(config.agent.socket, asked, seconds) if seconds > 0 else None
    match said:
        case {"exit": int(code), "say": list(sentences)} if code in (IN, OUT):
            for sentence in sentences:
                _say(str(sentence))
            return code
        case _:
            return None


def _kept_back(config: HostConfig) -> float:
    """On a host licensed per device only the agent can decide by a license: the helper asks no server, and gives it that time."""
    policy = _heard(config)
    return _TO_FINISH if policy is not None and policy.mode == CalType.PER_DEVICE else _WITHOUT_AGENT


def _heard(config: HostConfig) -> HostPolicy | None:
    """What this host knows of itself; nothing where its disk does not say it at once."""
    with suppress(OSError), alarm_within(_TO_LOOK):
        return heard_policy(config.state_dir)
    return None


def _desk(path: Path, started: float) -> PamDesk:
    config = load_host_config(path)
    heard = _heard(config)
    until = started + config.deadline_seconds - _TO_FINISH
    set_alarm(until + _TO_FINISH - _TO_END - time.monotonic())
    return _wired(config, heard, until)


def _wired(config: HostConfig, heard: HostPolicy | None, until: float) -> PamDesk:
    time_left = partial(_time_left, until)
    complain = log_to_administrator
    memory = StateFolder(config.state_dir, lost=config.lost, complain=complain, time_left=time_left)
    servers = list(_servers(config.servers, HostCheckpoints(config.state_dir, complain)))
    return PamDesk(
        check=partial(
            check_without_agent,
            heard=heard,
            servers=servers,
            memory=memory,
            time_left=time_left,
            complain=complain,
            admit_anyway=config.admit_on_trouble or config.agent.admit_without_device,
        ),
        opened=partial(_opened, servers, memory, time_left),
        closed=partial(close_session, memory=memory),
        exempt=partial(_exempt, config),
        grace_days=config.grace_days,
        admit_on_trouble=config.admit_on_trouble,
    )


def _opened(
    servers: Sequence[LicenseServerClient], memory: StateFolder, time_left: TimeLeft, command: OpenSession
) -> None:
    """Note a session; whoever has just waited in vain for a license server does not wait for it again."""
    answering = memory.change(command.user, lambda known: (known, known.grace.answering))
    asked = servers if answering else ()
    open_session(command, servers=asked, memory=memory, time_left=time_left, complain=log_to_administrator)


def _servers(listed: Sequence[ListedServer], checkpoints: HostCheckpoints) -> Iterator[LicenseServerClient]:
    """Make a client for each server; one whose token cannot be read is asked by nobody, as if it did not answer."""
    for server in listed:
        try:
            yield LicenseServerClient(server.address, read_token(server.token_file), checkpoints)
        except LicensingError as error:
            log_to_administrator(error.detail)


def _exempt(config: HostConfig, user: str) -> bool:
    """Say whether a user's sessions are administrative; groups are looked up only where some are listed."""
    if user in config.exempt_users:
        return True
    return bool(config.exempt_groups) and not config.exempt_groups.isdisjoint(groups_of(user))


def _time_left(until: float) -> float:
    return until - time.monotonic()


def _say(sentence: str) -> None:
    """Tell the user: ``pam_exec`` hands standard output on, where its option ``stdout`` is set."""
    print(sentence, flush=True)  # noqa: T201 - that is how this door speaks.


if __name__ == "__main__":
    sys.exit(main())
