-- good
create table dim_suppliers (
    supplier_key varchar, supplier_id varchar, tax_id varchar, valid_from timestamptz
);
insert into dim_suppliers values
('00000000000000000000000000000000', null, null, '1900-01-01'),
('ffffffffffffffffffffffffffffffff', null, null, '1900-01-01'),
('s1', '000417', '00.468.442/0001-67', '1900-01-01'),
('s2', '001997', '99.992.794/0001-84', '1900-01-01');
-- bad_no_supplier: expect_table_row_count_to_be_between of dim_suppliers
delete from dim_suppliers where supplier_id is not null;
-- bad_thousands_of_new_versions: expect_table_row_count_to_be_between of dim_suppliers (drift)
insert into dim_suppliers
select 'x' || n, '001998', case n % 2 when 0 then 'x' end, '1900-01-01'
from generate_series(1, 1000) as s (n);
-- bad_tax_numbers_gone: expect_column_proportion_of_non_null_values_to_be_between of dim_suppliers.tax_id (drift)
update dim_suppliers set tax_id = null where supplier_id = '001997';
