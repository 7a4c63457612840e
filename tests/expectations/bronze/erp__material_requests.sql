-- good
create table erp__material_requests (material_request_id bigint, item_id varchar, _cdc_op varchar, requested_quantity decimal(14, 3));
insert into erp__material_requests values
(1, '010825', 'upsert', 0.5),
(2, '0148', 'upsert', 0),
(3, null, 'delete', null);
-- bad_a_table_emptied: expect_table_row_count_to_be_between of erp/material_requests where _cdc_op == delete
insert into erp__material_requests
select n, null, 'delete', null from range(20001) as s (n);
-- bad_a_code_in_another_form: expect_column_values_to_match_regex of erp/material_requests.item_id where _cdc_op != delete
update erp__material_requests set item_id = '11' where rowid = 0;
-- bad_a_number_in_another_unit: expect_column_values_to_be_between of erp/material_requests.requested_quantity where _cdc_op != delete
update erp__material_requests set requested_quantity = 100000000.001 where rowid = 0;
-- bad_one_change_read_again_and_again: expect_column_proportion_of_unique_values_to_be_between of erp/material_requests.material_request_id
insert into erp__material_requests
select 1, '000011', 'upsert', 1 from range(1000) as s (n);
