-- Grain: one row per weather station and local date of which an hour was observed.
{#- Incremental by station and date: what was touched is taken out and computed again. -#}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ taken_out(touched_weather_days(), ['station_id', 'observed_date']) }}",
) }}
-- depends_on: {{ ref('hub_station') }} {{ ref('int_observations_changed') }}
{%- set means = ['temperature_c', 'humidity_pct'] %}
with {% if is_incremental() %}touched as (
{{ touched_weather_days() }}
),

{% endif -%}
observations as (
    select
        stations.station_id,
        {{ local_date('observations.observed_at') }} as observed_date,
        observations.*
    from {{ ref('int_observations_changed') }} as observations
    inner join {{ ref('hub_station') }} as stations
        on observations.station_hk = stations.station_hk
    where observations.is_latest
),

hours as (
    select
        observations.*,
        row_number() over (
            partition by observations.station_id, observations.observed_date
            order by observations.observed_at desc
        ) as place_from_last
    from observations
    {%- if is_incremental() %}
    inner join touched
        on observations.station_id = touched.station_id
        and observations.observed_date = touched.observed_date
    {%- endif %}
),

summed as (
    select
        station_id,
        observed_date,
        {%- for attribute in ['station_name', 'state', 'latitude', 'longitude'] %}
        max(case when place_from_last = 1 then {{ attribute }} end) as {{ attribute }},
        {%- endfor %}
        count(*) as hour_count,
        cast(sum(precipitation_mm) as numeric(18, 3)) as precipitation_mm,
        min(temperature_c) as temperature_min_c,
        max(temperature_c) as temperature_max_c,
        {%- for measure in means %}
        cast(sum({{ measure }}) * 1000 as bigint) as {{ measure }}_thousandths,
        count({{ measure }}) as {{ measure }}_count,
        {%- endfor %}
        max(wind_speed_ms) as wind_speed_max_ms,
        max(wind_gust_ms) as wind_gust_max_ms
    from hours
    group by station_id, observed_date
),

final as (
    select
        {{ hash_of({'station_id': 'text', 'observed_date': 'date'}) }} as weather_day_key,
        station_id,
        observed_date,
        station_name,
        state,
        latitude,
        longitude,
        hour_count,
        precipitation_mm,
        temperature_min_c,
        {%- for measure in means %}
        {{ mart_number(
            double(measure ~ '_thousandths')
            ~ ' / ' ~ double('nullif(' ~ measure ~ '_count * 1000, 0)')
        ) }} as {{ measure | replace('_', '_mean_') }},
        {%- endfor %}
        temperature_max_c,
        wind_speed_max_ms,
        wind_gust_max_ms
    from summed
)

select * from final
