-- good
create table dim_contracts (contract_key varchar, contract_id varchar, penalty_pct decimal(5, 2));
insert into dim_contracts values ('c1', 'NC01', 100), ('c2', 'NC02', 0), ('c3', null, null);
-- bad_more_than_all_of_it: expect_column_values_to_be_between of dim_contracts.penalty_pct
update dim_contracts set penalty_pct = 100.01;
