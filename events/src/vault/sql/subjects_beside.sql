SELECT DISTINCT e.subject_id FROM log.events e
WHERE e.subject_id IS NOT NULL
  AND (e.correlation_id IN (SELECT o.correlation_id FROM log.events o WHERE o.category = $1 AND o.stream_id = $2)
       OR (e.category = $1 AND e.stream_id = $2))
ORDER BY e.subject_id
