-- good
create table erp__suppliers (supplier_id varchar, _cdc_op varchar);
insert into erp__suppliers values
('000011', 'upsert'),
('001997', 'upsert'),
('000012', 'delete');
-- bad_more_than_a_company_changes: expect_table_row_count_to_be_between of erp/suppliers
insert into erp__suppliers
select lpad((n % 10000)::varchar, 6, '0'), 'upsert' from range(50001) as s (n);
-- bad_a_table_emptied: expect_table_row_count_to_be_between of erp/suppliers where _cdc_op == delete
insert into erp__suppliers
select lpad((n % 10000)::varchar, 6, '0'), 'delete' from range(501) as s (n);
-- bad_a_code_in_another_form: expect_column_values_to_match_regex of erp/suppliers.supplier_id
update erp__suppliers set supplier_id = '11' where rowid = 0;
-- bad_one_change_read_again_and_again: expect_column_proportion_of_unique_values_to_be_between of erp/suppliers.supplier_id
insert into erp__suppliers
select '000001', 'upsert' from range(1000) as s (n);
