-- The reader that is furthest behind; the relay itself and replaced builds do not count.
SELECT coalesce(min(checkpoint), -1) FROM (
    SELECT checkpoint FROM projections.slots WHERE state = 'live'
    UNION ALL
    SELECT checkpoint FROM projections.subscriptions WHERE name <> $1
) readers
