-- One of the keys is given. A handle is found with and without its leading @; a transaction may be any payment's, not only the last.
SELECT to_jsonb(m)::text FROM memberships m
WHERE m.owner_id = $1
  AND (m.wallet = $2
       OR m.history @> jsonb_build_array(jsonb_build_object('wallet', $2::text))
       OR m.history @> jsonb_build_array(jsonb_build_object('tx_signature', $3::text))
       OR m.external_customer_id = $4 OR lower(m.email) = lower($4)
       OR lower(ltrim(m.identity_value, '@')) = lower(ltrim($4, '@'))
       OR lower(ltrim(m.identity_display, '@')) = lower(ltrim($4, '@'))
       OR lower(ltrim(m.platform_display, '@')) = lower(ltrim($4, '@')))
ORDER BY m.created_at DESC, m.id DESC
LIMIT 100
