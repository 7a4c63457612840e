-- good
create table fact_orders (
    order_key varchar, order_id bigint, unit_price_brl decimal(12, 2), lead_time_days integer,
    completed_date date
);
insert into fact_orders values
('o1', 1, 0, 365, '2024-10-01'), ('o2', 2, 1000000, null, null), ('o3', 3, 1000, -1, null);
insert into fact_orders
select 'p' || n, 100 + n, 5000, 14, '2024-10-01' from generate_series(1, 1000) as s (n);
-- bad_orders_built_twice: expect_table_row_count_to_be_between of fact_orders (drift)
insert into fact_orders
select 'x' || n, 2000 + n, 6000, 14, '2024-10-01' from generate_series(1, 3000) as s (n);
-- bad_a_lost_decimal_point: expect_column_values_to_be_between of fact_orders.unit_price_brl
update fact_orders set unit_price_brl = 1000000.01 where order_id = 2;
-- bad_a_mistyped_year: expect_column_values_to_be_between of fact_orders.lead_time_days
update fact_orders set lead_time_days = 366 where order_id = 1;
-- bad_dates_read_wrongly: expect_column_mean_to_be_between of fact_orders.lead_time_days
update fact_orders set lead_time_days = lead_time_days + 20 where lead_time_days = 14;
-- bad_receipts_gone: expect_column_proportion_of_non_null_values_to_be_between of fact_orders.completed_date (drift)
update fact_orders set completed_date = null where order_id < 500;
-- bad_prices_in_centavos: expect_column_mean_to_be_between of fact_orders.unit_price_brl (drift)
update fact_orders set unit_price_brl = unit_price_brl / 100;
