-- good
create table fact_forecasts (
    forecast_id varchar, item_id varchar, tower_id varchar, cutoff_date date, forecast_date date,
    horizon_days integer, forecasted_demand decimal(18, 6), ci_lower decimal(18, 6),
    ci_upper decimal(18, 6), generated_at timestamptz, source_name varchar
);
insert into fact_forecasts values
('f1', '010825', 'BR80584-A', '2024-10-02', '2024-10-03', 1, 0, 0, 0, '2024-10-02', 'ml'),
('f2', '010825', null, '2024-10-02', '2025-11-06', 400, 0.125, 0, 2.5, '2024-10-02', 'ml'),
('f3', '0148', null, '2024-10-02', '2024-10-03', 1, 30, null, null, '2024-10-02', 'ml');
insert into fact_forecasts
select
    'p' || n, '0148', null, date '2024-10-02', date '2024-10-03', 1, 30, 0, 40,
    timestamptz '2024-10-02', 'ml'
from generate_series(1, 100) as s (n);
-- bad_loaded_twice: expect_table_row_count_to_be_between of fact_forecasts (drift)
insert into fact_forecasts
select 'x' || n, '0148', null, '2024-10-02', '2024-10-03', 1, 30, null, null, '2024-10-02', 'ml'
from generate_series(1, 150000) as s (n);
-- bad_less_than_nothing: expect_column_values_to_be_between of fact_forecasts.forecasted_demand
update fact_forecasts set forecasted_demand = -0.000001 where forecast_id = 'f3';
-- bad_below_its_own_bound: expect_column_pair_values_a_to_be_greater_than_b of fact_forecasts.forecasted_demand, ci_lower
update fact_forecasts set ci_lower = 0.2 where forecast_id = 'f2';
-- bad_above_its_own_bound: expect_column_pair_values_a_to_be_greater_than_b of fact_forecasts.ci_upper, forecasted_demand
update fact_forecasts set ci_upper = 0.1 where forecast_id = 'f2';
-- bad_a_bound_below_nothing: expect_column_values_to_be_between of fact_forecasts.ci_lower
update fact_forecasts set ci_lower = -0.1 where forecast_id = 'f2';
-- bad_made_nobody_knows_when: expect_column_values_to_not_be_null of fact_forecasts.generated_at
update fact_forecasts set generated_at = null where forecast_id = 'f2';
-- bad_made_by_nobody: expect_column_values_to_not_be_null of fact_forecasts.source_name
update fact_forecasts set source_name = null where forecast_id = 'f2';
-- bad_looks_back: expect_column_values_to_be_between of fact_forecasts.horizon_days
update fact_forecasts set horizon_days = 0 where forecast_id = 'f2';
-- bad_another_unit: expect_column_mean_to_be_between of fact_forecasts.forecasted_demand (drift)
update fact_forecasts set forecasted_demand = 1000, ci_upper = null where item_id = '0148';
