-- good
create table erp__towers (tower_id varchar, _cdc_op varchar, latitude decimal(14, 3));
insert into erp__towers values
('BAFRD017', 'upsert', -12.266667),
('BR80584-A', 'upsert', -33.9),
('T3', 'delete', null);
-- bad_more_than_a_company_changes: expect_table_row_count_to_be_between of erp/towers
insert into erp__towers
select lpad((n % 10000)::varchar, 6, '0'), 'upsert', 1 from range(100001) as s (n);
-- bad_a_table_emptied: expect_table_row_count_to_be_between of erp/towers where _cdc_op == delete
insert into erp__towers
select lpad((n % 10000)::varchar, 6, '0'), 'delete', null from range(2001) as s (n);
-- bad_a_number_in_another_unit: expect_column_values_to_be_between of erp/towers.latitude where _cdc_op != delete
update erp__towers set latitude = 6.001 where rowid = 0;
-- bad_one_change_read_again_and_again: expect_column_proportion_of_unique_values_to_be_between of erp/towers.tower_id
insert into erp__towers
select '000001', 'upsert', 1 from range(1000) as s (n);
