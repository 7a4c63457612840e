"""The plan of a branch: a pure function of the seed, in which nothing comes before its cause."""

from __future__ import annotations

from collections import defaultdict

import pytest

from lakehouse.erp import calendar, master_data, plan, purchasing
from lakehouse.erp.plan import Plan


@pytest.fixture(scope="module", params=[0, 1])
def branch(request: pytest.FixtureRequest) -> Plan:
    return plan.make(3, 0.5, 0, request.param)


def test_the_same_seed_plans_the_same_and_another_does_not() -> None:
    one, again, other = (plan.make(seed, 0.2, 0, 0) for seed in (1, 1, 2))
    days = [calendar.number(day) for day in calendar.days_of(0)]
    asked = [
        [
            (day, ask.item_id, ask.store, ask.quantity)
            for day in days
            for asks in its.days[day].asked.values()
            for ask in asks
        ]
        for its in (one, again, other)
    ]
    assert asked[0] == asked[1]
    assert asked[0] != asked[2]


def test_every_identity_is_given_once(branch: Plan) -> None:
    agendas = branch.days.values()
    for numbers in (
        [work.work_order_id for agenda in agendas for work in agenda.opened],
        [work.outage_id for agenda in agendas for work in agenda.opened if work.has_outage],
        [ask.material_request_id for its in agendas for asks in its.asked.values() for ask in asks],
        [it.goods_receipt_id for its in agendas for came in its.arriving.values() for it in came],
        [
            number
            for agenda in agendas
            for requisition in agenda.bought
            for line in requisition.lines
            for number in (line.order_id, *line.copy_ids, *line.slip_ids)
        ],
    ):
        assert len(numbers) == len(set(numbers)) > 0


def test_parts_are_asked_for_while_work_is_open_and_before_they_are_bought(branch: Plan) -> None:
    bought = {
        line.order_id: day
        for day, agenda in branch.days.items()
        for requisition in agenda.bought
        for line in requisition.lines
    }
    called_for = 0
    for day, agenda in branch.days.items():
        for asks in agenda.asked.values():
            for ask in asks:
                assert ask.work.day <= day <= ask.work.last_ask
                if ask.line is not None:
                    called_for += 1
                    assert day <= bought[ask.line.order_id]
    before_the_first_day = {line.order_id for _, line in branch.on_order}
    services = sum(
        len(requisition.lines)
        for agenda in branch.days.values()
        for requisition in agenda.bought
        if requisition.site is None
    )
    assert called_for + services + len(before_the_first_day) == len(bought)


def test_between_two_purchases_too_little_is_asked_for_to_buy_more(branch: Plan) -> None:
    asked: dict[tuple[str, str], int] = defaultdict(int)
    for _, agenda in sorted(branch.days.items()):
        for asks in agenda.asked.values():
            for ask in asks:
                key = (ask.item_id, ask.store)
                asked[key] += ask.quantity
                if ask.limits.max_stock and ask.line is None:
                    assert asked[key] < ask.limits.max_stock - ask.limits.reorder_point
                if ask.line is not None:
                    assert asked[key] == ask.line.quantity
                    asked[key] = 0


@pytest.mark.parametrize("family", ["MATERIAL ELETRICO", "SERVIÇOS TOMADOS"])
def test_lead_times_grow_with_their_share(family: str) -> None:
    its = master_data.families()[family]
    found = [purchasing.lead_days(its, n / 1000) for n in range(1001)]
    assert found == sorted(found)
    assert found[500] == round(its.lead_median)
    assert sum(days < 0 for days in found) / 1001 == pytest.approx(its.regularised_share, abs=0.005)
    assert found[-1] <= purchasing.LONGEST_LEAD
