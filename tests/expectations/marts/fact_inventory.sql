-- good
create table fact_inventory (
    inventory_key varchar, item_id varchar, tower_id varchar, inventory_date date,
    quantity_on_hand decimal(18, 3), stock_value_brl decimal(28, 5), is_stocked_out boolean
);
insert into fact_inventory values
('v1', '010825', 'BAFRD017', '2024-09-30', 0, 0, true),
('v2', '010825', 'BAFRD017', '2024-10-02', 10.375, 128.0275, false);
-- bad_less_than_nothing: expect_column_values_to_be_between of fact_inventory.quantity_on_hand
update fact_inventory set quantity_on_hand = -0.001 where inventory_key = 'v2';
