-- Grain: one row per calendar date, from the first year seen to the one after as_of_date's.
{#- Which years are seen is the events' to say, in any state they ever were in: a correction may not
take a year away from the facts that still point into it. Dates that people type (needed, expected)
do not count, nor does what is before `first_calendar_year` or after as_of_date: one wrong year would
make a calendar of centuries. -#}
{%- set instants = {
    'int_stock_movements_changed': 'moved_at',
    'int_material_requests_changed': 'requested_at',
    'int_goods_receipts_changed': 'received_at',
    'int_work_orders_changed': 'opened_at',
    'int_outages_changed': 'started_at',
} -%}
{%- set earliest = "cast('" ~ var('first_calendar_year') ~ "-01-01' as date)" -%}
{%- set month_names = [
    'January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September',
    'October', 'November', 'December'
] -%}
{%- set day_names = [
    'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'
] %}
with seen as (
    {%- for history, instant in instants.items() %}
    select {{ local_date('min(' ~ instant ~ ')') }} as first_date
    from {{ ref(history) }}
    where {{ instant }} >= {{ end_of_local_date(add_days(earliest, -1)) }}
        and {{ instant }} < {{ end_of_local_date(as_of_date()) }}
    union all
    {%- endfor %}
    select min(ordered_date) as first_date
    from {{ ref('int_orders_changed') }}
    where ordered_date between {{ earliest }} and {{ as_of_date() }}
),

span as (
    select
        coalesce(min(first_date), {{ as_of_date() }}) as first_date,
        {{ as_of_date() }} as last_date
    from seen
),

days as (
{{ date_spine(
    "(select date_trunc('year', cast(first_date as timestamp)) from span)",
    "(select date_trunc('year', cast(last_date as timestamp)) + interval '2' year"
    ~ " - interval '1' day from span)"
) }}
),

named as (
    select
        holiday_date,
        {%- for kind in ['national', 'optional'] %}
        {{ list_text(
            "case when kind = '" ~ kind ~ "' and state is null then holiday_name end",
            'holiday_name',
            '; '
        ) }} as {{ kind }}_holiday_name,
        {%- endfor %}
        {{ list_text(
            "case when kind = 'state' then state || ' ' || holiday_name end", 'state', '; '
        ) }} as state_holidays
    from {{ source('ops', 'holidays') }}
    group by holiday_date
),

parts as (
    select
        days.calendar_date,
        cast(extract(year from days.calendar_date) as integer) as calendar_year,
        cast(extract(month from days.calendar_date) as integer) as month_of_year,
        cast(extract(day from days.calendar_date) as integer) as day_of_month,
        -- 1 January 1900 was a Monday.
        {{ days_between("cast('1900-01-01' as date)", 'days.calendar_date') }} % 7 + 1
            as day_of_week,
        named.national_holiday_name,
        named.optional_holiday_name,
        named.state_holidays
    from days
    left join named on days.calendar_date = named.holiday_date
),

judged as (
    select
        *,
        day_of_week >= 6 as is_weekend,
        national_holiday_name is not null as is_national_holiday,
        day_of_week < 6 and national_holiday_name is null as is_business_day
    from parts
),

final as (
    select
        calendar_date,
        calendar_year,
        cast((month_of_year + 2 - (month_of_year + 2) % 3) / 3 as integer) as quarter_of_year,
        month_of_year,
        case month_of_year
        {%- for name in month_names %}
            when {{ loop.index }} then '{{ name }}'
        {%- endfor %}
        end as month_name,
        day_of_month,
        day_of_week,
        case day_of_week
        {%- for name in day_names %}
            when {{ loop.index }} then '{{ name }}'
        {%- endfor %}
        end as day_name,
        {{ add_days('calendar_date', '1 - day_of_week') }} as week_start_date,
        cast(extract(week from calendar_date) as integer) as iso_week,
        {{ add_days('calendar_date', '1 - day_of_month') }} as month_start_date,
        is_weekend,
        is_business_day,
        min(case when is_business_day then calendar_date end) over (
            order by calendar_date rows between 1 following and unbounded following
        ) as next_business_date,
        is_national_holiday,
        national_holiday_name,
        state_holidays is not null as is_state_holiday,
        state_holidays,
        optional_holiday_name is not null as is_optional_holiday,
        optional_holiday_name
    from judged
)

select * from final
