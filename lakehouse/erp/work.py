"""The work of a branch in a period: as much of each kind as the season asks for, and by whom.

Work comes first and is spread over the days by the season; it is then given to sites, first to
those whose stores have parts asked of them, so that each part that is asked for is for some work.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from itertools import accumulate
from random import Random

from lakehouse.erp import calendar, master_data
from lakehouse.erp.master_data import Cell, Tower

WORK_A_DAY = 7.5
# Type and discipline of work, and their shares.
KINDS = {
    ("preventive", "structural"): 0.12,
    ("preventive", "electrical"): 0.14,
    ("preventive", "cooling"): 0.08,
    ("preventive", "signalling"): 0.08,
    ("preventive", "access"): 0.08,
    ("corrective", "electrical"): 0.16,
    ("corrective", "cooling"): 0.09,
    ("corrective", "signalling"): 0.06,
    ("corrective", "structural"): 0.04,
    ("civil", "structural"): 0.09,
    ("civil", "access"): 0.06,
}
SLA_HOURS = {"preventive": 720, "civil": 1440}
CAUSES = {
    "electrical": "power",
    "cooling": "cooling",
    "signalling": "signalling",
    "structural": "structure",
}
DISCIPLINES = {
    "FERRO E AÇO": ("structural", "access"),
    "MATERIAL CIVIL": ("access", "structural"),
    "PINTURA": ("structural", "signalling"),
    "SINALIZADORES": ("signalling",),
    "MATERIAL ELETRICO": ("electrical", "cooling", "signalling"),
}
OUTAGE_SHARE = 0.75  # of the corrective work that asks for its parts at once, if for any
OUTAGE_SHARE_UNSTOCKED = 0.25  # if its parts are to be bought: mostly a makeshift will do
LATEST_ASK_DAYS = 8  # after the work was opened
SHARING = 0.5


@dataclass(eq=False, slots=True)
class Work:
    """A work order to come."""

    day: int
    work_type: str
    discipline: str
    hours: float
    tower: Tower | None = None
    contract_id: str | None = None
    sla_hours: int = 0
    last_ask: int = 0
    is_unstocked: bool = False
    has_outage: bool = False
    work_order_id: int = 0
    outage_id: int = 0


class Teams:
    """Who does the work: gives it to sites as their parts are needed."""

    def __init__(self, cell: Cell, period: int, rng: Random) -> None:
        self.cell = cell
        self.rng = rng
        self.towers = {tower.tower_id: tower for tower in (*cell.stores, *cell.sites)}
        self.near: dict[str, list[Tower]] = defaultdict(list)
        for site in cell.sites:
            if site.served_by_tower_id is not None:
                self.near[site.served_by_tower_id].append(site)
        self.free: dict[int, list[Work]] = defaultdict(list)
        self.given: dict[str, list[Work]] = defaultdict(list)
        self.of_day: dict[tuple[str, int], Work] = {}
        for work in _seasonal(cell.size, calendar.days_of(period), rng):
            self.free[work.day].append(work)
        self.all = [work for works in self.free.values() for work in works]

    def at(self, place: str, day: int, family: str) -> Work:
        """Work at a site, or at one that a store serves, that needs parts on that day."""
        work = self.of_day.get((place, day)) or self._known(place, day) or self._new(day, family)
        if work.tower is None:
            near = self.near.get(place)
            self._give(work, self.rng.choice(near) if near else self.towers[place])
            self.given[place].append(work)
        self.of_day[place, day] = work
        work.last_ask = max(work.last_ask, day)
        work.is_unstocked |= place not in self.near
        return work

    def finish(self) -> list[Work]:
        """All work, by day: what nobody needed parts for goes to any site."""
        for work in self.all:
            if work.tower is None:
                self._give(work, self.rng.choice(self.cell.sites))
            asks_at_once = work.last_ask in (0, work.day)
            is_down = work.work_type == "corrective" and asks_at_once and work.contract_id
            share = OUTAGE_SHARE_UNSTOCKED if work.is_unstocked else OUTAGE_SHARE
            work.has_outage = bool(is_down) and self.rng.random() < share
            if work.discipline not in CAUSES:
                work.has_outage = False
        return sorted(self.all, key=lambda work: work.day)

    def _known(self, place: str, day: int) -> Work | None:
        """Work there that was begun lately and has not been finished."""
        recent = [work for work in self.given[place][-3:] if day - work.day <= LATEST_ASK_DAYS]
        recent = [work for work in recent if work.day <= day]
        return recent[-1] if recent and self.rng.random() < SHARING else None

    def _new(self, day: int, family: str) -> Work:
        """Work that no site has yet, of that day or shortly before, of the right kind if any is."""
        fitting = DISCIPLINES.get(family, ())
        for want in (fitting, ()):
            for opened in range(day, day - LATEST_ASK_DAYS, -1):
                for work in self.free[opened]:
                    if not want or work.discipline in want:
                        self.free[opened].remove(work)
                        return work
        work = Work(day, "corrective", (*fitting, "electrical")[0], self.rng.uniform(1.5, 7.5))
        self.all.append(work)
        return work

    def _give(self, work: Work, tower: Tower) -> None:
        work.tower = tower
        contracts = self.cell.contracts.get(tower.tower_id, ())
        wanted = master_data.SERVICE_OF[work.work_type]
        found = [c for c in contracts if c.service_type == wanted] or list(contracts)
        tier = found[0].sla_tier if found else "bronze"
        work.contract_id = found[0].contract_id if found else None
        work.sla_hours = SLA_HOURS.get(work.work_type) or master_data.SLA_HOURS[tier]


def _seasonal(size: float, days: list[date], rng: Random) -> list[Work]:
    """As much of each kind as there is to do, evenly over what the season makes of the days."""
    found = []
    for (work_type, discipline), share in KINDS.items():
        ends = list(accumulate(calendar.season(discipline, day) for day in days))
        count = round(WORK_A_DAY * size * share * ends[-1])
        for n in range(count):
            day = days[bisect_left(ends, (n + rng.random()) / count * ends[-1])]
            hours = {
                "preventive": rng.uniform(3, 40),
                "corrective": rng.uniform(1.5, 7.5),
                "civil": rng.uniform(60, 600),
            }[work_type]
            found.append(Work(calendar.number(day), work_type, discipline, hours))
    rng.shuffle(found)
    return found
