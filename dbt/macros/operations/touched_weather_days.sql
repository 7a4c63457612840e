{#
What. The stations and local dates of which an hour came, or was corrected, in this build's range.
Why. A day is computed whole: its sums cannot be mended by an hour.
Args. None.
Example. {{ taken_out(touched_weather_days(), ['station_id', 'observed_date']) }}
#}
{% macro touched_weather_days() -%}
    select distinct
        stations.station_id,
        {{ local_date('changed.observed_at') }} as observed_date
    from {{ ref('int_observations_changed') }} as changed
    inner join {{ ref('hub_station') }} as stations on changed.station_hk = stations.station_hk
    where {{ recomputed('weather/observations') }}
{%- endmacro %}
