-- good
create table rpt_supplier_performance (supplier_id varchar, on_time_rate decimal(18, 6));
insert into rpt_supplier_performance values ('a', 0), ('b', 1), ('c', null);
-- bad_more_than_all: expect_column_values_to_be_between of rpt_supplier_performance.on_time_rate
update rpt_supplier_performance set on_time_rate = 1.000001;
