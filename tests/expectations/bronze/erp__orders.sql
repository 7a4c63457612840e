-- good
create table erp__orders (order_id bigint, supplier_id varchar, _cdc_op varchar, unit_price_brl decimal(14, 3));
insert into erp__orders values
(1, '000011', 'upsert', 0),
(2, '001997', 'upsert', 87923.79),
(3, null, 'delete', null);
-- bad_a_table_emptied: expect_table_row_count_to_be_between of erp/orders where _cdc_op == delete
insert into erp__orders
select n, null, 'delete', null from range(20001) as s (n);
-- bad_a_code_in_another_form: expect_column_values_to_match_regex of erp/orders.supplier_id where _cdc_op != delete
update erp__orders set supplier_id = '11' where rowid = 0;
-- bad_a_number_in_another_unit: expect_column_values_to_be_between of erp/orders.unit_price_brl where _cdc_op != delete
update erp__orders set unit_price_brl = 10000000.001 where rowid = 0;
-- bad_one_change_read_again_and_again: expect_column_proportion_of_unique_values_to_be_between of erp/orders.order_id
insert into erp__orders
select 1, '000011', 'upsert', 1 from range(1000) as s (n);
