-- good
create table fact_forecast_metrics (
    forecast_id varchar, absolute_error decimal(18, 6), scaled_error decimal(18, 6)
);
insert into fact_forecast_metrics values ('f1', 0, null), ('f2', 2.125000, 1);
insert into fact_forecast_metrics
select 'p' || n, 1, 1 from generate_series(1, 100) as s (n);
-- bad_loaded_twice: expect_table_row_count_to_be_between of fact_forecast_metrics (drift)
insert into fact_forecast_metrics
select 'x' || n, 1, 1 from generate_series(1, 150000) as s (n);
-- bad_a_negative_size: expect_column_values_to_be_between of fact_forecast_metrics.absolute_error
update fact_forecast_metrics set absolute_error = -0.000001 where forecast_id = 'f2';
-- bad_a_model_run_away: expect_column_mean_to_be_between of fact_forecast_metrics.scaled_error (drift)
update fact_forecast_metrics set scaled_error = 10;
