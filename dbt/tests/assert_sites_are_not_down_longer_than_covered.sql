-- No site is covered for longer than its month lasts, nor down for longer than it is covered.
select
    tower_id,
    contract_id,
    month_date,
    covered_seconds,
    down_seconds
from {{ ref('int_site_availability') }}
where down_seconds > covered_seconds
    or down_seconds < 0
    -- A month of 31 days, one hour longer where the clock was set back in it.
    or covered_seconds > 31 * 86400 + 3600
