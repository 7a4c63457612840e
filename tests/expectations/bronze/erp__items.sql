-- good
create table erp__items (item_id varchar, _cdc_op varchar, unit_cost_brl decimal(14, 3));
insert into erp__items values
('010825', 'upsert', 12.34),
('0148', 'upsert', 0),
('011989-N', 'upsert', 9999999.99),
('060601', 'delete', null);
-- bad_more_than_a_company_changes: expect_table_row_count_to_be_between of erp/items
insert into erp__items
select lpad((n % 10000)::varchar, 6, '0'), 'upsert', 1 from range(100001) as s (n);
-- bad_a_table_emptied: expect_table_row_count_to_be_between of erp/items where _cdc_op == delete
insert into erp__items
select lpad((n % 10000)::varchar, 6, '0'), 'delete', null from range(2001) as s (n);
-- bad_a_code_in_another_form: expect_column_values_to_match_regex of erp/items.item_id
update erp__items set item_id = '11' where rowid = 0;
-- bad_a_number_in_another_unit: expect_column_values_to_be_between of erp/items.unit_cost_brl where _cdc_op != delete
update erp__items set unit_cost_brl = 10000000.001 where rowid = 0;
-- bad_one_change_read_again_and_again: expect_column_proportion_of_unique_values_to_be_between of erp/items.item_id
insert into erp__items
select '000001', 'upsert', 1 from range(1000) as s (n);
