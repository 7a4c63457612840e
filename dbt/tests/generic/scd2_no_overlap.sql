{#
What. Versions of a member that are empty, or still valid when the next one opens.
Why. Where two versions answer, a join doubles its facts.
Args. model; business_key: the member's column; rows without one are no members.
Example. data_tests: [scd2_no_overlap: {arguments: {business_key: item_id}}]
#}
{% test scd2_no_overlap(model, business_key) %}
select *
from (
    select
        {{ business_key }},
        valid_from,
        valid_to,
        lead(valid_from) over (partition by {{ business_key }} order by valid_from) as next_valid_from
    from {{ model }}
    where {{ business_key }} is not null
) as versions
where valid_to <= valid_from
    or (next_valid_from is not null and (valid_to is null or valid_to > next_valid_from))
{% endtest %}
