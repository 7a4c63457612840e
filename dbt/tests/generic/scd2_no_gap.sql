{#
What. Versions of a member that are followed by a gap although nobody deleted the member.
Why. In a gap no version answers, so an as-of query would lose the member.
Args. model; business_key: the member's column; rows without one are no members.
Example. data_tests: [scd2_no_gap: {arguments: {business_key: item_id}}]
#}
{% test scd2_no_gap(model, business_key) %}
select *
from (
    select
        {{ business_key }},
        valid_from,
        valid_to,
        is_deleted,
        lead(valid_from) over (partition by {{ business_key }} order by valid_from) as next_valid_from,
        min(valid_from) over (partition by {{ business_key }}) as first_valid_from
    from {{ model }}
    where {{ business_key }} is not null
) as versions
where (not is_deleted and next_valid_from is distinct from valid_to)
    or first_valid_from <> {{ beginning_of_time() }}
{% endtest %}
