-- good
create table rpt_forecast_value_added (
    forecast_value_added_key varchar, dataset_id varchar, model_version varchar,
    series_level varchar, baseline varchar, pair_count bigint
);
insert into rpt_forecast_value_added values
('v1', 'd', '1', 'item', 'zero', 1), ('v2', 'd', '1', 'item', 'sba', 600);
-- bad_loaded_twice: expect_table_row_count_to_be_between of rpt_forecast_value_added (drift)
insert into rpt_forecast_value_added
select 'x' || n, 'd', '1', 'item', 'zero', 1 from generate_series(1, 2000) as s (n);
-- bad_compared_on_nothing: expect_column_values_to_be_between of rpt_forecast_value_added.pair_count
update rpt_forecast_value_added set pair_count = 0 where pair_count = 1;
