-- good
create table erp__tower_contracts (tower_id varchar, contract_id varchar, _cdc_op varchar);
insert into erp__tower_contracts values
('BAFRD017', 'NC01', 'upsert'),
('BAFRD017', 'NC02', 'delete');
-- bad_more_than_a_company_changes: expect_table_row_count_to_be_between of erp/tower_contracts
insert into erp__tower_contracts
select lpad((n % 10000)::varchar, 6, '0'), 'NC' || (10 + n), 'upsert' from range(100001) as s (n);
-- bad_a_table_emptied: expect_table_row_count_to_be_between of erp/tower_contracts where _cdc_op == delete
insert into erp__tower_contracts
select lpad((n % 10000)::varchar, 6, '0'), 'NC' || (10 + n), 'delete' from range(20001) as s (n);
-- bad_a_code_in_another_form: expect_column_values_to_match_regex of erp/tower_contracts.contract_id
update erp__tower_contracts set contract_id = 'NC1' where rowid = 0;
