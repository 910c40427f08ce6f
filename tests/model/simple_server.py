"""How does a license server behave, told once more in the shortest way? A list of papers, counted anew at each question.

Independent of ``calward.domain``: families are looked up by hand, nothing is stored that can be counted.
"""

from dataclasses import dataclass, field

DAY = 86_400
NEVER = 253_402_300_799
FAMILIES = {"2000": 0, "2003": 1, "2008": 2, "2008R2": 2, "2012R2": 3, "2016": 4}


@dataclass
class Pack:
    """An installed pack; ``order`` is its place in the sequence of installations, ``transfer`` that for which it is frozen."""

    id: str
    version: str
    type: str
    total: int
    expires: int
    order: int
    generation: int = 1
    bought: str = ""
    transfer: str = ""

    def issues(self, now: int) -> bool:
        return now < self.expires and not self.transfer


@dataclass
class Paper:
    """An issued license."""

    id: int
    who: str
    type: str
    status: str
    version: str
    expires: int
    pack: str | None = None
    ended: int | None = None
    revoked: bool = False
    host: str = ""

    def runs(self, now: int) -> bool:
        return self.ended is None and now < self.expires

    def ran_beyond(self, moment: int) -> bool:
        """Whether it still ran after this second; one that somebody ended in it ran until then."""
        ended_by_someone = self.ended is not None and self.ended < self.expires
        return self.ended >= moment if ended_by_someone else self.expires > moment


@dataclass
class Given:
    """What the next answer must be; ``number``: the license that goes on, None for a new one."""

    status: str
    version: str | None = None
    pack: str | None = None
    number: int | None = None


@dataclass
class SimpleServer:
    """The whole state, and the rules of the design as questions to it."""

    now: int
    activated: bool = True
    prevent: bool = False
    enforce: bool = False
    packs: dict[str, Pack] = field(default_factory=dict)
    papers: dict[int, Paper] = field(default_factory=dict)
    proven: dict[str, int] = field(default_factory=dict)

    def held(self, pack: str) -> int:
        return sum(paper.pack == pack and paper.runs(self.now) for paper in self.papers.values())

    def moving(self, paper: Paper) -> bool:
        """Whether a paper's pack is frozen."""
        return bool(paper.pack and self.packs[paper.pack].transfer)

    def usable(self, version: str, type_: str) -> list[Pack]:
        """Unexpired packs that open a host of this version, in the order in which they are used."""
        found = [
            pack
            for pack in self.packs.values()
            if pack.type == type_ and pack.issues(self.now) and FAMILIES[pack.version] >= FAMILIES[version]
        ]
        return sorted(found, key=lambda pack: (FAMILIES[pack.version], pack.expires, pack.order))

    def next_answer(self, version: str, type_: str, who: str) -> Given:
        mine = [paper for paper in self.papers.values() if (paper.who, paper.type) == (who, type_)]
        opening = sorted(
            (p for p in mine if p.runs(self.now) and FAMILIES[p.version] >= FAMILIES[version]),
            key=lambda p: (FAMILIES[p.version], -p.expires, p.id),
        )
        for paper in opening:
            if paper.status == "active":
                return Given("active", paper.version, paper.pack, paper.id)
        if self.activated and (type_ == "per-user" or who in self.proven):
            for pack in self.usable(version, type_):
                if self.prevent and FAMILIES[pack.version] > FAMILIES[version]:
                    continue
                if self.held(pack.id) < pack.total:
                    return Given("active", pack.version, pack.id)
        return self._without_cal(version, type_, who, mine, opening)

    def _without_cal(self, version: str, type_: str, who: str, mine: list[Paper], opening: list[Paper]) -> Given:
        over_use = type_ == "per-user" and self.activated
        if over_use and self.enforce:
            return Given("refused")
        status = "over-used" if over_use else "temporary"
        for serving in (status,) if over_use else ("temporary", "over-used"):
            for paper in opening:
                if paper.status == serving:
                    return Given(serving, paper.version, None, paper.id)
        if status == "temporary" and self._temporary_used(version, type_, who, mine):
            return Given("refused")
        return Given(status, version)

    def _temporary_used(self, version: str, type_: str, who: str, mine: list[Paper]) -> bool:
        had = [p for p in mine if p.status == "temporary" and FAMILIES[p.version] == FAMILIES[version]]
        if type_ == "per-device":
            had = [p for p in had if who in self.proven and p.ran_beyond(self.proven[who])]
        return bool(had)

    def ends_with(self, given: Given, type_: str, who: str) -> list[Paper]:
        """What a new full license replaces."""
        if given.status != "active" or given.number is not None or given.version is None:
            return []
        rank = FAMILIES[given.version]
        mine = [p for p in self.papers.values() if (p.who, p.type) == (who, type_) and p.runs(self.now)]
        return [p for p in mine if FAMILIES[p.version] <= rank]

    def revocable(self, version: str) -> int:
        """How many licenses of a version's family may be revoked now."""
        rank = FAMILIES[version]
        packs = [p for p in self.packs.values() if p.type == "per-device" and FAMILIES[p.version] == rank]
        installed = sum(pack.total for pack in packs if pack.issues(self.now))
        waiting = [
            p for p in self.papers.values() if p.revoked and FAMILIES[p.version] == rank and p.expires > self.now
        ]
        return max(1, installed // 5) - len(waiting)
