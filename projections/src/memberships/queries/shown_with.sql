-- What stands in other tables and is shown beside memberships.
SELECT jsonb_build_object(
    'id', m.id,
    'product_title', p.title,
    'delivery_type', p.delivery_type,
    'slug', p.slug,
    'receipt_id', pay.receipt_id)::text
FROM memberships m
LEFT JOIN products p ON p.id = m.product_id
LEFT JOIN payments pay ON pay.id = m.latest_payment_id
WHERE m.id = ANY($1)
