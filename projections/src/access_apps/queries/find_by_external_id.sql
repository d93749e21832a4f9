SELECT to_jsonb(t)::text FROM access_apps t
WHERE t.owner_id = $1 AND t.livemode = $2 AND t.external_app_id = $3
