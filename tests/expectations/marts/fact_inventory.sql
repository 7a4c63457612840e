-- good
create table fact_inventory (
    inventory_key varchar, item_id varchar, tower_id varchar, inventory_date date,
    quantity_on_hand decimal(18, 3), stock_value_brl decimal(28, 5), is_stocked_out boolean
);
insert into fact_inventory values
('v1', '010825', 'BAFRD017', '2024-09-30', 0, 0, true),
('v2', '010825', 'BAFRD017', '2024-10-02', 10.375, 2000, false);
-- bad_no_day: expect_table_row_count_to_be_between of fact_inventory
delete from fact_inventory;
-- bad_a_store_twice: expect_table_row_count_to_be_between of fact_inventory (drift)
insert into fact_inventory
select 'x' || n, '0200', 'T' || n, '2024-10-02', 1, 1000, false
from generate_series(1, 110000) as s (n);
-- bad_less_than_nothing: expect_column_values_to_be_between of fact_inventory.quantity_on_hand
update fact_inventory set quantity_on_hand = -0.001 where inventory_key = 'v2';
-- bad_values_in_centavos: expect_column_mean_to_be_between of fact_inventory.stock_value_brl (drift)
update fact_inventory set stock_value_brl = 200000 where inventory_key = 'v2';
-- bad_no_newest_day: expect_column_max_to_be_between of fact_inventory.inventory_date
delete from fact_inventory where inventory_key = 'v2';
