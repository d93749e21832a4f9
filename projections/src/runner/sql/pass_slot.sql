-- Moves the checkpoint of a build whose rows the events did not change, if it still is where the caller believes it is. Lost together
-- with what came before it or not at all, so the disk is not waited for.
WITH relaxed AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
UPDATE projections.slots SET checkpoint = $3, moved_at = now()
FROM relaxed
WHERE slot = $1 AND checkpoint = $2 AND state = $4
