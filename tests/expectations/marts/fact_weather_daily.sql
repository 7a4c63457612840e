-- good
create table fact_weather_daily (
    station_id varchar, observed_date date, temperature_max_c decimal(9, 3),
    precipitation_mm decimal(18, 3)
);
insert into fact_weather_daily values
('A401', '2024-10-01', 50, 0), ('A402', '2024-10-01', -20, 1000), ('A403', '2024-10-01', null, null);
-- bad_a_station_twice: expect_table_row_count_to_be_between of fact_weather_daily (drift)
insert into fact_weather_daily
select 'x', date '2024-01-01' + n, 30, 0 from generate_series(1, 10000) as s (n);
-- bad_no_weather_of_brazil: expect_column_values_to_be_between of fact_weather_daily.temperature_max_c
update fact_weather_daily set temperature_max_c = -999.9 where station_id = 'A401';
-- bad_rain_of_no_value: expect_column_values_to_be_between of fact_weather_daily.precipitation_mm
update fact_weather_daily set precipitation_mm = -9999 where station_id = 'A401';
