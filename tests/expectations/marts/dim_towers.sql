-- good
create table dim_towers (
    tower_key varchar, tower_id varchar, tower_name varchar, latitude decimal(9, 6),
    is_current boolean, valid_from timestamptz, valid_to timestamptz
);
insert into dim_towers values
('00000000000000000000000000000000', null, 'No tower', null, true, '1900-01-01', null),
('ffffffffffffffffffffffffffffffff', null, 'Not applicable', null, true, '1900-01-01', null),
('t1', 'BAFRD017', 'Feira de Santana', -12.266667, true, '1900-01-01', null),
('t2', 'BR80584-A', 'São João d''El-Rei', -21.135000, true, '1900-01-01', null);
-- bad_no_tower: expect_table_row_count_to_be_between of dim_towers
delete from dim_towers where tower_id is not null;
-- bad_thousands_of_new_versions: expect_table_row_count_to_be_between of dim_towers (drift)
insert into dim_towers
select 'x' || n, 'T' || n, 'Torre', 0, false, '1900-01-01', null from generate_series(1, 1000) as s (n);
