-- Grain: one row per supplier that something was ordered from, materials and services apart.
{%- set quantiles = {'median': 50, 'p75': 75, 'p90': 90, 'p95': 95} %}
with suppliers as (
{{ dimension_as_of(
    ref('dim_suppliers'), 'supplier_id', ['supplier_key', 'supplier_name', 'country', 'state']
) }}
),

lines as (
    -- What kind an item is, is unknown until its own row comes: until then it counts as material.
    select
        *,
        coalesce(is_service, false) as counts_as_service,
        {{ hash_of({
            'supplier_id': 'text', 'coalesce(is_service, false)': 'boolean'
        }) }} as supplier_performance_key
    from {{ ref('fact_orders') }}
),

counted as (
    select
        supplier_performance_key,
        supplier_id,
        counts_as_service,
        count(*) as order_line_count,
        cast(sum(amount_brl) as numeric(38, 5)) as amount_brl,
        sum(case when is_completed then 1 else 0 end) as completed_count,
        sum(case when is_open then 1 else 0 end) as open_count,
        sum(
            case when is_open and expected_date < {{ as_of_date() }} then 1 else 0 end
        ) as overdue_count,
        sum(case when is_on_time is not null then 1 else 0 end) as promised_count,
        sum(case when is_on_time then 1 else 0 end) as on_time_count,
        sum(case when is_completed and is_partial_delivery then 1 else 0 end) as partial_count,
        sum(
            case when lead_time_status in ('zero', 'negative') then 1 else 0 end
        ) as lead_time_not_positive_count,
        min(ordered_date) as first_ordered_date,
        max(ordered_date) as last_ordered_date
    from lines
    group by supplier_performance_key, supplier_id, counts_as_service
),

ranked as (
    select
        supplier_performance_key,
        cast(lead_time_days as numeric(38, 0)) as lead_time_days,
        row_number() over (
            partition by supplier_performance_key order by lead_time_days, order_id
        ) as place,
        count(*) over (partition by supplier_performance_key) as lead_time_count
    from lines
    where lead_time_days is not null
),

lead_times as (
    select
        supplier_performance_key,
        count(*) as lead_time_count,
        cast(sum(lead_time_days) as numeric(38, 0)) as days,
        cast(sum(lead_time_days * lead_time_days) as numeric(38, 0)) as squared_days,
        min(lead_time_days) as lead_time_days_min,
        max(lead_time_days) as lead_time_days_max
        {%- for name, percent in quantiles.items() %},
        max(
            case
                when {{ is_quantile('place', 'lead_time_count', percent, 100) }} then lead_time_days
            end
        ) as lead_time_days_{{ name }}
        {%- endfor %}
    from ranked
    group by supplier_performance_key
),

purchases as (
    select
        supplier_performance_key,
        item_id,
        ordered_date,
        ordered_quantity,
        unit_price_brl,
        first_value(unit_price_brl) over (
            partition by supplier_performance_key, item_id order by ordered_date, order_id
        ) as first_price_brl,
        min(ordered_date) over (partition by supplier_performance_key, item_id) as first_date,
        row_number() over (
            partition by supplier_performance_key, item_id
            order by ordered_date desc, order_id desc
        ) as place_from_last
    from lines
    where ordered_date is not null
),

prices as (
    -- The last purchase of each item bought on more than one day, at its own and the first price.
    select
        supplier_performance_key,
        count(*) as repriced_item_count,
        {%- for price in ['unit_price_brl', 'first_price_brl'] %}
        cast(
            sum(
                cast(
                    cast(ordered_quantity as numeric(26, 3)) * {{ price }} as numeric(28, 5)
                ) * 100000
            ) as numeric(38, 0)
        ) as amount_at_{{ price }}{{ ',' if not loop.last }}
        {%- endfor %}
    from purchases
    where place_from_last = 1
        and ordered_date > first_date
    group by supplier_performance_key
),

final as (
    select
        counted.supplier_performance_key,
        {{ member_key('counted.supplier_id', 'suppliers.supplier_key') }} as supplier_key,
        counted.supplier_id,
        suppliers.supplier_name,
        suppliers.country,
        suppliers.state,
        counted.counts_as_service as is_service,
        counted.order_line_count,
        counted.amount_brl,
        cast(counted.completed_count as bigint) as completed_count,
        cast(counted.open_count as bigint) as open_count,
        cast(counted.overdue_count as bigint) as overdue_count,
        cast(counted.promised_count as bigint) as promised_count,
        cast(counted.on_time_count as bigint) as on_time_count,
        {{ mart_number(
            double('counted.on_time_count') ~ ' / ' ~ double('nullif(counted.promised_count, 0)')
        ) }} as on_time_rate,
        cast(counted.partial_count as bigint) as partial_count,
        {{ mart_number(
            double('counted.partial_count') ~ ' / ' ~ double('nullif(counted.completed_count, 0)')
        ) }} as partial_rate,
        coalesce(lead_times.lead_time_count, 0) as lead_time_count,
        cast(
            counted.lead_time_not_positive_count as bigint
        ) as lead_time_not_positive_count,
        {%- for name in ['min'] + quantiles.keys() | list + ['max'] %}
        cast(lead_times.lead_time_days_{{ name }} as integer) as lead_time_days_{{ name }},
        {%- endfor %}
        {{ mart_number(
            double('lead_times.days') ~ ' / ' ~ double('lead_times.lead_time_count')
        ) }} as lead_time_days_mean,
        {{ mart_number(
            'sqrt(' ~ double(integer_division(
                '(lead_times.lead_time_count * lead_times.squared_days'
                ~ ' - lead_times.days * lead_times.days) * 1000000',
                'lead_times.lead_time_count * (lead_times.lead_time_count - 1)'
            )) ~ ') / ' ~ double(1000)
        ) }} as lead_time_days_stddev,
        coalesce(prices.repriced_item_count, 0) as repriced_item_count,
        -- Millionths of a percent, rounded half up.
        cast(
            (
                {{ integer_division(
                    'prices.amount_at_unit_price_brl * 200000000 + prices.amount_at_first_price_brl',
                    'prices.amount_at_first_price_brl * 2'
                ) }} - 100000000
            ) * cast(0.000001 as numeric(7, 6)) as numeric(18, 6)
        ) as price_drift_pct,
        counted.first_ordered_date,
        counted.last_ordered_date,
        {{ as_of_date() }} as as_of_date
    from counted
    left join lead_times
        on counted.supplier_performance_key = lead_times.supplier_performance_key
    left join prices
        on counted.supplier_performance_key = prices.supplier_performance_key
    left join suppliers
        on counted.supplier_id = suppliers.supplier_id
        and suppliers.found_until is null
)

select * from final
