-- good
create table dim_time (calendar_date date, calendar_year integer);
insert into dim_time values ('2024-01-01', 2024), ('2025-12-31', 2025);
-- bad_a_wrong_year: expect_column_values_to_be_between of dim_time.calendar_year
insert into dim_time values ('2101-01-01', 2101);
