"""The demo company past its first thirteen months, and thirty times as big."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from lakehouse import settings as lakehouse_settings
from lakehouse.erp import company, postgres
from lakehouse.settings import Settings
from tests.integration.living import Ground, ground, hashes, query

pytestmark = [pytest.mark.server, pytest.mark.long]

LIVE = """
import json
from lakehouse import settings
from lakehouse.erp import company
from tests.integration.processes import peak_mb
company.create(settings.load(), scale=30)
peaks = []
for days in (1, 6):
    company.advance(settings.load(), days=days)
    peaks.append(peak_mb())
print(json.dumps(peaks))
"""


@pytest.fixture
def shared() -> Iterator[Ground]:
    with ground() as shared:
        yield shared


def lived(erp: Settings, *calls: int) -> dict[str, str]:
    company.create(erp, scale=0.2)
    for days in calls:
        company.advance(erp, days=days)
    return hashes(erp)


def test_the_year_after_goes_on_from_the_first_however_it_is_asked_for(shared: Ground) -> None:
    whole = shared.empty_erp()
    assert lived(whole, 390) == lived(shared.empty_erp(), 260, 10, 90, 30)
    [(lines, later)] = query(
        whole,
        "select count(*), count(*) filter (where ordered_date > '2025-10-07') from orders",
    )
    assert later == pytest.approx(0.2 * 460 * 124 / 21, rel=0.15)
    assert lines - later == pytest.approx(0.2 * 4207, rel=0.05)
    unbalanced = query(
        whole,
        "select item_id, tower_id from inventory join (select item_id, tower_id, sum(quantity) as "
        "booked from stock_movements group by 1, 2) as m using (item_id, tower_id) "
        "where current_stock <> booked",
    )
    assert unbalanced == []


def test_a_company_of_eight_thousand_sites_stays_small_in_memory(shared: Ground) -> None:
    erp = shared.empty_erp()
    done = subprocess.run(
        [sys.executable, "-c", LIVE],
        env={**lakehouse_settings.export(erp), "ERP_DSN": postgres.erp_dsn(erp)},
        cwd=lakehouse_settings.PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    peaks = json.loads(done.stdout)
    assert max(peaks) < 300  # megabytes
    assert peaks[-1] < 1.15 * peaks[0]
    assert query(erp, "select count(*) from towers")[0][0] > 8000
