-- Grain: one row per forecast: dataset, model version, cutoff date, item, store and date.
{#- Incremental by key. A forecast is never corrected: it is written again only when its metadata
come after it, or when a new version of its item or store is valid at its cutoff. -#}
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='forecast_id',
    on_schema_change='fail',
) }}
-- depends_on: {{ ref('int_items_changed') }} {{ ref('int_towers_changed') }}
with runs as (
    select * from {{ ref('nhl_forecast_run') }}
),

hub_items as (
    select * from {{ ref('hub_item') }}
),

hub_towers as (
    select * from {{ ref('hub_tower') }}
),

items as (
{{ dimension_as_of(ref('dim_items'), 'item_id', ['item_key']) }}
),

towers as (
{{ dimension_as_of(ref('dim_towers'), 'tower_id', ['tower_key']) }}
),

forecasts as (
    select *
    from {{ ref('nhl_forecast') }}
    -- A forecast of what the model had seen is no forecast.
    where forecast_date > cutoff_date
    {%- if is_incremental() %}
        and (
            ({{ arrived('ml_results/forecasts') | indent(12) }})
            or forecast_run_hk in (
                select late.forecast_run_hk
                from {{ ref('nhl_forecast_run') }} as late
                where {{ arrived('ml_results/runs') | indent(16) }}
            )
            or item_hk in (
                select changed.item_hk
                from {{ ref('int_items_changed') }} as changed
                where {{ recomputed('erp/items') | indent(16) }}
            )
            or tower_hk in (
                select changed.tower_hk
                from {{ ref('int_towers_changed') }} as changed
                where {{ recomputed('erp/towers') | indent(16) }}
            )
        )
    {%- endif %}
),

final as (
    select
        forecasts.forecast_hk as forecast_id,
        {{ member_key('hub_items.item_id', 'items.item_key') }} as item_key,
        -- The item in all stores is in no store.
        case
            when hub_towers.tower_id is null then {{ special_key('not_applicable') }}
            else {{ member_key('hub_towers.tower_id', 'towers.tower_key') | indent(12) }}
        end as tower_key,
        hub_items.item_id,
        hub_towers.tower_id,
        forecasts.dataset_id,
        forecasts.model_version,
        forecasts.model_type,
        forecasts.cutoff_date,
        forecasts.forecast_date,
        {{ days_between('forecasts.cutoff_date', 'forecasts.forecast_date') }} as horizon_days,
        cast(case when runs.grain = 'week' then 7 else 1 end as integer) as forecast_days,
        forecasts.forecasted_demand,
        forecasts.ci_lower,
        forecasts.ci_upper,
        runs.ci_level,
        runs.generated_at,
        runs.source_name
    from forecasts
    inner join hub_items on forecasts.item_hk = hub_items.item_hk
    left join hub_towers on forecasts.tower_hk = hub_towers.tower_hk
    left join runs on forecasts.forecast_run_hk = runs.forecast_run_hk
    left join items
        on hub_items.item_id = items.item_id
        and {{ local_date('items.found_from') }} <= forecasts.cutoff_date
        and {{ local_date('coalesce(items.found_until, ' ~ end_of_time() ~ ')') }}
            > forecasts.cutoff_date
    left join towers
        on hub_towers.tower_id = towers.tower_id
        and {{ local_date('towers.found_from') }} <= forecasts.cutoff_date
        and {{ local_date('coalesce(towers.found_until, ' ~ end_of_time() ~ ')') }}
            > forecasts.cutoff_date
)

select * from final
