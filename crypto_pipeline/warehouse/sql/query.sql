-- prepare_session --
-- Also the transaction's first snapshot: after it, nothing can make the transaction writable again.
select
    set_config('search_path', 'market', true),
    set_config('statement_timeout', %(timeout_ms)s, true);
