-- Puts the live builds on the search path and says how many there are.
SELECT count(set_config('search_path', path, true)) * coalesce(max(found), 0)
FROM (
    SELECT string_agg(quote_ident(slot), ', ' ORDER BY name) AS path, count(*) AS found
    FROM projections.slots
    WHERE name = ANY($1) AND state = 'live'
) live
