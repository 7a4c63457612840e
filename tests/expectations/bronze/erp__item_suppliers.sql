-- good
create table erp__item_suppliers (item_supplier_id bigint, supplier_id varchar, _cdc_op varchar, unit_price_brl decimal(14, 3));
insert into erp__item_suppliers values
(1, '000011', 'upsert', 0.36),
(2, '001997', 'upsert', 10000000),
(3, null, 'delete', null);
-- bad_a_table_emptied: expect_table_row_count_to_be_between of erp/item_suppliers where _cdc_op == delete
insert into erp__item_suppliers
select n, null, 'delete', null from range(20001) as s (n);
-- bad_a_code_in_another_form: expect_column_values_to_match_regex of erp/item_suppliers.supplier_id where _cdc_op != delete
update erp__item_suppliers set supplier_id = '11' where rowid = 0;
-- bad_a_number_in_another_unit: expect_column_values_to_be_between of erp/item_suppliers.unit_price_brl where _cdc_op != delete
update erp__item_suppliers set unit_price_brl = 10000000.001 where rowid = 0;
-- bad_one_change_read_again_and_again: expect_column_proportion_of_unique_values_to_be_between of erp/item_suppliers.item_supplier_id
insert into erp__item_suppliers
select 1, '000011', 'upsert', 1 from range(1000) as s (n);
