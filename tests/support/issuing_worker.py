"""A process that issues under load until it is killed: ``python -m tests.support.issuing_worker URL NUMBER``.

Asks for user after user, in groups as the server's writer does, and says each answer only once it is durable: one line
"REQUEST EVENT" (both without spaces or line feeds inside the request id; the event as canonical JSON).
"""

import sys
from collections.abc import Iterator
from itertools import count

from calward.app.licensing.issue_license import IssueLicense
from calward.app.licensing.requests import Request
from calward.domain.events import encode_event
from tests.support.audits import USERS_HOST, Office
from tests.support.builders import a_question

SIZES = (1, 3, 8)
"""Acts in one commit, in turn."""


def questions(worker: str) -> Iterator[IssueLicense]:
    """What a worker asks, always in the same order: after a crash anybody can ask the same again."""
    return (a_question(USERS_HOST, f"user-{worker}-{n}", f"ask-{worker}-{n}") for n in count())


def main() -> None:
    url, worker = sys.argv[1:]
    office = Office(url)
    waiting = questions(worker)
    say("ready")
    for turn in count():
        group = [next(waiting) for _ in range(SIZES[turn % len(SIZES)])]
        answers = office.ledger.write_all([Request(question, office.entropy) for question in group])
        told = zip(group, answers, strict=True)
        say(*(f"{question.request_id} {encode_event(answer)}" for question, answer in told))


def say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
