-- Grain: one row per item that may be reordered: how long its next delivery may take.
{#- Of the supplier it would be bought from, if enough of his deliveries are known; else of the
item, whoever brought it; else of the company; else what the supplier promises. -#}
{%- set enough = 5 %}
with items as (
    select distinct item_id
    from {{ ref('int_stocking_points') }}
),

statistics as (
    select *
    from {{ ref('int_lead_time_statistics') }}
    where completed_count >= {{ enough }}
),

found as (
    select
        items.item_id,
        terms.supplier_id,
        terms.promised_days,
        coalesce(of_supplier.level, of_item.level, of_company.level) as level,
        case
            when of_supplier.level is not null then of_supplier.member_id
            when of_item.level is not null then of_item.member_id
            else of_company.member_id
        end as member_id
    from items
    left join {{ ref('int_reorder_terms') }} as terms on items.item_id = terms.item_id
    left join statistics as of_supplier
        on terms.supplier_id = of_supplier.member_id
        and of_supplier.level = 'supplier'
    left join statistics as of_item
        on items.item_id = of_item.member_id
        and of_item.level = 'item'
    left join statistics as of_company on of_company.level = 'company'
),

final as (
    select
        found.item_id,
        case
            when found.level is not null then found.level
            when found.promised_days is not null then 'promise'
        end as lead_time_source,
        coalesce(statistics.completed_count, 0) as completed_count,
        coalesce(statistics.open_count, 0) as open_count,
        coalesce(statistics.negative_count, 0) as negative_count,
        coalesce(statistics.total_days, found.promised_days) as total_days,
        statistics.squared_days,
        coalesce(statistics.median_days, found.promised_days) as median_days,
        coalesce(statistics.p90_days, found.promised_days) as p90_days,
        {%- for tenth in range(1, 11) %}
        coalesce(statistics.tenth_{{ tenth }}_days, found.promised_days) as tenth_{{ tenth }}_days
        {{- ',' if not loop.last }}
        {%- endfor %}
    from found
    left join statistics
        on found.level = statistics.level
        and found.member_id = statistics.member_id
)

select * from final
