-- $1 and $2 are the program's migrations, for whoever asks for them.
SELECT wrong
FROM (
    SELECT format('the key of subject %s is destroyed, and the log does not say that he is erased', k.subject_id) AS wrong
    FROM log.subject_keys k
    WHERE k.erased_at IS NOT NULL
      AND NOT EXISTS (SELECT FROM log.events e WHERE e.stream_id = k.subject_id AND e.category = 'subject' AND e.event_type = 'subject.erased')
    UNION ALL
    SELECT format('subject %s is erased at position %s, and his key is still there', k.subject_id, e.position)
    FROM log.events e
    JOIN log.subject_keys k ON k.subject_id = e.stream_id
    WHERE e.event_type = 'subject.erased' AND k.erased_at IS NULL
    UNION ALL
    SELECT format('subject %s, whose data is sealed at position %s, has no row', e.subject_id, e.position)
    FROM log.events e
    WHERE e.subject_id IS NOT NULL AND NOT EXISTS (SELECT FROM log.subject_keys k WHERE k.subject_id = e.subject_id)
) found
WHERE $1::integer[] IS NOT NULL AND $2::bytea[] IS NOT NULL
LIMIT 1
