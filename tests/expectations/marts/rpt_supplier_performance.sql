-- good
create table rpt_supplier_performance (
    supplier_id varchar, on_time_rate decimal(18, 6), amount_brl decimal(38, 5), as_of_date date
);
insert into rpt_supplier_performance values
('a', 0, 1000000, '2024-10-02'), ('b', 1, 0, '2024-10-02'), ('c', null, 7.5, '2024-10-02');
insert into rpt_supplier_performance
select 'p' || n, null, 0, date '2024-10-02' from generate_series(1, 100) as s (n);
-- bad_suppliers_twice: expect_table_row_count_to_be_between of rpt_supplier_performance (drift)
insert into rpt_supplier_performance
select 'x' || n, 0, 0, '2024-10-02' from generate_series(1, 200) as s (n);
-- bad_more_than_all: expect_column_values_to_be_between of rpt_supplier_performance.on_time_rate
update rpt_supplier_performance set on_time_rate = 1.000001;
-- bad_orders_gone: expect_column_sum_to_be_between of rpt_supplier_performance.amount_brl (drift)
update rpt_supplier_performance set amount_brl = 800000 where supplier_id = 'a';
-- bad_a_day_that_is_over: expect_column_min_to_be_between of rpt_supplier_performance.as_of_date
update rpt_supplier_performance set as_of_date = '2024-09-30';
-- bad_a_day_to_come: expect_column_max_to_be_between of rpt_supplier_performance.as_of_date
update rpt_supplier_performance set as_of_date = '2024-10-03';
