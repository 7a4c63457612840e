-- good
create table rpt_forecast_value_added (forecast_value_added_key varchar, pair_count bigint);
insert into rpt_forecast_value_added values ('v1', 1), ('v2', 600);
-- bad_compared_on_nothing: expect_column_values_to_be_between of rpt_forecast_value_added.pair_count
update rpt_forecast_value_added set pair_count = 0 where pair_count = 1;
