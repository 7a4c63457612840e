-- good
create table erp__work_orders (work_order_id bigint, _cdc_op varchar, sla_hours integer);
insert into erp__work_orders values
(1, 'upsert', 8),
(2, 'upsert', 1440),
(3, 'delete', null);
-- bad_a_table_emptied: expect_table_row_count_to_be_between of erp/work_orders where _cdc_op == delete
insert into erp__work_orders
select n, 'delete', null from range(20001) as s (n);
-- bad_one_change_read_again_and_again: expect_column_proportion_of_unique_values_to_be_between of erp/work_orders.work_order_id
insert into erp__work_orders
select 1, 'upsert', 1 from range(1000) as s (n);
