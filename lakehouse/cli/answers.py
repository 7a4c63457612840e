"""What a planner asks first, answered from the marts that are served."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lakehouse import ops
from lakehouse.settings import Settings


@dataclass(frozen=True)
class Question:
    """A question, the mart that answers it, and how a row of the answer reads."""

    title: str
    mart: str
    query: str
    line: str


QUESTIONS: Mapping[str, Question] = {
    "reorders": Question(
        "Order first ({all:,} orders are due)",
        "rpt_reorder_recommendations",
        """
        select item_id, item_name, store_tower_id, recommended_quantity, unit, supplier_name,
            reason, count(*) over () as all
        from marts.rpt_reorder_recommendations
        where is_order_recommended order by urgency_rank limit 10
        """,
        "{item_id} {item_name}, for {store_tower_id}\n      {reason}",
    ),
    "stock_outs": Question(
        "Out of stock ({all:,} items where they are kept)",
        "rpt_stock_position",
        """
        select position.item_id, item_name, position.tower_id, unit, unmet_quantity,
            on_order_quantity, last_moved_date, count(*) over () as all
        from marts.rpt_stock_position as position
        join marts.dim_items using (item_key)
        where is_stocked_out
        order by unmet_quantity desc, on_order_quantity, position.item_id, position.tower_id
        limit 5
        """,
        "{item_id} {item_name}, at {tower_id}: {unmet_quantity} {unit} waited for,"
        " {on_order_quantity} on order, last moved {last_moved_date}",
    ),
    "late_suppliers": Question(
        "Least often on time (of {all:,} suppliers with ten deliveries promised)",
        "rpt_supplier_performance",
        """
        select supplier_id, supplier_name, on_time_count, promised_count, overdue_count,
            round(lead_time_days_mean) as lead_time_days, count(*) over () as all
        from marts.rpt_supplier_performance
        where promised_count >= 10
        order by on_time_rate, promised_count desc, supplier_id limit 5
        """,
        "{supplier_id} {supplier_name}: {on_time_count} of {promised_count} on time,"
        " {lead_time_days} days on average, {overdue_count} overdue now",
    ),
}


def answers(settings: Settings) -> dict[str, list[dict[str, Any]]]:
    """The answer to each question whose mart is served, all of one version."""
    found: dict[str, list[dict[str, Any]]] = {}
    with ops.warehouse(settings) as connection, connection.cursor() as cursor:
        cursor.execute("set transaction isolation level repeatable read, read only")
        for name, question in QUESTIONS.items():
            cursor.execute("select to_regclass(%s) is not null", (f"marts.{question.mart}",))
            if cursor.fetchone() == (True,):
                cursor.execute(question.query)
                columns = [column.name for column in cursor.description or ()]
                found[name] = [dict(zip(columns, row, strict=True)) for row in cursor]
    return found


def answers_text(found: Mapping[str, list[dict[str, Any]]]) -> Iterator[str]:
    """Each question with its answer; nothing found is an answer, too."""
    for name, rows in found.items():
        question = QUESTIONS[name]
        yield ""
        yield question.title.format(all=rows[0]["all"] if rows else 0)
        for number, row in enumerate(rows, start=1):
            plain = {column: _plain(value) for column, value in row.items()}
            yield f"  {number:>2}  {question.line.format(**plain)}"
        if not rows:
            yield "      nothing"


def _plain(value: Any) -> Any:
    """A number without the zeros that its type adds."""
    if isinstance(value, Decimal):
        text = f"{value:,f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return "unknown" if value is None else value
