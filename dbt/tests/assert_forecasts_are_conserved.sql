-- Every forecast that was delivered is in the vault, and from there in the fact, once, unless it is
-- of a day that the model had seen; and the fact has no other.
with delivered as (
    select distinct
        forecast_hk,
        forecast_date > cutoff_date as is_forecast
    from {{ ref('stg_ml_results__forecasts') }}
    where _batch_id <= {{ run_context('ml_results/forecasts').to_batch }}
)

select
    delivered.forecast_hk as delivered_key,
    link.forecast_hk as vault_key,
    fact.forecast_id as mart_key
from delivered
full outer join {{ ref('nhl_forecast') }} as link on delivered.forecast_hk = link.forecast_hk
full outer join {{ ref('fact_forecasts') }} as fact on link.forecast_hk = fact.forecast_id
where delivered.forecast_hk is null
    or link.forecast_hk is null
    or delivered.is_forecast is distinct from (fact.forecast_id is not null)
