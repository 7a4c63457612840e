{#
What. Members with another number of current versions than one; none if their last one was deleted.
Why. Reports of today join on is_current.
Args. model; business_key: the member's column; rows without one are no members.
Example. data_tests: [scd2_one_current: {arguments: {business_key: item_id}}]
#}
{% test scd2_one_current(model, business_key) %}
select
    {{ business_key }},
    count(case when is_current then 1 end) as current_versions,
    count(case when is_last and is_deleted then 1 end) as deletions
from (
    select
        {{ business_key }},
        is_current,
        is_deleted,
        lead(valid_from) over (
            partition by {{ business_key }} order by valid_from
        ) is null as is_last
    from {{ model }}
    where {{ business_key }} is not null
) as versions
group by {{ business_key }}
having count(case when is_current then 1 end)
    <> 1 - count(case when is_last and is_deleted then 1 end)
{% endtest %}
