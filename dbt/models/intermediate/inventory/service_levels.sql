-- Grain: one row per criticality of an item; a policy, changed here and nowhere else.
{#- No CSV seed: a build runs models, and a policy that a build does not read would change nothing.
z_value is the quantile of the normal distribution, written out because engines do not have one. -#}
{%- set policy = [('A', '0.98', '2.0537489106'), ('B', '0.95', '1.6448536270'),
    ('C', '0.90', '1.2815515655')] %}
{%- for criticality, service_level, z_value in policy %}
select
    cast('{{ criticality }}' as {{ dbt.type_string() }}) as criticality,
    cast({{ service_level }} as numeric(7, 6)) as service_level,
    cast({{ z_value }} as numeric(12, 10)) as z_value
{% if not loop.last %}union all{% endif %}
{%- endfor %}
