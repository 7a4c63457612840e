-- good
create table ml_results__runs (
    dataset_id varchar, model_version varchar, cutoff_date date, ci_level decimal(7, 6)
);
insert into ml_results__runs values ('d', '1', '2024-10-01', 0.95), ('d', '2', '2024-10-01', 0.8);
-- bad_forecasts_in_the_file_of_runs: expect_table_row_count_to_be_between of ml_results/runs
insert into ml_results__runs select 'd', n::varchar, '2024-10-01', 0.9 from range(10000) as s (n);
-- bad_a_percentage: expect_column_values_to_be_between of ml_results/runs.ci_level
update ml_results__runs set ci_level = 9.5 where model_version = '2';
