-- good
create table ml_results__quantiles (
    dataset_id varchar, model_version varchar, cutoff_date date, item_id varchar,
    protection_days integer, quantile decimal(7, 6)
);
insert into ml_results__quantiles values
('d', '1', '2024-10-01', '010825', 12, 0.000001),
('d', '1', '2024-10-01', '011989-N', 12, 0.999999);
-- bad_a_code_in_another_form: expect_column_values_to_match_regex of ml_results/quantiles.item_id
update ml_results__quantiles set item_id = '148' where rowid = 1;
-- bad_a_percentage: expect_column_values_to_be_between of ml_results/quantiles.quantile
update ml_results__quantiles set quantile = 1 where rowid = 1;
