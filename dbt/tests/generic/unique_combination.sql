{#
What. Combinations of columns that occur more than once; nulls count as equal.
Why. Most keys of the vault are made of several columns.
Args. model; columns: list of columns.
Example. data_tests: [unique_combination: {arguments: {columns: [item_hk, seq]}}]
#}
{% test unique_combination(model, columns) %}
select {{ columns | join(', ') }}, count(*) as occurrences
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
