-- good
create table fact_work_orders (work_order_id bigint, sla_hours integer);
insert into fact_work_orders values (1, 1), (2, 8760);
-- bad_days_for_hours: expect_column_values_to_be_between of fact_work_orders.sla_hours
update fact_work_orders set sla_hours = 0;
