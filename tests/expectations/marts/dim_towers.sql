-- good
create table dim_towers (
    tower_key varchar, tower_id varchar, tower_name varchar, state varchar,
    latitude decimal(9, 6), served_by_tower_id varchar,
    is_current boolean, valid_from timestamptz, valid_to timestamptz
);
insert into dim_towers values
('00000000000000000000000000000000', null, 'No tower', null, null, null, true, '1900-01-01', null),
('ffffffffffffffffffffffffffffffff', null, 'Not applicable', null, null, null, true, '1900-01-01', null),
('t1', 'BAFRD017', 'Feira de Santana', 'BA', -12.266667, 'BAFRD017', true, '1900-01-01', null),
('t2', 'BR80584-A', 'São João d''El-Rei', 'MG', -21.135000, 'BAFRD017', true, '1900-01-01', null),
('t3', 'T3', 'A', 'SP', -21, 'BAFRD017', true, '1900-01-01', null),
('t4', 'T4', 'B', 'RJ', -21, 'BAFRD017', true, '1900-01-01', null),
('t5', 'T5', 'C', 'PE', -21, 'BAFRD017', true, '1900-01-01', null);
-- bad_no_tower: expect_table_row_count_to_be_between of dim_towers
delete from dim_towers where tower_id is not null;
-- bad_thousands_of_new_versions: expect_table_row_count_to_be_between of dim_towers (drift)
insert into dim_towers
select
    'x' || n, 'T' || n, 'Torre', 'BA', 0, case when n % 7 > 1 then 'BAFRD017' end, false,
    '1900-01-01', null
from generate_series(1, 1000) as s (n);
-- bad_states_gone: expect_column_unique_value_count_to_be_between of dim_towers.state (drift)
update dim_towers set state = 'BA' where state <> 'MG';
-- bad_no_store: expect_column_proportion_of_non_null_values_to_be_between of dim_towers.served_by_tower_id (drift)
update dim_towers set served_by_tower_id = null;
