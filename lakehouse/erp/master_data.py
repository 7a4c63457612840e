"""What the demo company deals with: items, suppliers, contracts and sites.

Items, suppliers and contracts are lists of their own; a company of scale n is n regional branches
(cells), each with sites, stores and work of its own, which share them.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random
from typing import NamedTuple

SITES = 267
STORES = 10
FEWEST_STORES = 4
FEWEST_SITES = 12
SPARE_SITES = 6
CODES_A_CELL = 1000
# Twenty sites in a row keep the regions' shares: SE 40 %, NE 25, S 15, N 10, CO 10.
REGIONS = (
    *("SE", "NE", "SE", "S", "SE", "NE", "N", "SE", "NE", "CO"),
    *("SE", "S", "NE", "SE", "N", "SE", "NE", "S", "CO", "SE"),
)
STORE_REGIONS = ("NE", "SE", "S", "CO", "NE", "SE", "NE", "SE", "CO", "SE")
STORE_OF = {"NE": "NE", "SE": "SE", "S": "S", "CO": "CO", "N": "CO"}
TYPES = {"macro": 62, "rooftop": 20, "small_cell": 14, "office": 4}
QUARTERS = ("CENTRO", "DISTRITO INDUSTRIAL", "ALTO DA SERRA", "JARDIM AMÉRICA", "VILA NOVA")
SERVICE_OF = {"preventive": "preventiva", "corrective": "corretiva", "civil": "obras civis"}
SLA_HOURS = {"gold": 8, "silver": 12, "bronze": 24}
DIVISIBLE = {"MT", "M", "M2", "M²", "M3", "M³", "KG", "L"}


class Item(NamedTuple):
    """An item as it is when it is registered, and how it is usually bought."""

    item_id: str
    item_name: str
    family: str
    unit: str
    unit_cost_brl: Decimal
    criticality: str
    lines: int
    quantity: float
    spread: float

    @property
    def is_service(self) -> bool:
        return self.family.startswith("SERVIÇOS")

    def __reduce__(self) -> tuple[Callable[[str], Item], tuple[str]]:
        return item, (self.item_id,)  # plans hold thousands, and are kept as bytes


class Family(NamedTuple):
    """A family of items, and how long its requisitions wait to be bought, in days."""

    family: str
    lead_median: float
    lead_p90: float
    regularised_share: float


class Supplier(NamedTuple):
    """A supplier, and the families it supplies."""

    supplier_id: str
    supplier_name: str
    tax_id: str | None
    country: str
    state: str | None
    families: tuple[str, ...]

    @property
    def is_abroad(self) -> bool:
        return self.country != "BR"


class Contract(NamedTuple):
    """A contract of a client."""

    contract_id: str
    client_name: str
    service_type: str
    sla_tier: str
    availability_target: Decimal
    monthly_value_brl: Decimal
    penalty_pct: Decimal


class Tower(NamedTuple):
    """A site as it is when it is registered."""

    tower_id: str
    tower_name: str
    tower_type: str
    state: str
    municipality: str
    latitude: Decimal
    longitude: Decimal
    served_by_tower_id: str | None


class Place(NamedTuple):
    """A municipality, with the letters that site codes use for it."""

    municipality: str
    state: str
    letters: str
    latitude: float
    longitude: float


@dataclass(frozen=True)
class Cell:
    """A regional branch: its stores, its sites and those it may still take on."""

    number: int
    size: float
    stores: tuple[Tower, ...]
    sites: tuple[Tower, ...]
    spare_sites: tuple[Tower, ...]
    contracts: dict[str, tuple[Contract, ...]]


@cache
def items() -> tuple[Item, ...]:
    """Every item there can be; those without lines are not there from the start."""
    return tuple(
        Item(code, name, family, unit, Decimal(cost), kind, int(lines), float(usual), float(spread))
        for code, name, family, unit, cost, kind, lines, usual, spread in _lines("items.csv")
    )


def item(item_id: str) -> Item:
    """The item with a code."""
    return _items_by_code()[item_id]


@cache
def _items_by_code() -> dict[str, Item]:
    return {item.item_id: item for item in items()}


@cache
def families() -> dict[str, Family]:
    """The families by name."""
    return {name: Family(name, *map(float, rest)) for name, *rest in _lines("families.csv")}


@cache
def suppliers() -> tuple[Supplier, ...]:
    """Every supplier."""
    return tuple(
        Supplier(code, name, tax_id or None, country, state or None, tuple(families.split("|")))
        for code, name, tax_id, country, state, families in _lines("suppliers.csv")
    )


@cache
def contracts() -> tuple[Contract, ...]:
    """Every contract, as it is when the ERP goes live."""
    return tuple(
        Contract(code, client, service, tier, Decimal(target), Decimal(value), Decimal(penalty))
        for code, client, service, tier, target, value, penalty in _lines("contracts.csv")
    )


@cache
def suppliers_of(item: Item) -> tuple[Supplier, ...]:
    """The one to three suppliers that an item is usually bought from."""
    pool = [supplier for supplier in suppliers() if item.family in supplier.families]
    rng = Random(f"suppliers:{item.item_id}")
    return tuple(rng.sample(pool, min(len(pool), rng.choice((1, 2, 2, 3)))))


def sizes_of(scale: float) -> list[float]:
    """The sizes of the cells that a company of this scale consists of."""
    count = max(1, round(scale))
    return [scale / count] * count


def cell(seed: int, scale: float, number: int) -> Cell:
    """A cell of a company: the same by seed and number."""
    size = sizes_of(scale)[number]
    places = _places()
    stores = _stores(number, max(FEWEST_STORES, round(STORES * size)), places)
    rng = Random(f"{seed}:{number}:sites")
    count = max(FEWEST_SITES, round(SITES * size) - len(stores))
    spare = max(SPARE_SITES, round(SPARE_SITES * size))
    sites = [
        _site(rng, number * CODES_A_CELL + n, stores, places, REGIONS[n % len(REGIONS)])
        for n in range(count + spare)
    ]
    by_client = _contracts_of(rng, sites)
    return Cell(number, size, tuple(stores), tuple(sites[:count]), tuple(sites[count:]), by_client)


def _stores(cell: int, count: int, places: dict[str, list[Place]]) -> list[Tower]:
    found = []
    for number in range(count):
        region = STORE_REGIONS[number % len(STORE_REGIONS)]
        place = places[region][(number + cell) % len(places[region])]
        code = f"{place.state}{place.letters}D{cell * CODES_A_CELL + number + 17:03d}"
        name = f"DEPÓSITO {place.municipality.upper()}"
        found.append(_tower(code, name, "depot", place, None))
    return found


def _site(
    rng: Random, number: int, stores: list[Tower], places: dict[str, list[Place]], region: str
) -> Tower:
    place = rng.choice(places[region])
    tower_type = rng.choices(list(TYPES), list(TYPES.values()))[0]
    near = [
        store
        for n, store in enumerate(stores)
        if STORE_REGIONS[n % len(STORE_REGIONS)] == STORE_OF[region]
    ]
    name = f"{place.municipality.upper()} {rng.choice(QUARTERS)}"
    lies = place._replace(
        latitude=place.latitude + rng.uniform(-0.2, 0.2),
        longitude=place.longitude + rng.uniform(-0.2, 0.2),
    )
    code = _site_code(tower_type, place, number)
    return _tower(code, name, tower_type, lies, rng.choice(near).tower_id)


def _contracts_of(rng: Random, sites: list[Tower]) -> dict[str, tuple[Contract, ...]]:
    """The contracts of each site that has a client: all of a big client's, or the only one."""
    by_client: dict[str, list[Contract]] = {}
    for contract in contracts():
        by_client.setdefault(contract.client_name, []).append(contract)
    clients = list(by_client.values())
    weights = [6 if len(client) > 1 else 1 for client in clients]
    towers = [site.tower_id for site in sites if site.tower_type != "office"]
    rng.shuffle(towers)
    found = {}
    for number, tower in enumerate(towers):
        # Every client has at least two sites, if there are enough.
        client = clients[number % len(clients)] if number < 2 * len(clients) else None
        found[tower] = tuple(client or rng.choices(clients, weights)[0])
    return found


def _lines(file: str) -> list[list[str]]:
    with Path(__file__).with_name(file).open(encoding="utf8", newline="") as lines:
        return list(csv.reader(lines))[1:]


@cache
def _places() -> dict[str, list[Place]]:
    found: dict[str, list[Place]] = {}
    for region, municipality, state, letters, latitude, longitude in _lines("places.csv"):
        place = Place(municipality, state, letters, float(latitude), float(longitude))
        found.setdefault(region, []).append(place)
    return found


def _site_code(tower_type: str, place: Place, number: int) -> str:
    return {
        "macro": f"BR{80584 + number}-{'AB'[number % 2]}",
        "rooftop": f"{place.letters}{place.state[0]}{number + 31:03d}TM",
        "small_cell": f"{place.state}{number % 9 + 1}-{place.letters}A-{number:02d}",
        "office": f"{place.state}{place.letters}E{number:03d}",
    }[tower_type]


def _tower(code: str, name: str, tower_type: str, lies: Place, store: str | None) -> Tower:
    latitude, longitude = (Decimal(f"{value:.6f}") for value in (lies.latitude, lies.longitude))
    return Tower(code, name, tower_type, lies.state, lies.municipality, latitude, longitude, store)
