-- good
create table dim_items (
    item_key varchar, item_id varchar, item_name varchar, family varchar,
    unit_cost_brl decimal(12, 2), is_current boolean, valid_from timestamptz, valid_to timestamptz
);
insert into dim_items values
('00000000000000000000000000000000', null, 'No item', null, null, true, '1900-01-01', null),
('ffffffffffffffffffffffffffffffff', null, 'Not applicable', null, null, true, '1900-01-01', null),
('a1', '010825', 'Cabo flex 16 mm', 'ELETRICO', 0, false, '1900-01-01', '2024-10-02 10:30:00.123456+00'),
('a2', '010825', 'Cabo flex 16 mm', 'ELETRICO', 12.34, true, '2024-10-02 10:30:00.123456+00', null),
('b1', '0148', 'Talabarte', 'EPI', 1000000, true, '1900-01-01', null),
('c1', '0200', null, null, null, true, '1900-01-01', null);
-- bad_no_item: expect_table_row_count_to_be_between of dim_items
delete from dim_items where item_id is not null;
-- bad_thousands_of_new_versions: expect_table_row_count_to_be_between of dim_items (drift)
insert into dim_items
select
    'x' || n, '0300', 'Porca', case n % 2 when 0 then 'EPI' end,
    case n % 4 when 0 then 0 when 2 then 700000 end, false,
    timestamptz '2024-01-01' + n * interval '1 second', null
from generate_series(1, 1000) as s (n);
-- bad_a_lost_decimal_point: expect_column_values_to_be_between of dim_items.unit_cost_brl where valid_to is null
update dim_items set unit_cost_brl = 1000000.01 where item_id = '0148';
-- bad_costs_gone: expect_column_proportion_of_non_null_values_to_be_between of dim_items.unit_cost_brl (drift)
update dim_items set unit_cost_brl = null where unit_cost_brl = 12.34;
-- bad_prices_in_centavos: expect_column_mean_to_be_between of dim_items.unit_cost_brl (drift)
update dim_items set unit_cost_brl = unit_cost_brl / 100;
-- bad_families_gone: expect_column_proportion_of_non_null_values_to_be_between of dim_items.family (drift)
update dim_items set family = null where item_id = '0148';
