select
    -- keys
    {{ hash_key({'station_id': 'text', 'observed_at': 'timestamp'}) }} as observation_hk,
    {{ hash_key({'station_id': 'text'}) }} as station_hk,
    cast(station_id as {{ dbt.type_string() }}) as station_id,

    -- attributes
    cast(station_name as {{ dbt.type_string() }}) as station_name,
    cast(state as {{ dbt.type_string() }}) as state,
    cast(latitude as numeric(9, 6)) as latitude,
    cast(longitude as numeric(9, 6)) as longitude,

    -- measures
    cast(precipitation_mm as numeric(9, 3)) as precipitation_mm,
    cast(temperature_c as numeric(9, 3)) as temperature_c,
    cast(humidity_pct as numeric(9, 3)) as humidity_pct,
    cast(wind_speed_ms as numeric(9, 3)) as wind_speed_ms,
    cast(wind_gust_ms as numeric(9, 3)) as wind_gust_ms,

    -- timestamps
    observed_at,

    -- technical
    {{ hash_of({
        'station_name': 'text',
        'state': 'text',
        'latitude': 'numeric(9,6)',
        'longitude': 'numeric(9,6)',
        'precipitation_mm': 'numeric(9,3)',
        'temperature_c': 'numeric(9,3)',
        'humidity_pct': 'numeric(9,3)',
        'wind_speed_ms': 'numeric(9,3)',
        'wind_gust_ms': 'numeric(9,3)',
    }) }} as hashdiff,
    {{ extraction_columns('weather') }}
from {{ source('weather', 'observations') }}
