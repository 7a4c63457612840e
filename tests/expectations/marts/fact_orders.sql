-- good
create table fact_orders (order_key varchar, order_id bigint, unit_price_brl decimal(12, 2));
insert into fact_orders values ('o1', 1, 0), ('o2', 2, 1000000);
-- bad_a_negative_price: expect_column_values_to_be_between of fact_orders.unit_price_brl
update fact_orders set unit_price_brl = -0.01;
