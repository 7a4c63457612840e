"""What the demo company may deal with."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from lakehouse.erp import master_data, prices

REGION = {
    **dict.fromkeys(("SP", "RJ", "MG", "ES"), "SE"),
    **dict.fromkeys(("BA", "CE", "AL", "PB"), "NE"),
    **dict.fromkeys(("PR", "SC", "RS"), "S"),
    **dict.fromkeys(("AM", "PA", "TO"), "N"),
    **dict.fromkeys(("GO", "DF", "MT"), "CO"),
}


@pytest.mark.parametrize("scale", [0.05, 1, 30])
def test_no_two_sites_share_a_code_and_each_has_a_store_nearby(scale: float) -> None:
    cells = [
        master_data.cell(1, scale, number) for number in range(len(master_data.sizes_of(scale)))
    ]
    towers = [it for cell in cells for it in (*cell.stores, *cell.sites, *cell.spare_sites)]
    assert len({tower.tower_id for tower in towers}) == len(towers)
    for cell in cells:
        stores = {store.tower_id for store in cell.stores}
        assert {site.served_by_tower_id for site in (*cell.sites, *cell.spare_sites)} <= stores
        assert {site.tower_id for site in cell.sites if site.tower_type != "office"} <= set(
            cell.contracts
        )


def test_a_company_of_scale_one_has_267_sites_in_the_regions_by_their_shares() -> None:
    cell = master_data.cell(1, 1, 0)
    assert len(cell.stores) + len(cell.sites) == 267
    found = Counter(REGION[site.state] for site in cell.sites)
    shares = {region: round(100 * count / found.total()) for region, count in found.items()}
    claimed = {"SE": 40, "NE": 25, "S": 15, "N": 10, "CO": 10}
    assert {region: abs(share - claimed[region]) <= 1 for region, share in shares.items()} == (
        dict.fromkeys(claimed, True)
    )


def test_items_are_of_every_family_and_keep_their_codes_apart() -> None:
    items = [item for item in master_data.items() if item.lines]
    assert len({item.item_id for item in items}) == len(items) == 879
    assert {item.family for item in items} == set(master_data.families())
    assert any(item.item_id.startswith("0") and len(item.item_id) == 4 for item in items)
    assert sum(item.is_service for item in items) == 74
    assert {item.criticality for item in items} == {"A", "B", "C"}
    assert len({supplier.supplier_id for supplier in master_data.suppliers()}) == 472
    assert [contract.contract_id for contract in master_data.contracts()] == [
        f"NC{number:02d}" for number in range(1, 32)
    ]


def test_every_item_has_suppliers_of_its_family() -> None:
    for item in master_data.items():
        found = master_data.suppliers_of(item)
        assert found
        assert all(item.family in supplier.families for supplier in found)


def test_what_is_imported_follows_the_dollar_and_the_rest_does_not() -> None:
    before, after = date(2024, 10, 1), date(2024, 12, 16)
    dollar = prices.dollar(after) / prices.dollar(before)
    assert dollar > 1.07
    for item in master_data.items():
        old, new = (prices.cost(1, item, day) for day in (before, after))
        if prices.is_imported(item):
            assert float(new / old) == pytest.approx(dollar, rel=0.03) or new - old < 1
        else:
            assert float(new / old) == pytest.approx(1.05, rel=0.02) or abs(new - old) <= 0.1
    assert 10 < sum(prices.is_imported(item) for item in master_data.items()) < 100
