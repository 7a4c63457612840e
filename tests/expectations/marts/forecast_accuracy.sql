-- good
create table forecast_accuracy (forecast_accuracy_key varchar, interval_coverage decimal(18, 6));
insert into forecast_accuracy values ('a1', 0), ('a2', 1), ('a3', null);
-- bad_more_than_all: expect_column_values_to_be_between of forecast_accuracy.interval_coverage
update forecast_accuracy set interval_coverage = 1.000001 where interval_coverage = 1;
