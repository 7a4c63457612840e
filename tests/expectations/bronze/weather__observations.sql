-- good
create table weather__observations (
    station_id varchar, observed_at timestamptz, precipitation_mm decimal(9, 3)
);
insert into weather__observations values
('A401', '2024-10-01 03:00:00+00', 0),
('A401', '2024-10-01 04:00:00+00', 500),
('A401', '2024-10-01 05:00:00+00', null);
-- bad_a_missing_value_as_rain: expect_column_values_to_be_between of weather/observations.precipitation_mm
update weather__observations set precipitation_mm = -9999 where rowid = 1;
