-- prepare_session --
-- Also the transaction's first snapshot: after it, nothing can make the transaction writable again.
select
    set_config('search_path', 'market, collector', true),
    set_config('statement_timeout', %(timeout_ms)s, true);

-- side_by_side --
-- For a connection that reads a great many rows to compare their numbers, and is closed after it:
-- partitions of a month are small, but many processes can each take some.
select
    set_config('min_parallel_table_scan_size', '0', false),
    set_config('parallel_setup_cost', '0', false),
    set_config('parallel_tuple_cost', '0', false);
