-- good
create table fact_work_orders (
    work_order_id bigint, sla_hours integer, hours_to_close decimal(18, 6)
);
insert into fact_work_orders values (1, 1, 0), (2, 8760, 43800), (3, 8, null);
insert into fact_work_orders
select 10 + n, 8, 20000 from generate_series(1, 100) as s (n);
-- bad_built_twice: expect_table_row_count_to_be_between of fact_work_orders (drift)
insert into fact_work_orders
select 100 + n, 8, 20000 from generate_series(1, 1000) as s (n);
-- bad_days_for_hours: expect_column_values_to_be_between of fact_work_orders.sla_hours
update fact_work_orders set sla_hours = 0 where work_order_id = 1;
-- bad_ended_before_it_began: expect_column_values_to_be_between of fact_work_orders.hours_to_close
update fact_work_orders set hours_to_close = -0.5 where work_order_id = 1;
-- bad_another_time_zone: expect_column_mean_to_be_between of fact_work_orders.hours_to_close (drift)
update fact_work_orders set hours_to_close = 100;
