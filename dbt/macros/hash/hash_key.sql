{#
What. The hash key of an entity, or null when a part of its business key is null.
Why. A reference to nothing is no reference: it must not find a hub row made of ''.
Args. columns: mapping of SQL expression to type (see text_of), the parts of the business key.
Example. {{ hash_key({'item_id': 'text', 'tower_id': 'text'}) }} as item_tower_hk
#}
{% macro hash_key(columns) -%}
    case
        when {{ columns | join(' is not null and ') }} is not null
            then {{ hash_of(columns) }}
    end
{%- endmacro %}
