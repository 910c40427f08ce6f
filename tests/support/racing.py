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
    print("ready", flush=True)
    sys.stdin.readline()
    with ThreadPoolExecutor(EACH) as pool:
        answers = pool.map(lambda n: office.ask(f"user {sys.argv[2]} {n}", f"ask {n} of {sys.argv[2]}"), range(EACH))
        print(*(answer["kind"] for answer in answers), sep="\n", flush=True)
    office.close()


if __name__ == "__main__":
    main()
