-- good
create table fact_weather_daily (
    station_id varchar, observed_date date, temperature_max_c decimal(9, 3)
);
insert into fact_weather_daily values
('A401', '2024-10-01', 50), ('A402', '2024-10-01', -20), ('A403', '2024-10-01', null);
-- bad_no_weather_of_brazil: expect_column_values_to_be_between of fact_weather_daily.temperature_max_c
update fact_weather_daily set temperature_max_c = -999.9 where station_id = 'A401';
