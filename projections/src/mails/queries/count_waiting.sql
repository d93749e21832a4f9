SELECT to_jsonb(count(*))::text FROM (SELECT FROM mails t WHERE t.status = 'QUEUED' LIMIT $1) waiting
