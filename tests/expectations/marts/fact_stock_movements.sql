-- good
create table fact_stock_movements (
    stock_movement_key varchar, stock_movement_id bigint, item_key varchar, tower_key varchar,
    item_id varchar, movement_type varchar, quantity decimal(14, 3), unit_cost_brl decimal(12, 2),
    moved_at timestamptz, moved_date date, note varchar
);
insert into fact_stock_movements values
('m1', 1, 'a1', 't1', '010825', 'receipt', 10.500, 12.34, '2024-10-01 12:00:00.000001+00', '2024-10-01', ''),
('m2', 2, 'a1', 't1', '010825', 'issue', -0.125, 12.34, '2024-10-02 02:59:59+00', '2024-10-01', null),
('m3', 3, 'b1', 't2', '0148', 'transfer', 3, 1000000, '2024-10-02 03:00:00+00', '2024-10-02', 'urgente'),
('m4', 4, 'a2', 't2', '010825', 'adjustment', -1, 0, '2024-10-02 15:00:00+00', '2024-10-02', null),
('m5', 9007199254740993, 'c1', 't2', '0200', 'return', 1, 7.00, '2024-10-02 15:00:01+00', '2024-10-02', '');
-- bad_no_movement: expect_table_row_count_to_be_between of fact_stock_movements
delete from fact_stock_movements;
-- bad_a_history_built_twice: expect_table_row_count_to_be_between of fact_stock_movements (drift)
insert into fact_stock_movements
select 'x' || n, 100 + n, 'a1', 't1', '010825', 'receipt', 1, 200000, '2024-10-01', '2024-10-01', null
from generate_series(1, 2000) as s (n);
-- bad_a_negative_cost: expect_column_values_to_be_between of fact_stock_movements.unit_cost_brl
update fact_stock_movements set unit_cost_brl = -0.01 where stock_movement_id = 3;
-- bad_costs_in_centavos: expect_column_mean_to_be_between of fact_stock_movements.unit_cost_brl (drift)
update fact_stock_movements set unit_cost_brl = unit_cost_brl / 100;
-- bad_many_new_items: expect_column_unique_value_count_to_be_between of fact_stock_movements.item_id (drift)
insert into fact_stock_movements
select 'x' || n, 100 + n, 'a1', 't1', 'x' || n, 'receipt', 1, 200000, '2024-10-01', '2024-10-01', null
from generate_series(1, 200) as s (n);
