-- Grain: one row per series; what its forecasts are measured by, from nothing after the cutoff.
{#- Smoothing by SBA is a sum over the events of size (or interval) times a * (1 - a)^(events
since), the first one without its a. The weights are whole numbers of 10^-12, so that every engine adds up
the same; after 200 events the rest is below 10^-9 of the sum. -#}
{%- set weights = [100000000000] %}
{%- for _ in range(199) %}
    {%- do weights.append(weights[-1] * 9 // 10) %}
{%- endfor %}
with series as (
    select * from {{ ref('int_forecast_series') }}
),

training as (
    select *
    from {{ ref('int_forecast_demand') }}
    where bucket_number <= 0
),

-- y(t) - y(t - season), where one of the two is not zero.
shifted as (
    select
        series_key,
        bucket_number,
        demand as signed_demand
    from training
    union all
    select
        training.series_key,
        training.bucket_number + series.season_buckets as bucket_number,
        -training.demand as signed_demand
    from training
    inner join series on training.series_key = series.series_key
),

differences as (
    select
        shifted.series_key,
        shifted.bucket_number,
        abs(sum(shifted.signed_demand)) as difference
    from shifted
    inner join series on shifted.series_key = series.series_key
    where shifted.bucket_number <= 0
        and shifted.bucket_number > series.season_buckets - series.training_buckets
    group by shifted.series_key, shifted.bucket_number
),

scales as (
    select
        series_key,
        cast(sum(difference) as numeric(38, 3)) as total_difference
    from differences
    group by series_key
),

events as (
    select
        training.series_key,
        training.demand,
        training.bucket_number - coalesce(
            lag(training.bucket_number) over (
                partition by training.series_key order by training.bucket_number
            ),
            -series.training_buckets
        ) as interval_buckets,
        row_number() over (
            partition by training.series_key order by training.bucket_number
        ) = 1 as is_first,
        row_number() over (
            partition by training.series_key order by training.bucket_number desc
        ) - 1 as events_since
    from training
    inner join series on training.series_key = series.series_key
),

weighted as (
    select
        series_key,
        demand,
        interval_buckets,
        cast(
            case events_since
                {%- for weight in weights %}
                when {{ loop.index0 }} then {{ weight }}
                {%- endfor %}
                else 0
            end * case when is_first then 10 else 1 end as numeric(38, 0)
        ) as weight
    from events
),

smoothed as (
    select
        series_key,
        count(*) as event_count,
        sum(weight * cast(demand * 1000 as numeric(18, 0))) as weighted_thousandths,
        sum(weight * interval_buckets) as weighted_buckets
    from weighted
    group by series_key
),

final as (
    select
        series.series_key,
        coalesce(smoothed.event_count, 0) as event_count,
        -- Null when nothing ever changed from season to season: an error has no scale then.
        {{ mart_number(
            double('scales.total_difference') ~ ' / '
            ~ double('nullif(series.training_buckets - series.season_buckets, 0)')
        ) | indent(8) }} as mase_scale,
        -- (1 - 0.1 / 2) * size / interval, in millionths.
        cast(
            coalesce(
                {{ integer_division(
                    'smoothed.weighted_thousandths * 950', 'smoothed.weighted_buckets'
                ) | indent(16) }},
                0
            ) * cast(0.000001 as numeric(7, 6)) as numeric(18, 6)
        ) as sba_demand
    from series
    left join scales on series.series_key = scales.series_key and scales.total_difference > 0
    left join smoothed on series.series_key = smoothed.series_key
)

select * from final
