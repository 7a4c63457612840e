-- The ERP: what the company buys, keeps, maintains and owes. Run once, by `company.create`.
-- References to codes that people retype are checked at commit, and follow a changed code.

create table public.suppliers (
    supplier_id text primary key check (supplier_id <> ''),
    supplier_name text not null,
    tax_id text,
    country text not null check (length(country) = 2),
    state text check (length(state) = 2),
    is_active boolean not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
comment on table public.suppliers is 'Companies that Nova Corrente buys from: one row a supplier.';
comment on column public.suppliers.supplier_id is
'Supplier code. Text: leading zeros count (000417).';
comment on column public.suppliers.supplier_name is 'Name as the buyers write it.';
comment on column public.suppliers.tax_id is
'Brazilian company number (CNPJ); null for a supplier abroad.';
comment on column public.suppliers.country is
'Country, two letters; prices from abroad follow the dollar.';
comment on column public.suppliers.state is 'Federative unit, two letters; null abroad.';
comment on column public.suppliers.is_active is
'False once nothing is to be bought there any more.';
comment on column public.suppliers.created_at is 'When the row was made, by the ERP''s clock.';
comment on column public.suppliers.updated_at is
'When the row was last changed, by the ERP''s clock.';

create table public.items (
    item_id text primary key check (item_id <> ''),
    item_name text not null,
    family text not null,
    unit text not null,
    unit_cost_brl numeric(12, 2) not null check (unit_cost_brl >= 0),
    criticality text not null check (criticality in ('A', 'B', 'C')),
    is_service boolean not null,
    description text,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
comment on table public.items is 'Materials and services that Nova Corrente buys: one row an item.';
comment on column public.items.item_id is 'Product code. Text: leading zeros count (010825).';
comment on column public.items.item_name is 'Name as the buyers write it.';
comment on column public.items.family is 'Material family, such as MATERIAL ELETRICO or EPI.';
comment on column public.items.unit is
'Unit that stock and purchases are counted in; one unit may be spelled two ways (M3, M³).';
comment on column public.items.unit_cost_brl is 'Current cost of one unit, in reais.';
comment on column public.items.criticality is
'A: a tower stops without it; B: work waits for it; C: the rest.';
comment on column public.items.is_service is 'True for services, which are never kept in stock.';
comment on column public.items.description is 'Data sheet; may be very long, is often missing.';
comment on column public.items.created_at is 'When the row was made, by the ERP''s clock.';
comment on column public.items.updated_at is 'When the row was last changed, by the ERP''s clock.';

create table public.item_suppliers (
    item_supplier_id bigint primary key,
    item_id text not null
    references public.items (item_id) on update cascade deferrable initially deferred,
    supplier_id text not null references public.suppliers (supplier_id),
    unit_price_brl numeric(12, 2) not null check (unit_price_brl >= 0),
    min_order_quantity numeric(14, 3) not null check (min_order_quantity > 0),
    order_multiple numeric(14, 3) not null check (order_multiple > 0),
    lead_time_days integer not null check (lead_time_days >= 0),
    valid_from date not null,
    valid_to date check (valid_to >= valid_from),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (item_id, supplier_id, valid_from)
);
comment on table public.item_suppliers is
'Terms of an item at a supplier: one row an item, a supplier and a period of validity.';
comment on column public.item_suppliers.item_supplier_id is 'Number of the terms.';
comment on column public.item_suppliers.item_id is 'The item that is offered.';
comment on column public.item_suppliers.supplier_id is 'The supplier that offers it.';
comment on column public.item_suppliers.unit_price_brl is 'Price of one unit, in reais.';
comment on column public.item_suppliers.min_order_quantity is
'Least quantity that is sold, in the item''s unit.';
comment on column public.item_suppliers.order_multiple is
'Quantities are sold in multiples of this, in the item''s unit.';
comment on column public.item_suppliers.lead_time_days is
'Calendar days from order to delivery, as promised.';
comment on column public.item_suppliers.valid_from is 'First day of these terms.';
comment on column public.item_suppliers.valid_to is
'Last day of these terms; null while they hold.';
comment on column public.item_suppliers.created_at is 'When the row was made, by the ERP''s clock.';
comment on column public.item_suppliers.updated_at is
'When the row was last changed, by the ERP''s clock.';

create table public.towers (
    tower_id text primary key check (tower_id <> ''),
    tower_name text not null,
    tower_type text not null
    check (tower_type in ('macro', 'rooftop', 'small_cell', 'depot', 'office')),
    state text not null check (length(state) = 2),
    municipality text not null,
    latitude numeric(9, 6) not null check (latitude between -90 and 90),
    longitude numeric(9, 6) not null check (longitude between -180 and 180),
    served_by_tower_id text
    references public.towers (tower_id) on update cascade deferrable initially deferred,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
comment on table public.towers is
'Sites that Nova Corrente maintains, and the depots and offices that serve them: one row a site.';
comment on column public.towers.tower_id is 'Site code, such as BAFRD017.';
comment on column public.towers.tower_name is 'Name of the site; it may be renamed.';
comment on column public.towers.tower_type is 'Macro, rooftop, small_cell, depot or office.';
comment on column public.towers.state is 'Federative unit, two letters.';
comment on column public.towers.municipality is 'Municipality the site stands in.';
comment on column public.towers.latitude is 'Degrees north, WGS 84.';
comment on column public.towers.longitude is 'Degrees east, WGS 84.';
comment on column public.towers.served_by_tower_id is
'The store that serves this site; null for a store itself.';
comment on column public.towers.created_at is 'When the row was made, by the ERP''s clock.';
comment on column public.towers.updated_at is 'When the row was last changed, by the ERP''s clock.';

create table public.contracts (
    contract_id text primary key check (contract_id <> ''),
    client_name text not null,
    service_type text not null
    check (service_type in ('preventiva', 'corretiva', 'obras civis')),
    sla_tier text not null check (sla_tier in ('gold', 'silver', 'bronze')),
    availability_target numeric(5, 2) not null check (availability_target between 0 and 100),
    monthly_value_brl numeric(12, 2) not null check (monthly_value_brl >= 0),
    penalty_pct numeric(5, 2) not null check (penalty_pct between 0 and 100),
    created_at timestamptz not null,
    updated_at timestamptz not null
);
comment on table public.contracts is 'What clients have Nova Corrente do: one row a contract.';
comment on column public.contracts.contract_id is 'Contract code, such as NC01.';
comment on column public.contracts.client_name is 'The client, such as ATC or Highline.';
comment on column public.contracts.service_type is
'The work it is about: preventiva, corretiva or obras civis.';
comment on column public.contracts.sla_tier is
'How soon faults must be mended: gold, silver or bronze.';
comment on column public.contracts.availability_target is
'Share of the month that a site must be up, in percent.';
comment on column public.contracts.monthly_value_brl is 'What the client pays a month, in reais.';
comment on column public.contracts.penalty_pct is
'Share of the monthly value that a missed target costs, in percent.';
comment on column public.contracts.created_at is 'When the row was made, by the ERP''s clock.';
comment on column public.contracts.updated_at is
'When the row was last changed, by the ERP''s clock.';

create table public.tower_contracts (
    tower_id text not null
    references public.towers (tower_id) on update cascade deferrable initially deferred,
    contract_id text not null references public.contracts (contract_id),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tower_id, contract_id)
);
comment on table public.tower_contracts is
'Which contract covers which site, while the row exists: one row a site and a contract.';
comment on column public.tower_contracts.tower_id is 'The site that is covered.';
comment on column public.tower_contracts.contract_id is 'The contract that covers it.';
comment on column public.tower_contracts.created_at is
'When the row was made, by the ERP''s clock.';
comment on column public.tower_contracts.updated_at is
'When the row was last changed, by the ERP''s clock.';

create table public.inventory (
    item_id text not null
    references public.items (item_id) on update cascade deferrable initially deferred,
    tower_id text not null
    references public.towers (tower_id) on update cascade deferrable initially deferred,
    current_stock numeric(14, 3) not null check (current_stock >= 0),
    min_stock numeric(14, 3) not null check (min_stock >= 0),
    max_stock numeric(14, 3) not null check (max_stock >= min_stock),
    reorder_point numeric(14, 3) not null check (reorder_point >= 0),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (item_id, tower_id)
);
comment on table public.inventory is
'Stock now: one row an item and a store. current_stock is the sum of its movements at '
'every commit.';
comment on column public.inventory.item_id is 'The item in stock.';
comment on column public.inventory.tower_id is
'The store that keeps it, or the site that it was bought for.';
comment on column public.inventory.current_stock is 'Quantity on the shelf, in the item''s unit.';
comment on column public.inventory.min_stock is 'Least quantity the planners want to see.';
comment on column public.inventory.max_stock is
'Quantity that a purchase fills up to; 0 where nothing is to be kept.';
comment on column public.inventory.reorder_point is
'Position (stock, plus on order, less unmet) at or below which more is bought.';
comment on column public.inventory.created_at is 'When the row was made, by the ERP''s clock.';
comment on column public.inventory.updated_at is
'When the row was last changed, by the ERP''s clock.';

-- No foreign keys: what happened stays on record when the item or the site is gone.
create table public.stock_movements (
    stock_movement_id bigint primary key,
    item_id text not null check (item_id <> ''),
    tower_id text not null check (tower_id <> ''),
    movement_type text not null
    check (movement_type in ('issue', 'receipt', 'transfer', 'adjustment', 'return')),
    quantity numeric(14, 3) not null check (quantity <> 0),
    unit_cost_brl numeric(12, 2) not null check (unit_cost_brl >= 0),
    moved_at timestamptz not null,
    note text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    check (movement_type <> 'issue' or quantity < 0),
    check (movement_type not in ('receipt', 'return') or quantity > 0)
);
comment on table public.stock_movements is
'Whatever changed a stock: one row a movement of an item at a store; a transfer has two.';
comment on column public.stock_movements.stock_movement_id is 'Number of the movement.';
comment on column public.stock_movements.item_id is 'The item that moved.';
comment on column public.stock_movements.tower_id is 'The store whose stock changed.';
comment on column public.stock_movements.movement_type is
'issue, receipt, transfer (one row at each end), adjustment or return.';
comment on column public.stock_movements.quantity is
'Signed change of the stock, in the item''s unit: an issue is negative.';
comment on column public.stock_movements.unit_cost_brl is
'Cost of one unit when it moved, in reais.';
comment on column public.stock_movements.moved_at is
'When it moved; it may be booked days later, and corrected later still.';
comment on column public.stock_movements.note is
'Remark; null where nobody was asked, empty where nobody answered.';
comment on column public.stock_movements.created_at is
'When the row was made, by the ERP''s clock.';
comment on column public.stock_movements.updated_at is
'When the row was last changed, by the ERP''s clock.';

create table public.orders (
    order_id bigint primary key,
    requisition_id text check (requisition_id <> ''),
    item_id text not null
    references public.items (item_id) on update cascade deferrable initially deferred,
    supplier_id text not null references public.suppliers (supplier_id),
    tower_id text
    references public.towers (tower_id) on update cascade deferrable initially deferred,
    contract_id text references public.contracts (contract_id),
    quantity numeric(14, 3) not null check (quantity > 0),
    unit_price_brl numeric(12, 2) not null check (unit_price_brl >= 0),
    requested_date date,
    needed_date date,
    ordered_date date,
    expected_date date,
    order_status text not null
    check (order_status in ('open', 'partial', 'received', 'cancelled')),
    created_at timestamptz not null,
    updated_at timestamptz not null
);
comment on table public.orders is
'What was bought: one row an order line, entered on the day of the purchase.';
comment on column public.orders.order_id is 'Number of the order line; a line typed twice has two.';
comment on column public.orders.requisition_id is
'Requisition that asked for it, with others; null where nobody wrote one.';
comment on column public.orders.item_id is 'The item or service that was bought.';
comment on column public.orders.supplier_id is 'The supplier that it was bought from.';
comment on column public.orders.tower_id is 'The store or site that it is for; null for services.';
comment on column public.orders.contract_id is
'The contract whose work needs it; null where it is for none.';
comment on column public.orders.quantity is 'Quantity, in the item''s unit.';
comment on column public.orders.unit_price_brl is 'Price of one unit, in reais.';
comment on column public.orders.requested_date is
'Day of the requisition; after the purchase where that was regularised later.';
comment on column public.orders.needed_date is
'Day it is needed by; mostly empty, and typed by hand.';
comment on column public.orders.ordered_date is 'Day of the purchase; null where nobody typed it.';
comment on column public.orders.expected_date is
'Day the supplier promised; null where there is no promise.';
comment on column public.orders.order_status is 'open, partial, received or cancelled.';
comment on column public.orders.created_at is 'When the row was made, by the ERP''s clock.';
comment on column public.orders.updated_at is 'When the row was last changed, by the ERP''s clock.';

create table public.goods_receipts (
    goods_receipt_id bigint primary key,
    order_id bigint not null references public.orders (order_id),
    quantity numeric(14, 3) not null check (quantity > 0),
    received_at timestamptz not null,
    invoice_number text not null,
    stock_movement_id bigint,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
comment on table public.goods_receipts is
'What suppliers delivered: one row a delivery of an order line, which may be partial.';
comment on column public.goods_receipts.goods_receipt_id is 'Number of the receipt.';
comment on column public.goods_receipts.order_id is 'The order line that was delivered.';
comment on column public.goods_receipts.quantity is 'Quantity that came, in the item''s unit.';
comment on column public.goods_receipts.received_at is 'When it came.';
comment on column public.goods_receipts.invoice_number is
'Number of the supplier''s invoice. Text: leading zeros count.';
comment on column public.goods_receipts.stock_movement_id is
'The movement that put it into stock; null for services.';
comment on column public.goods_receipts.created_at is 'When the row was made, by the ERP''s clock.';
comment on column public.goods_receipts.updated_at is
'When the row was last changed, by the ERP''s clock.';

create table public.work_orders (
    work_order_id bigint primary key,
    tower_id text not null
    references public.towers (tower_id) on update cascade deferrable initially deferred,
    contract_id text references public.contracts (contract_id),
    work_type text not null check (work_type in ('preventive', 'corrective', 'civil')),
    discipline text not null
    check (discipline in ('structural', 'electrical', 'cooling', 'signalling', 'access')),
    opened_at timestamptz not null,
    closed_at timestamptz check (closed_at >= opened_at),
    sla_hours integer not null check (sla_hours > 0),
    report text,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
comment on table public.work_orders is 'Work at a site: one row a work order.';
comment on column public.work_orders.work_order_id is 'Number of the work order.';
comment on column public.work_orders.tower_id is 'The site that is worked at.';
comment on column public.work_orders.contract_id is
'The contract under which it is done; null at sites of our own.';
comment on column public.work_orders.work_type is 'preventive, corrective or civil.';
comment on column public.work_orders.discipline is
'structural, electrical, cooling, signalling or access.';
comment on column public.work_orders.opened_at is 'When it was opened.';
comment on column public.work_orders.closed_at is 'When it was done; null while it is open.';
comment on column public.work_orders.sla_hours is
'Hours from opening to close that the contract allows.';
comment on column public.work_orders.report is 'What the team wrote about it; may be very long.';
comment on column public.work_orders.created_at is 'When the row was made, by the ERP''s clock.';
comment on column public.work_orders.updated_at is
'When the row was last changed, by the ERP''s clock.';

create table public.material_requests (
    material_request_id bigint primary key,
    work_order_id bigint not null references public.work_orders (work_order_id),
    item_id text not null
    references public.items (item_id) on update cascade deferrable initially deferred,
    store_tower_id text not null
    references public.towers (tower_id) on update cascade deferrable initially deferred,
    requested_quantity numeric(14, 3) not null check (requested_quantity > 0),
    issued_quantity numeric(14, 3) not null
    check (issued_quantity between 0 and requested_quantity),
    requested_at timestamptz not null,
    needed_at timestamptz not null,
    issued_at timestamptz,
    request_status text not null check (request_status in ('waiting', 'issued', 'cancelled')),
    created_at timestamptz not null,
    updated_at timestamptz not null
);
comment on table public.material_requests is
'Parts that a work order asks its store for: one row a work order, an item and a time of asking.';
comment on column public.material_requests.material_request_id is 'Number of the request.';
comment on column public.material_requests.work_order_id is 'The work order that needs the parts.';
comment on column public.material_requests.item_id is 'The item that is asked for.';
comment on column public.material_requests.store_tower_id is
'The store that is asked; the site itself for what is bought for it.';
comment on column public.material_requests.requested_quantity is
'Quantity that was asked for, in the item''s unit.';
comment on column public.material_requests.issued_quantity is
'Quantity that was issued so far; less than asked for is unmet demand.';
comment on column public.material_requests.requested_at is 'When it was asked for.';
comment on column public.material_requests.needed_at is 'When the team needs it.';
comment on column public.material_requests.issued_at is
'When the last of it was issued; null until all is.';
comment on column public.material_requests.request_status is
'waiting, issued or cancelled (the rest was never issued).';
comment on column public.material_requests.created_at is
'When the row was made, by the ERP''s clock.';
comment on column public.material_requests.updated_at is
'When the row was last changed, by the ERP''s clock.';

create table public.outages (
    outage_id bigint primary key,
    tower_id text not null
    references public.towers (tower_id) on update cascade deferrable initially deferred,
    work_order_id bigint references public.work_orders (work_order_id),
    started_at timestamptz not null,
    ended_at timestamptz check (ended_at >= started_at),
    cause text not null check (cause in ('power', 'cooling', 'signalling', 'structure')),
    created_at timestamptz not null,
    updated_at timestamptz not null
);
comment on table public.outages is 'Times when a site was down: one row an outage.';
comment on column public.outages.outage_id is 'Number of the outage.';
comment on column public.outages.tower_id is 'The site that was down.';
comment on column public.outages.work_order_id is 'The corrective work order that ends it.';
comment on column public.outages.started_at is 'When the site went down.';
comment on column public.outages.ended_at is 'When it was up again; null while it is down.';
comment on column public.outages.cause is 'What failed: power, cooling, signalling or structure.';
comment on column public.outages.created_at is 'When the row was made, by the ERP''s clock.';
comment on column public.outages.updated_at is
'When the row was last changed, by the ERP''s clock.';

-- Whole tables: a column list would hide new columns and forbid replica identity full.
create publication lakehouse for table
public.suppliers,
public.items,
public.item_suppliers,
public.towers,
public.contracts,
public.tower_contracts,
public.inventory,
public.stock_movements,
public.orders,
public.goods_receipts,
public.work_orders,
public.material_requests,
public.outages;

-- Who reads the change log: may replicate and read these tables, and cannot log in until somebody
-- runs `alter role lakehouse_reader login password '…'`. Roles belong to the whole server, and only
-- some owners of a database may make one: then an administrator runs these lines.
do $$
begin
    create role lakehouse_reader with replication nologin;
exception
    when duplicate_object then null;
    when insufficient_privilege then
        raise warning 'role lakehouse_reader was not made: %', sqlerrm;
end $$;
do $$
begin
    if to_regrole('lakehouse_reader') is not null then
        execute format('grant connect on database %I to lakehouse_reader', current_database());
        grant usage on schema public to lakehouse_reader;
        grant select on all tables in schema public to lakehouse_reader;
    end if;
end $$;

-- The simulator's own memory, committed with what it remembers, and never published.
create schema demo;
create table demo.state (
    is_only_row boolean primary key default true check (is_only_row),
    seed bigint not null,
    scale double precision not null,
    day date not null,
    step integer not null,
    until date not null,
    last_movement_id bigint not null
);
comment on table demo.state is 'How far the demo company has lived: exactly one row.';
comment on column demo.state.seed is 'Seed that everything random is derived from.';
comment on column demo.state.scale is 'Size of the company; 1 is 267 sites.';
comment on column demo.state.day is 'Business day that is being lived, or comes next.';
comment on column demo.state.step is 'Transactions of that day that are already committed.';
comment on column demo.state.until is 'Business day that the current `advance` stops before.';
comment on column demo.state.last_movement_id is 'Greatest movement number given so far.';

create table demo.requisition_lines (
    order_id bigint primary key,
    item_id text not null,
    tower_id text not null,
    quantity numeric(14, 3) not null
);
comment on table demo.requisition_lines is
'What the reorder policy has asked for and nobody has bought yet: one row a coming order line.';

-- What was true when: every change, written down by triggers, by whomever it was made.
create table demo.history (
    change_id bigint generated always as identity,
    table_name text not null,
    key text,
    row_then jsonb
);
comment on table demo.history is
'Every change of every published table, in order: one row a change of one row.';
comment on column demo.history.change_id is 'Grows with time.';
comment on column demo.history.key is 'The row''s primary key; null for a TRUNCATE.';
comment on column demo.history.row_then is 'The row from then on; null from then on without it.';

create table demo.days (
    day date primary key,
    lsn pg_lsn not null,
    last_change_id bigint not null
);
comment on table demo.days is 'Where the change log and the history stood at the end of each day.';
comment on column demo.days.day is 'The business day; the day before the first is the opening.';
comment on column demo.days.lsn is 'Every commit of that day and before, and none after, is before it.';
comment on column demo.days.last_change_id is 'The last change of that day or before.';

create function demo.write_truncate() returns trigger language plpgsql as $$
begin
    insert into demo.history (table_name, key, row_then) values (tg_table_name, null, null);
    return null;
end $$;

do $body$
declare
    published record;
begin
    for published in
        select c.relname as name,
            string_agg(format('old.%I', a.attname), ', ' order by a.attnum) as old_key,
            string_agg(format('new.%I', a.attname), ', ' order by a.attnum) as new_key
        from pg_publication_tables as p
        inner join pg_class as c on c.oid = format('%I.%I', p.schemaname, p.tablename)::regclass
        inner join pg_index as i on i.indrelid = c.oid and i.indisprimary
        inner join pg_attribute as a on a.attrelid = c.oid and a.attnum = any(i.indkey)
        where p.pubname = 'lakehouse'
        group by c.relname
    loop
        execute format($function$
            create function demo.write_%1$s() returns trigger language plpgsql as $$
            begin
                if tg_op = 'DELETE' or tg_op = 'UPDATE' and (%2$s) is distinct from (%3$s) then
                    insert into demo.history (table_name, key, row_then)
                    values (%4$L, concat_ws('|', %5$s), null);
                end if;
                if tg_op <> 'DELETE' then
                    insert into demo.history (table_name, key, row_then)
                    values (%4$L, concat_ws('|', %6$s), to_jsonb(new));
                end if;
                return null;
            end $$;
            create trigger history after insert or update or delete on public.%1$I
            for each row execute function demo.write_%1$s();
            create trigger history_truncate after truncate on public.%1$I
            for each statement execute function demo.write_truncate();
        $function$, published.name, format('row(%s)', published.old_key),
        format('row(%s)', published.new_key), published.name, published.old_key, published.new_key);
    end loop;
end $body$;
