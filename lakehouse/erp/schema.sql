-- The ERP: what the demo company keeps its parts, towers and stock in. Run once, by `company.create`.

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

create table public.towers (
    tower_id text primary key check (tower_id <> ''),
    tower_name text not null,
    tower_type text not null
    check (tower_type in ('macro', 'rooftop', 'small_cell', 'depot', 'office')),
    state text not null check (length(state) = 2),
    municipality text not null,
    latitude numeric(9, 6) not null check (latitude between -90 and 90),
    longitude numeric(9, 6) not null check (longitude between -180 and 180),
    served_by_tower_id text references public.towers (tower_id),
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

create table public.inventory (
    item_id text not null references public.items (item_id),
    tower_id text not null references public.towers (tower_id),
    current_stock numeric(14, 3) not null check (current_stock >= 0),
    min_stock numeric(14, 3) not null check (min_stock >= 0),
    max_stock numeric(14, 3) not null check (max_stock >= min_stock),
    reorder_point numeric(14, 3) not null check (reorder_point >= 0),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (item_id, tower_id)
);
comment on table public.inventory is
'Stock now: one row an item and a store. current_stock is the sum of its movements at every commit.';
comment on column public.inventory.item_id is 'The item in stock.';
comment on column public.inventory.tower_id is 'The store that keeps it.';
comment on column public.inventory.current_stock is 'Quantity on the shelf, in the item''s unit.';
comment on column public.inventory.min_stock is 'Least quantity the planners want to see.';
comment on column public.inventory.max_stock is
'Quantity that a purchase fills up to; 0 for an item being phased out.';
comment on column public.inventory.reorder_point is 'Stock at or below which more is bought.';
comment on column public.inventory.created_at is 'When the row was made, by the ERP''s clock.';
comment on column public.inventory.updated_at is 'When the row was last changed, by the ERP''s clock.';

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
comment on column public.stock_movements.unit_cost_brl is 'Cost of one unit when it moved, in reais.';
comment on column public.stock_movements.moved_at is
'When it moved; it may be booked days later, and corrected later still.';
comment on column public.stock_movements.note is
'Remark; null where nobody was asked, empty where nobody answered.';
comment on column public.stock_movements.created_at is 'When the row was made, by the ERP''s clock.';
comment on column public.stock_movements.updated_at is
'When the row was last changed, by the ERP''s clock.';

-- Whole tables: a column list would hide new columns and forbid replica identity full.
create publication lakehouse for table
public.items, public.towers, public.inventory, public.stock_movements;

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
comment on column demo.state.scale is 'Size of the company; 1 is about forty sites.';
comment on column demo.state.day is 'Business day that is being lived, or comes next.';
comment on column demo.state.step is 'Transactions of that day that are already committed.';
comment on column demo.state.until is 'Business day that the current `advance` stops before.';
comment on column demo.state.last_movement_id is 'Greatest movement number given so far.';
