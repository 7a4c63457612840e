-- good
create table fact_demand (
    demand_key varchar, item_id varchar, tower_id varchar, store_tower_id varchar,
    demand_date date, requested_quantity decimal(18, 3), waiting_quantity decimal(18, 3)
);
insert into fact_demand values
('d1', '010825', 'BAFRD017', 'BR80584-A', '2024-10-01', 0.125, 0),
('d2', '010825', null, 'BR80584-A', '2024-10-02', 5, 5);
insert into fact_demand
select 'p' || n, '0148', null, 'BR80584-A', date '2024-10-02', 5, 0
from generate_series(1, 100) as s (n);
-- bad_a_request_of_nothing: expect_column_values_to_be_between of fact_demand.requested_quantity
update fact_demand set requested_quantity = 0 where demand_key = 'd2';
-- bad_demand_built_twice: expect_table_row_count_to_be_between of fact_demand (drift)
insert into fact_demand
select 'x' || n, '0200', null, 'BR80584-A', '2024-10-02', 5, 0
from generate_series(1, 3000) as s (n);
-- bad_another_unit: expect_column_mean_to_be_between of fact_demand.requested_quantity (drift)
update fact_demand set requested_quantity = 1000 * requested_quantity;
