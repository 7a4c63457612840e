-- good
create table erp__outages (outage_id bigint, _cdc_op varchar);
insert into erp__outages values
(1, 'upsert'),
(2, 'delete');
-- bad_a_table_emptied: expect_table_row_count_to_be_between of erp/outages where _cdc_op == delete
insert into erp__outages
select n, 'delete' from range(20001) as s (n);
-- bad_one_change_read_again_and_again: expect_column_proportion_of_unique_values_to_be_between of erp/outages.outage_id
insert into erp__outages
select 1, 'upsert' from range(1000) as s (n);
