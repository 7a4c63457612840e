-- good
create table dim_time (
    calendar_date date, calendar_year integer, national_holiday_name varchar
);
insert into dim_time
select
    date '2024-01-01' + cast(n as integer), 2024,
    case when n % 30 = 0 then 'Dia do trabalho' end
from generate_series(0, 365) as s (n);
-- bad_half_a_year: expect_table_row_count_to_be_between of dim_time
delete from dim_time where calendar_date > '2024-06-30';
-- bad_a_wrong_year: expect_column_values_to_be_between of dim_time.calendar_year
update dim_time set calendar_year = 2101 where calendar_date = '2024-06-30';
-- bad_no_holidays: expect_column_proportion_of_non_null_values_to_be_between of dim_time.national_holiday_name
update dim_time set national_holiday_name = null;
-- bad_nothing_but_holidays: expect_column_proportion_of_non_null_values_to_be_between of dim_time.national_holiday_name
update dim_time set national_holiday_name = 'Dia';
