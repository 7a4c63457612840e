-- good
create table rpt_sla_performance (
    contract_id varchar, month_date date, breach_rate decimal(18, 6), penalty_brl decimal(24, 6),
    as_of_date date
);
insert into rpt_sla_performance values
('NC01', '2024-10-01', 0, 2000000, '2024-10-02'), ('NC02', '2024-10-01', 1, 0, '2024-10-02'),
('NC03', '2024-10-01', null, 0, '2024-10-02');
-- bad_months_twice: expect_table_row_count_to_be_between of rpt_sla_performance (drift)
insert into rpt_sla_performance
select 'NC04', '2024-10-01', 0, 0, '2024-10-02' from generate_series(1, 200) as s (n);
-- bad_more_than_all: expect_column_values_to_be_between of rpt_sla_performance.breach_rate
update rpt_sla_performance set breach_rate = 1.000001 where contract_id = 'NC02';
-- bad_they_pay_us: expect_column_values_to_be_between of rpt_sla_performance.penalty_brl
update rpt_sla_performance set penalty_brl = -0.01 where contract_id = 'NC02';
-- bad_a_rate_for_another: expect_column_sum_to_be_between of rpt_sla_performance.penalty_brl (drift)
update rpt_sla_performance set penalty_brl = 3 * penalty_brl;
-- bad_a_day_that_is_over: expect_column_min_to_be_between of rpt_sla_performance.as_of_date
update rpt_sla_performance set as_of_date = '2024-09-30';
-- bad_a_day_to_come: expect_column_max_to_be_between of rpt_sla_performance.as_of_date
update rpt_sla_performance set as_of_date = '2024-10-03';
