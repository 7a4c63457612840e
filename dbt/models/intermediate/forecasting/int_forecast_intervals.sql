-- Grain: one row per dataset, model version, series, protection time and method: the demand of the
-- whole protection time against what the model and three methods without a model said of it.
{%- set methods = {
    'model': 'forecasted_demand',
    'zero': '0',
    'seasonal_naive': 'seasonal_naive_demand',
    'sba': 'sba_demand',
} %}
with forecasts as (
    select * from {{ ref('int_forecast_values') }}
),

items as (
    select * from {{ ref('dim_items') }}
),

service_levels as (
    select * from {{ ref('service_levels') }}
),

quantiles as (
    select
        link.*,
        {{ hash_of({'hub_item.item_id': 'text', 'hub_tower.tower_id': 'text'}) }} as place_key
    from {{ ref('nhl_forecast_quantile') }} as link
    inner join {{ ref('hub_item') }} as hub_item on link.item_hk = hub_item.item_hk
    left join {{ ref('hub_tower') }} as hub_tower on link.tower_hk = hub_tower.tower_hk
),

delivered_times as (
    select distinct
        dataset_id,
        model_version,
        cutoff_date,
        place_key,
        protection_days
    from quantiles
),

placed as (
    select
        forecasts.*,
        {{ hash_of({'item_id': 'text', 'tower_id': 'text'}) }} as place_key
    from forecasts
),

horizons as (
    select
        dataset_id,
        model_version,
        series_key,
        max(bucket_number * forecast_days) as horizon_days
    from forecasts
    group by dataset_id, model_version, series_key
),

-- Without delivered quantiles nobody said how long the protection time was: the whole horizon then.
protected as (
    select
        placed.*,
        coalesce(delivered_times.protection_days, horizons.horizon_days) as protection_days
    from placed
    inner join horizons
        on placed.dataset_id = horizons.dataset_id
        and placed.model_version = horizons.model_version
        and placed.series_key = horizons.series_key
    left join delivered_times
        on placed.dataset_id = delivered_times.dataset_id
        and placed.model_version = delivered_times.model_version
        and placed.cutoff_date = delivered_times.cutoff_date
        and placed.place_key = delivered_times.place_key
),

summed as (
    select
        dataset_id,
        model_version,
        series_key,
        place_key,
        cutoff_date,
        item_key,
        item_id,
        tower_id,
        protection_days,
        forecast_days,
        mase_scale,
        cast(sum(actual_demand) as numeric(18, 3)) as actual_demand,
        {%- for method, column in methods.items() %}
        {%- if column.endswith('_demand') %}
        case
            when count({{ column }}) = count(*) then cast(sum({{ column }}) as numeric(18, 6))
        end as {{ method }}_demand,
        {%- else %}
        cast({{ column }} as numeric(18, 6)) as {{ method }}_demand,
        {%- endif %}
        {%- endfor %}
        cast(count(*) as integer) as bucket_count
    from protected
    where bucket_number * forecast_days <= protection_days
    group by
        dataset_id,
        model_version,
        series_key,
        place_key,
        cutoff_date,
        item_key,
        item_id,
        tower_id,
        protection_days,
        forecast_days,
        mase_scale
    -- Every day of the protection time was forecast, once, and has passed.
    having count(*) * forecast_days = protection_days
        and count(actual_demand) = count(*)
),

by_method as (
    {%- for method in methods %}
    select
        summed.*,
        '{{ method }}' as method,
        {{ method }}_demand as method_demand
    from summed
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
),

judged as (
    select
        by_method.*,
        service_levels.service_level,
        -- A method that gives one number gives it for every quantile.
        case
            when by_method.method = 'model' then quantiles.quantile_demand
            else by_method.method_demand
        end as quantile_demand,
        by_method.method_demand - by_method.actual_demand as error
    from by_method
    left join items on by_method.item_key = items.item_key
    left join service_levels on items.criticality = service_levels.criticality
    left join quantiles
        on by_method.dataset_id = quantiles.dataset_id
        and by_method.model_version = quantiles.model_version
        and by_method.cutoff_date = quantiles.cutoff_date
        and by_method.place_key = quantiles.place_key
        and by_method.protection_days = quantiles.protection_days
        and service_levels.service_level = quantiles.quantile
),

lost as (
    select
        *,
        case
            when actual_demand >= quantile_demand
                then service_level * (actual_demand - quantile_demand)
            else (1 - service_level) * (quantile_demand - actual_demand)
        end as pinball_loss
    from judged
),

final as (
    select
        dataset_id,
        model_version,
        series_key,
        item_id,
        tower_id,
        cutoff_date,
        protection_days,
        method,
        actual_demand,
        method_demand,
        service_level,
        quantile_demand,
        pinball_loss,
        -- An average bucket's error in naive errors, so that metres and pieces can be compared.
        {{ mart_number(double('error') ~ ' / ' ~ double('mase_scale * bucket_count')) }}
            as scaled_bias,
        {{ mart_number(double('abs(error)') ~ ' / ' ~ double('mase_scale * bucket_count')) }}
            as scaled_error,
        {{ mart_number(double('pinball_loss') ~ ' / ' ~ double('mase_scale * bucket_count')) }}
            as scaled_pinball
    from lost
)

select * from final
