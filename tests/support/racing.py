"""One of several processes that race for CALs: ``python -m tests.support.racing URL NUMBER``.

Says "ready", waits for a line, then asks for eight users from eight threads and says for each what it got.
"""

import sys
from concurrent.futures import ThreadPoolExecutor

from tests.support.audits import Office

EACH = 8


def main() -> None:
    office = Office(sys.argv[1])
    office.held("P")  # The connection is made before the race.
    say("ready")
    sys.stdin.readline()
    with ThreadPoolExecutor(EACH) as pool:
        answers = pool.map(lambda n: office.ask(f"user {sys.argv[2]} {n}", f"ask {n} of {sys.argv[2]}"), range(EACH))
        say(*(answer["kind"] for answer in answers))
    office.close()


def say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
