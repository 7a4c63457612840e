-- good
create table forecast_accuracy (
    forecast_accuracy_key varchar, dataset_id varchar, model_version varchar,
    series_level varchar, item_id varchar, horizon_days integer, interval_coverage decimal(18, 6)
);
insert into forecast_accuracy values
('a1', 'd', '1', 'item', '0148', 1, 0), ('a2', 'd', '1', 'item', '0148', 2, 1),
('a3', 'd', '1', 'item', '0148', 3, null);
-- bad_loaded_twice: expect_table_row_count_to_be_between of forecast_accuracy (drift)
insert into forecast_accuracy
select 'x' || n, 'd', '1', 'item', 'x', 1, 1 from generate_series(1, 60000) as s (n);
-- bad_more_than_all: expect_column_values_to_be_between of forecast_accuracy.interval_coverage
update forecast_accuracy set interval_coverage = 1.000001 where interval_coverage = 1;
