"""The demo company's items and sites: which there can be, and how they come, change and go.

There can be more than the company starts with, so that later days have new ones to register:
whatever the ERP lacks is either not registered yet or was retired.
"""

from __future__ import annotations

import base64
import csv
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import NamedTuple

from lakehouse.erp.stock import USUAL_ISSUES_IN_FULL_STOCK, Transaction

SPARE_ITEMS = 6
SITES_AT_START = 36
FEWEST_SITES = 8
SPARE_SITES = 6
DEPOTS = 4
# Twenty sites in a row keep the regions' shares: SE 40 %, NE 25, S 15, N 10, CO 10.
REGIONS = (
    *("SE", "NE", "SE", "S", "SE", "NE", "N", "SE", "NE", "CO"),
    *("SE", "S", "NE", "SE", "N", "SE", "NE", "S", "CO", "SE"),
)
DEPOT_REGIONS = ("NE", "SE", "S", "CO")
STORE_OF = {"NE": "NE", "SE": "SE", "S": "S", "CO": "CO", "N": "CO"}
TYPES = {"macro": 62, "rooftop": 20, "small_cell": 14, "office": 4}
QUARTERS = ("CENTRO", "DISTRITO INDUSTRIAL", "ALTO DA SERRA", "JARDIM AMÉRICA", "VILA NOVA")
LONG_DESCRIPTION_BYTES = 9_000  # of noise, so that PostgreSQL cannot press it into the row


class Item(NamedTuple):
    """An item as it is when it is registered, with the quantity of a usual issue."""

    item_id: str
    item_name: str
    family: str
    unit: str
    unit_cost_brl: Decimal
    criticality: str
    usual_quantity: int

    @property
    def is_service(self) -> bool:
        return self.family.startswith("SERVIÇOS")


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


def items() -> list[Item]:
    """Every item there can be; the last `SPARE_ITEMS` of them are registered later."""
    found = [
        Item(code, name, family, unit, Decimal(cost), criticality, int(quantity))
        for code, name, family, unit, cost, criticality, quantity in _lines("items.csv")
    ]
    # Every eleventh comes later, so that it may be of any family.
    return [item for i, item in enumerate(found) if i % 11 != 10] + found[10::11]


def depots(scale: float) -> list[Tower]:
    """The stores, at least one for each of the regions that have one."""
    places = _places()
    found = []
    for number in range(max(DEPOTS, round(DEPOTS * scale))):
        near = places[DEPOT_REGIONS[number % DEPOTS]]
        place = near[number // DEPOTS % len(near)]
        code = f"{place.state}{place.letters}D{number + 17:03d}"
        name = f"DEPÓSITO {place.municipality.upper()}"
        found.append(_tower(code, name, "depot", place, None))
    return found


def sites_at_start(scale: float) -> int:
    """How many sites, besides the stores, a company of this size starts with."""
    return max(FEWEST_SITES, round(SITES_AT_START * scale))


def sites(seed: int, scale: float) -> list[Tower]:
    """Every site there can be; those after the first `sites_at_start` are registered later."""
    places = _places()
    stores = depots(scale)
    count = sites_at_start(scale) + max(SPARE_SITES, round(SPARE_SITES * scale))
    found = []
    for number in range(count):
        rng = Random(f"{seed}:site:{number}")
        region = REGIONS[number % len(REGIONS)]
        place = rng.choice(places[region])
        tower_type = rng.choices(list(TYPES), list(TYPES.values()))[0]
        store = rng.choice(stores[DEPOT_REGIONS.index(STORE_OF[region]) :: DEPOTS])
        name = f"{place.municipality.upper()} {rng.choice(QUARTERS)}"
        lies = place._replace(
            latitude=place.latitude + rng.uniform(-0.2, 0.2),
            longitude=place.longitude + rng.uniform(-0.2, 0.2),
        )
        code = _site_code(tower_type, place, number)
        found.append(_tower(code, name, tower_type, lies, store.tower_id))
    return found


def register_items(tx: Transaction, new: Sequence[Item]) -> None:
    """Enter items, and an empty shelf at every store for those that are kept in stock."""
    stores = tx.stores()
    tx.insert("items", [(*item[:6], item.is_service, None) for item in new])
    shelves = []
    for item in new:
        if not item.is_service:
            full = item.usual_quantity * USUAL_ISSUES_IN_FULL_STOCK
            limits = (0, full // 6, full, full // 3)
            shelves += [(item.item_id, store, *limits) for store in stores]
    tx.insert("inventory", shelves)


def register_item(tx: Transaction) -> None:
    """An item that the ERP lacks comes, or comes back."""
    known = {code for (code,) in tx.rows("select item_id from public.items")}
    register_items(tx, tx.some([item for item in items() if item.item_id not in known], 1))


def register_site(tx: Transaction) -> None:
    """A site that the ERP lacks comes, or comes back."""
    known = {code for (code,) in tx.rows("select tower_id from public.towers")}
    missing = [site for site in sites(tx.seed, tx.scale) if site.tower_id not in known]
    tx.insert("towers", tx.some(missing, 1))


def retire_item(tx: Transaction) -> None:
    """What was phased out before is deleted; another item is written off and phased out."""
    phased_out = tx.rows(
        "delete from public.inventory where item_id in (select item_id from public.inventory "
        "group by item_id having max(max_stock) = 0) returning item_id"
    )
    if phased_out:
        codes = tuple({code for (code,) in phased_out})
        tx.run("delete from public.items where item_id in %s", codes)
    shelves = tx.shelves("true")
    if not shelves:
        return
    last = tx.rng.choice(shelves).item_id
    rest = [shelf for shelf in shelves if shelf.item_id == last and shelf.stock > 0]
    note = "baixa por obsolescência"
    tx.book("adjustment", [tx.line(shelf, -shelf.stock)._replace(note=note) for shelf in rest])
    tx.run(
        "update public.inventory set (min_stock, max_stock, reorder_point) = (0, 0, 0), "
        "updated_at = %s where item_id = %s",
        *(tx.clock, last),
    )


def retire_site(tx: Transaction) -> None:
    """A site is given up."""
    tx.run("delete from public.towers where tower_id = %s", _site(tx))


def rename_site(tx: Transaction) -> None:
    """A site gets a name after another quarter."""
    tx.run(
        "update public.towers set tower_name = upper(municipality) || ' ' || %s, updated_at = %s "
        "where tower_id = %s",
        *(tx.rng.choice(QUARTERS), tx.clock, _site(tx)),
    )


def reassign_site(tx: Transaction) -> None:
    """A site is served by another store from now on."""
    site = _site(tx)
    tx.run(
        "update public.towers set served_by_tower_id = (select tower_id from public.towers "
        "where tower_type = 'depot' and tower_id <> (select served_by_tower_id "
        "from public.towers where tower_id = %s) order by md5(tower_id || %s) limit 1), "
        "updated_at = %s where tower_id = %s",
        *(site, str(tx.rng.random()), tx.clock, site),
    )


def recreate_site(tx: Transaction) -> None:
    """Someone deletes a site by mistake and types it in again before anyone sees it."""
    row = tx.rows("delete from public.towers where tower_id = %s returning *", _site(tx))[0]
    tx.insert("towers", [row[:-2]])


def touch_site(tx: Transaction) -> None:
    """Someone opens a site and saves it as it is."""
    tx.run("update public.towers set tower_name = tower_name where tower_id = %s", _site(tx))


def reprice(tx: Transaction) -> None:
    """Prices move; items with a long data sheet always do, and keep it."""
    known = tx.rows(
        "select item_id from public.items where octet_length(description) > 8192 "
        "union all (select item_id from public.items where description is null "
        "order by md5(item_id || %s) limit 3)",
        str(tx.rng.random()),
    )
    percent = tx.rng.choice((94, 97, 99, 101, 103, 106))
    tx.run(
        "update public.items set unit_cost_brl = round(unit_cost_brl * %s / 100, 2), "
        "updated_at = %s where item_id in %s",
        *(percent, tx.clock, tuple(code for (code,) in known)),
    )


def revise_item(tx: Transaction) -> None:
    """A buyer saves one item three times before committing: the first price was a slip."""
    item = _item(tx)
    change = "update public.items set {}, updated_at = %s where item_id = %s"
    for what in (
        "unit_cost_brl = unit_cost_brl * 10",
        "unit_cost_brl = unit_cost_brl / 10 + 0.01",
        "criticality = case criticality when 'A' then 'B' else 'A' end",
    ):
        tx.run(change.format(what), tx.clock, item)


def describe_item(tx: Transaction) -> None:
    """An item gets a data sheet with a drawing in it, too long for PostgreSQL to keep inline."""
    drawing = base64.b64encode(tx.rng.randbytes(LONG_DESCRIPTION_BYTES)).decode("ascii")
    tx.run(
        "update public.items set description = %s, updated_at = %s where item_id = %s",
        *(f"FICHA TÉCNICA. Desenho: {drawing}", tx.clock, _item(tx)),
    )


def _lines(file: str) -> list[list[str]]:
    with Path(__file__).with_name(file).open(encoding="utf8", newline="") as lines:
        return list(csv.reader(lines))[1:]


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


def _site(tx: Transaction) -> str:
    found = tx.rows(
        "select tower_id from public.towers where tower_type <> 'depot' "
        'order by tower_id collate "C"'
    )
    return str(tx.rng.choice(found)[0])


def _item(tx: Transaction) -> str:
    found = tx.rows('select item_id from public.items order by item_id collate "C"')
    return str(tx.rng.choice(found)[0])
