-- good
create table fact_forecast_metrics (forecast_id varchar, absolute_error decimal(18, 6));
insert into fact_forecast_metrics values ('f1', 0), ('f2', 2.125000);
-- bad_a_negative_size: expect_column_values_to_be_between of fact_forecast_metrics.absolute_error
update fact_forecast_metrics set absolute_error = -0.000001 where forecast_id = 'f2';
