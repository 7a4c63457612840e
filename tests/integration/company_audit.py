"""What a company does to its ERP, as triggers of the database itself see it."""

from __future__ import annotations

from lakehouse.settings import Settings
from tests.integration.living import TABLES, query

BALANCE = """
create function balance() returns trigger language plpgsql as $$
declare
    key record := coalesce(new, old);
    booked numeric := coalesce((select sum(quantity) from stock_movements m
        where (m.item_id, m.tower_id) = (key.item_id, key.tower_id)), 0);
    shelf numeric := coalesce((select current_stock from inventory v
        where (v.item_id, v.tower_id) = (key.item_id, key.tower_id)), 0);
begin
    if booked <> shelf then
        raise exception 'stock of % at % is %, its movements %',
            key.item_id, key.tower_id, shelf, booked;
    end if;
    return null;
end $$;
create index on stock_movements (item_id, tower_id);
create constraint trigger balance after insert or update or delete on stock_movements
    deferrable initially deferred for each row execute function balance();
create constraint trigger balance after insert or update or delete on inventory
    deferrable initially deferred for each row execute function balance();
"""
"""Refuses a commit after which the stock of an item is not what its movements say."""
_AUDIT = """
create table audit (
    n bigserial, xid bigint default txid_current(), "table" text, op text, old jsonb, new jsonb
);
create function audit() returns trigger language plpgsql as $$
begin
    insert into audit ("table", op, old, new) values (tg_table_name, tg_op, to_jsonb(old),
        to_jsonb(new));
    return null;
end $$;
"""
_AUDITED = """
create trigger audit after insert or update or delete on {table}
for each row execute function audit()
"""
SEEN = {
    "updates of every table": """
        select count(distinct "table") = 13 from audit where op = 'UPDATE'""",
    "new rows in every table but those of the parties": """
        select count(distinct "table") = 11 from audit where op = 'INSERT'""",
    "deletes in each table that is ever corrected by one": """
        select array_agg(distinct "table" order by "table") = array['inventory', 'item_suppliers',
        'items', 'orders', 'stock_movements', 'tower_contracts', 'towers']
        from audit where op = 'DELETE'""",
    "a change that changes nothing": "select count(*) > 0 from audit where old = new",
    "a transfer in one transaction": """
        select count(*) > 0 and bool_and(two) from (
            select count(*) % 2 = 0 and sum((new ->> 'quantity')::numeric) = 0 as two from audit
            where op = 'INSERT' and new ->> 'movement_type' = 'transfer' group by xid) t""",
    "every type of movement": """
        select count(distinct new ->> 'movement_type') = 5 from audit where op = 'INSERT'""",
    "a new price, a new name and a new store": """
        select bool_or(old ->> 'unit_cost_brl' <> new ->> 'unit_cost_brl')
        and bool_or(old ->> 'tower_name' <> new ->> 'tower_name')
        and bool_or(old ->> 'served_by_tower_id' <> new ->> 'served_by_tower_id')
        from audit where op = 'UPDATE'""",
    "a site deleted and typed in again in one transaction": """
        select count(*) > 0 from audit d join audit i using (xid, "table")
        where d."table" = 'towers' and d.op = 'DELETE' and i.op = 'INSERT' and i.n > d.n
        and d.old ->> 'tower_id' = i.new ->> 'tower_id'""",
    "an item deleted, and back in a later transaction": """
        select count(*) > 0 from audit d join audit i using ("table")
        where d."table" = 'items' and d.op = 'DELETE' and i.op = 'INSERT' and i.xid > d.xid
        and d.old ->> 'item_id' = i.new ->> 'item_id'""",
    "a row changed three times in one transaction": """
        select max(changes) >= 3 from (select count(*) as changes from audit
        where "table" = 'items' and op = 'UPDATE' group by xid, new ->> 'item_id') t""",
    "an old movement corrected and its stock in the same transaction": """
        select count(*) > 0 from audit m join audit v using (xid)
        where m."table" = 'stock_movements' and m.op = 'UPDATE' and v."table" = 'inventory'
        and (m.new ->> 'quantity')::numeric - (m.old ->> 'quantity')::numeric
        = (v.new ->> 'current_stock')::numeric - (v.old ->> 'current_stock')::numeric
        and (m.new ->> 'updated_at')::timestamptz - (m.new ->> 'created_at')::timestamptz
        > interval '1 day'""",
    "a movement booked days after it took place": """
        select count(*) > 0 from audit where "table" = 'stock_movements'
        and (new ->> 'created_at')::timestamptz - (new ->> 'moved_at')::timestamptz
        > interval '1 day'""",
    "a long text left as it is by a later update, out of the row": """
        select count(*) > 0 from audit join items i on i.item_id = new ->> 'item_id'
        where old ->> 'description' = new ->> 'description' and old <> new
        and pg_column_toast_chunk_id(i.description) is not null""",
    "an item's code changed, and its long text left as it is": """
        select count(*) > 0 from audit where "table" = 'items' and op = 'UPDATE'
        and old ->> 'item_id' <> new ->> 'item_id'
        and length(new ->> 'description') > 9000""",
    "a key that is changed in a table of pairs": """
        select count(*) > 0 from audit where "table" = 'tower_contracts' and op = 'UPDATE'
        and old ->> 'contract_id' <> new ->> 'contract_id'""",
    "a purchase that gets its requisition later": """
        select count(*) > 0 from audit where "table" = 'orders' and op = 'UPDATE'
        and old ->> 'requested_date' is null and (new ->> 'requested_date')::date
        > (new ->> 'ordered_date')::date""",
    "notes that are null, empty and neither": """
        select count(distinct coalesce(nullif(new ->> 'note', 'urgente'), 'null')) >= 3
        and bool_or(new ->> 'note' = '') and bool_or(new ->> 'note' is null)
        from audit where "table" = 'stock_movements' and op = 'INSERT'""",
    "a row never made before the one before it": """
        select count(*) = 0 from (select (new ->> 'created_at')::timestamptz
        < lag((new ->> 'created_at')::timestamptz) over (order by n) as back
        from audit where op = 'INSERT') t where back""",
}
"""What has to be true of the changes of seventy days."""


def write_down_every_change(erp: Settings) -> None:
    """From now on the table `audit` has each changed row, as it was and as it is."""
    query(erp, _AUDIT + ";".join(_AUDITED.format(table=table) for table in TABLES))
