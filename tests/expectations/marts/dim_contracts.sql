-- good
create table dim_contracts (
    contract_key varchar, contract_id varchar, availability_target decimal(5, 2),
    monthly_value_brl decimal(12, 2), penalty_pct decimal(5, 2), valid_from timestamptz
);
insert into dim_contracts values
('c1', 'NC01', 100, 561932, 100, '1900-01-01'),
('c2', 'NC02', 50, 18000, 0, '1900-01-01'),
('c3', null, null, null, null, '1900-01-01');
-- bad_no_contract: expect_table_row_count_to_be_between of dim_contracts
delete from dim_contracts where contract_id = 'NC01';
-- bad_thousands_of_new_versions: expect_table_row_count_to_be_between of dim_contracts (drift)
insert into dim_contracts
select 'x' || n, 'NC03', 99, 290000, 5, '1900-01-01' from generate_series(1, 300) as s (n);
-- bad_more_than_all_of_it: expect_column_values_to_be_between of dim_contracts.penalty_pct
update dim_contracts set penalty_pct = 100.01;
-- bad_a_share_for_a_percentage: expect_column_values_to_be_between of dim_contracts.availability_target
update dim_contracts set availability_target = 0.99;
-- bad_values_in_centavos: expect_column_mean_to_be_between of dim_contracts.monthly_value_brl (drift)
update dim_contracts set monthly_value_brl = monthly_value_brl / 100;
