-- good
create table dim_suppliers (supplier_key varchar, supplier_id varchar);
insert into dim_suppliers values
('00000000000000000000000000000000', null), ('ffffffffffffffffffffffffffffffff', null),
('s1', '000417');
-- bad_no_supplier: expect_table_row_count_to_be_between of dim_suppliers
delete from dim_suppliers where supplier_id is not null;
