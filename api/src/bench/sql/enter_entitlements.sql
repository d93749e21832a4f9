-- Puts the live build of the read model on the search path.
SELECT set_config('search_path', quote_ident(slot), true) FROM projections.slots WHERE name = 'entitlements' AND state = 'live'
