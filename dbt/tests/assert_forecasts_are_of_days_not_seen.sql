-- A model that is asked about a day it was trained on only remembers: such a row is no forecast,
-- and counted as one it would make every model look better than it is.
select
    forecast_id,
    cutoff_date,
    forecast_date
from {{ ref('fact_forecasts') }}
where forecast_date <= cutoff_date
