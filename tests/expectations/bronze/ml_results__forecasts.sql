-- good
create table ml_results__forecasts (
    dataset_id varchar, model_version varchar, cutoff_date date, item_id varchar, date date,
    forecasted_demand decimal(18, 6)
);
insert into ml_results__forecasts values
('d', '1', '2024-10-01', '010825', '2024-10-02', 0),
('d', '1', '2024-10-01', '0148', '2024-10-02', 0.125);
-- bad_a_code_in_another_form: expect_column_values_to_match_regex of ml_results/forecasts.item_id
update ml_results__forecasts set item_id = '148' where rowid = 1;
-- bad_a_model_run_away: expect_column_values_to_be_between of ml_results/forecasts.forecasted_demand
update ml_results__forecasts set forecasted_demand = 100000000.5 where rowid = 1;
