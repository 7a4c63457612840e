-- good
create table erp__inventory (item_id varchar, tower_id varchar, _cdc_op varchar, current_stock decimal(14, 3));
insert into erp__inventory values
('010825', 'BAFRD017', 'upsert', -1),
('0148', 'BAFRD017', 'upsert', 100000000),
('0148', 'T3', 'delete', null);
-- bad_a_table_emptied: expect_table_row_count_to_be_between of erp/inventory where _cdc_op == delete
insert into erp__inventory
select lpad((n % 10000)::varchar, 6, '0'), lpad((n % 10000)::varchar, 6, '0'), 'delete', null from range(20001) as s (n);
-- bad_a_code_in_another_form: expect_column_values_to_match_regex of erp/inventory.item_id
update erp__inventory set item_id = '11' where rowid = 0;
-- bad_a_number_in_another_unit: expect_column_values_to_be_between of erp/inventory.current_stock where _cdc_op != delete
update erp__inventory set current_stock = 100000000.001 where rowid = 0;
