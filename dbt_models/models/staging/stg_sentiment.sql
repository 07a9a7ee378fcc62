select
    index_name,
    day,
    slot,
    value,
    classification,
    is_provisional,
    observed_at,
    source,
    fetched_at
from {{ source('market', 'sentiment') }}
