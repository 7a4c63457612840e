-- good
create table fact_forecasts (
    forecast_id varchar, item_id varchar, tower_id varchar, cutoff_date date, forecast_date date,
    forecasted_demand decimal(18, 6), ci_lower decimal(18, 6), ci_upper decimal(18, 6)
);
insert into fact_forecasts values
('f1', '010825', 'BR80584-A', '2024-10-02', '2024-10-03', 0, 0, 0),
('f2', '010825', null, '2024-10-02', '2024-10-03', 0.125000, 0, 2.5);
-- bad_less_than_nothing: expect_column_values_to_be_between of fact_forecasts.forecasted_demand
update fact_forecasts set forecasted_demand = -0.000001 where forecast_id = 'f2';
