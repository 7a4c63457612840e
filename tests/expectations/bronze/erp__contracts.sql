-- good
create table erp__contracts (contract_id varchar, _cdc_op varchar);
insert into erp__contracts values
('NC01', 'upsert'),
('NC131', 'upsert');
-- bad_more_than_a_company_changes: expect_table_row_count_to_be_between of erp/contracts
insert into erp__contracts
select 'NC' || (10 + n), 'upsert' from range(10001) as s (n);
-- bad_a_table_emptied: expect_table_row_count_to_be_between of erp/contracts where _cdc_op == delete
insert into erp__contracts
select 'NC' || (10 + n), 'delete' from range(101) as s (n);
-- bad_a_code_in_another_form: expect_column_values_to_match_regex of erp/contracts.contract_id
update erp__contracts set contract_id = 'NC1' where rowid = 0;
-- bad_one_change_read_again_and_again: expect_column_proportion_of_unique_values_to_be_between of erp/contracts.contract_id
insert into erp__contracts
select 'NC01', 'upsert' from range(1000) as s (n);
