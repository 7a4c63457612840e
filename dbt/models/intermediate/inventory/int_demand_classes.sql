-- Grain: one row per item and place at which it may be reordered.
{#- Syntetos–Boylan: demand intervals of 1.32 days or more are intermittent, squared variation of
the sizes of 0.49 or more is erratic, and both together lumpy. Intervals are counted in business days,
because on other days nobody asks: counted in calendar days nothing could ever be smooth. Classes
are decided by whole numbers; only what is shown is divided. #}
with points as (
    select * from {{ ref('int_stocking_points') }}
),

starts as (
    select
        points.series_start_date,
        count(*) as business_days
    from (select distinct points.series_start_date from points) as points
    inner join {{ ref('dim_time') }} as dim_time
        on dim_time.calendar_date between points.series_start_date and {{ as_of_date() }}
    where dim_time.is_business_day
    group by points.series_start_date
),

moments as (
    select
        item_id,
        store_tower_id,
        count(*) as demand_days,
        sum(quantity) as total,
        sum(quantity * quantity) as squares,
        sum(cast(quantity * quantity as numeric(38, 0)) * quantity) as cubes
    from (
        select
            item_id,
            store_tower_id,
            -- Beyond a billion somebody mistyped, and the cube of it would overflow.
            cast(least(quantity_thousandths, 1000000000000) as numeric(18, 0)) as quantity
        from {{ ref('int_demand_daily') }}
    ) as daily
    group by item_id, store_tower_id
),

series as (
    select
        points.item_id,
        points.store_tower_id,
        points.series_start_date,
        {{ days_between('points.series_start_date', as_of_date()) }} + 1 as series_days,
        coalesce(starts.business_days, 0) as business_days,
        coalesce(moments.demand_days, 0) as demand_days,
        cast(coalesce(moments.total, 0) as numeric(38, 0)) as demand_thousandths,
        cast(coalesce(moments.squares, 0) as numeric(38, 0)) as demand_squares,
        cast(coalesce(moments.cubes, 0) as numeric(38, 0)) as demand_cubes,
        cast(
            coalesce(moments.demand_days * moments.squares - moments.total * moments.total, 0)
            as numeric(38, 0)
        ) as spread
    from points
    left join starts on points.series_start_date = starts.series_start_date
    left join moments
        on points.item_id = moments.item_id
        and points.store_tower_id = moments.store_tower_id
),

compared as (
    select
        *,
        business_days * 100 >= demand_days * 132 as has_gaps,
        demand_days > 1
        and 100 * demand_days * spread
        >= 49 * (demand_days - 1) * demand_thousandths * demand_thousandths as is_variable
    from series
),

final as (
    select
        compared.item_id,
        compared.store_tower_id,
        compared.series_start_date,
        compared.series_days,
        compared.business_days,
        compared.demand_days,
        compared.demand_thousandths,
        compared.demand_squares,
        compared.demand_cubes,
        {{ mart_number(
            double('compared.business_days') ~ ' / ' ~ double('nullif(compared.demand_days, 0)')
        ) }} as average_demand_interval,
        {{ mart_number(
            double(integer_division(
                'compared.spread * compared.demand_days * 1000000',
                '(compared.demand_days - 1)'
                ~ ' * compared.demand_thousandths * compared.demand_thousandths'
            )) ~ ' / ' ~ double(1000000)
        ) }} as squared_variation,
        case
            when compared.demand_days = 0 then 'none'
            when compared.has_gaps and compared.is_variable then 'lumpy'
            when compared.has_gaps then 'intermittent'
            when compared.is_variable then 'erratic'
            else 'smooth'
        end as demand_class,
        item_classes.demand_value_brl as item_demand_value_brl,
        item_classes.abc_class,
        item_classes.xyz_class
    from compared
    inner join {{ ref('int_item_classes') }} as item_classes
        on compared.item_id = item_classes.item_id
)

select * from final
