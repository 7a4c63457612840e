-- good
create table erp__goods_receipts (goods_receipt_id bigint, _cdc_op varchar, quantity decimal(14, 3));
insert into erp__goods_receipts values
(1, 'upsert', 1),
(2, 'upsert', -66199),
(3, 'delete', null);
-- bad_a_table_emptied: expect_table_row_count_to_be_between of erp/goods_receipts where _cdc_op == delete
insert into erp__goods_receipts
select n, 'delete', null from range(20001) as s (n);
-- bad_a_number_in_another_unit: expect_column_values_to_be_between of erp/goods_receipts.quantity where _cdc_op != delete
update erp__goods_receipts set quantity = 100000000.001 where rowid = 0;
-- bad_one_change_read_again_and_again: expect_column_proportion_of_unique_values_to_be_between of erp/goods_receipts.goods_receipt_id
insert into erp__goods_receipts
select 1, 'upsert', 1 from range(1000) as s (n);
