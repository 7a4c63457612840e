-- Marts that meet every expectation, in SQL that DuckDB and PostgreSQL both speak.
create table dim_items (
    item_key varchar, item_id varchar, item_name varchar, unit_cost_brl decimal(12, 2),
    is_current boolean, valid_from timestamptz, valid_to timestamptz
);
insert into dim_items values
('00000000000000000000000000000000', null, 'No item', null, true, '1900-01-01', null),
('ffffffffffffffffffffffffffffffff', null, 'Not applicable', null, true, '1900-01-01', null),
('a1', '010825', 'Cabo flex 16 mm', 0, false, '1900-01-01', '2024-10-02 10:30:00.123456+00'),
('a2', '010825', 'Cabo flex 16 mm', 12.34, true, '2024-10-02 10:30:00.123456+00', null),
('b1', '0148', 'Talabarte', 1000000, true, '1900-01-01', null),
('c1', '0200', null, null, true, '1900-01-01', null);

create table dim_towers (
    tower_key varchar, tower_id varchar, tower_name varchar, latitude decimal(9, 6),
    is_current boolean, valid_from timestamptz, valid_to timestamptz
);
insert into dim_towers values
('00000000000000000000000000000000', null, 'No tower', null, true, '1900-01-01', null),
('ffffffffffffffffffffffffffffffff', null, 'Not applicable', null, true, '1900-01-01', null),
('t1', 'BAFRD017', 'Feira de Santana', -12.266667, true, '1900-01-01', null),
('t2', 'BR80584-A', 'São João d''El-Rei', -21.135000, true, '1900-01-01', null);

create table fact_stock_movements (
    stock_movement_key varchar, stock_movement_id bigint, item_key varchar, tower_key varchar,
    movement_type varchar, quantity decimal(14, 3), unit_cost_brl decimal(12, 2),
    moved_at timestamptz, moved_date date, note varchar
);
insert into fact_stock_movements values
('m1', 1, 'a1', 't1', 'receipt', 10.500, 12.34, '2024-10-01 12:00:00.000001+00', '2024-10-01', ''),
('m2', 2, 'a1', 't1', 'issue', -0.125, 12.34, '2024-10-02 02:59:59+00', '2024-10-01', null),
('m3', 3, 'b1', 't2', 'transfer', 3, 1000000, '2024-10-02 03:00:00+00', '2024-10-02', 'urgente'),
('m4', 4, 'a2', 't2', 'adjustment', -1, 0, '2024-10-02 15:00:00+00', '2024-10-02', null),
('m5', 9007199254740993, 'c1', 't2', 'return', 1, 7.00, '2024-10-02 15:00:01+00', '2024-10-02', '');

create table rpt_stock_position (
    stock_position_key varchar, item_id varchar, tower_id varchar,
    quantity_on_hand decimal(18, 3), erp_current_stock decimal(14, 3),
    is_below_reorder_point boolean, as_of_date date
);
insert into rpt_stock_position values
('p1', '010825', 'BAFRD017', 10.375, 10.375, false, '2024-10-02'),
('p2', '010825', 'BR80584-A', 0, null, true, '2024-10-02'),
('p3', '0148', 'BR80584-A', 3, 3, true, '2024-10-02');

create table fact_forecasts (
    forecast_id varchar, item_id varchar, tower_id varchar, cutoff_date date, forecast_date date,
    forecasted_demand decimal(18, 6), ci_lower decimal(18, 6), ci_upper decimal(18, 6)
);
insert into fact_forecasts values
('f1', '010825', 'BR80584-A', '2024-10-02', '2024-10-03', 0, 0, 0),
('f2', '010825', null, '2024-10-02', '2024-10-03', 0.125000, 0, 2.5);

create table fact_inventory (
    inventory_key varchar, item_id varchar, tower_id varchar, inventory_date date,
    quantity_on_hand decimal(18, 3), stock_value_brl decimal(28, 5), is_stocked_out boolean
);
insert into fact_inventory values
('v1', '010825', 'BAFRD017', '2024-09-30', 0, 0, true),
('v2', '010825', 'BAFRD017', '2024-10-02', 10.375, 128.0275, false);

create table fact_demand (
    demand_key varchar, item_id varchar, tower_id varchar, store_tower_id varchar,
    demand_date date, requested_quantity decimal(18, 3), waiting_quantity decimal(18, 3)
);
insert into fact_demand values
('d1', '010825', 'BAFRD017', 'BR80584-A', '2024-10-01', 0.125, 0),
('d2', '010825', null, 'BR80584-A', '2024-10-02', 5, 5);

create table dim_suppliers (supplier_key varchar, supplier_id varchar);
insert into dim_suppliers values
('00000000000000000000000000000000', null), ('ffffffffffffffffffffffffffffffff', null),
('s1', '000417');

create table dim_contracts (contract_key varchar, contract_id varchar, penalty_pct decimal(5, 2));
insert into dim_contracts values ('c1', 'NC01', 100), ('c2', 'NC02', 0), ('c3', null, null);

create table dim_time (calendar_date date, calendar_year integer);
insert into dim_time values ('2024-01-01', 2024), ('2025-12-31', 2025);

create table fact_orders (order_key varchar, order_id bigint, unit_price_brl decimal(12, 2));
insert into fact_orders values ('o1', 1, 0), ('o2', 2, 1000000);

create table rpt_supplier_performance (supplier_id varchar, on_time_rate decimal(18, 6));
insert into rpt_supplier_performance values ('a', 0), ('b', 1), ('c', null);

create table fact_forecast_metrics (forecast_id varchar, absolute_error decimal(18, 6));
insert into fact_forecast_metrics values ('f1', 0), ('f2', 2.125000);

create table forecast_accuracy (forecast_accuracy_key varchar, interval_coverage decimal(18, 6));
insert into forecast_accuracy values ('a1', 0), ('a2', 1), ('a3', null);

create table rpt_forecast_value_added (forecast_value_added_key varchar, pair_count bigint);
insert into rpt_forecast_value_added values ('v1', 1), ('v2', 600);

create table fact_work_orders (work_order_id bigint, sla_hours integer);
insert into fact_work_orders values (1, 1), (2, 8760);

create table rpt_sla_performance (contract_id varchar, availability_pct decimal(18, 6));
insert into rpt_sla_performance values ('NC01', 0), ('NC02', 100), ('NC03', null);
