-- good
create table _cdc__boundaries (source varchar, entity varchar, seq varchar, kind varchar);
insert into _cdc__boundaries values
('erp', 'items', '00000100000000000025257328', 'snapshot'),
('erp', 'outages', '00000110000000000024685328', 'truncate');
-- bad_a_reader_that_begins_anew_and_anew: expect_table_row_count_to_be_between of _cdc/boundaries
insert into _cdc__boundaries
select 'erp', 'items', '000001000000' || lpad(n::varchar, 14, '0'), 'snapshot'
from range(10000) as s (n);
-- bad_a_position_cut_short: expect_column_values_to_match_regex of _cdc/boundaries.seq
update _cdc__boundaries set seq = '1000025257328' where entity = 'items';
