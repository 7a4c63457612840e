{#
What. The two rows of a dimension that stand for no member: no reference given, not applicable.
Why. Every fact finds a row, so an inner join loses none of them.
Args. key: the surrogate key's column; name: the column that people read; subject: what is missing,
in words; other_columns: mapping of the remaining columns to their types, which become null.
Example. {{ special_members('item_key', 'item_name', 'item', {'unit': 'text'}) }}
#}
{% macro special_members(key, name, subject, other_columns) -%}
{%- do require_arguments('special_members', {
    'key': key, 'name': name, 'subject': subject, 'other_columns': other_columns
}) -%}
    {%- for which, text in {'null': 'No ' ~ subject, 'not_applicable': 'Not applicable'}.items() %}
    select
        {{ special_key(which) }} as {{ key }},
        '{{ text }}' as {{ name }},
        {%- for column, type in other_columns.items() %}
        cast(null as {{ type }}) as {{ column }},
        {%- endfor %}
        {{ beginning_of_time() }} as valid_from,
        cast(null as timestamp with time zone) as valid_to,
        true as is_current,
        false as is_deleted,
        false as is_inferred,
        cast(null as bigint) as _commit_lsn_from,
        cast(null as bigint) as _commit_lsn_to
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
{%- endmacro %}
