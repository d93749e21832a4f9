-- Everyone who holds or held something, with every product of his merchant: what a check could be asked.
SELECT DISTINCT c.owner_id, p.livemode, p.id, p.external_product_id, c.external_customer_id, c.wallet, c.email
FROM (
    SELECT owner_id, external_customer_id, wallet, email FROM entitlements
    UNION
    SELECT owner_id, external_customer_id, wallet, email FROM memberships
) c
JOIN access_products p ON p.owner_id = c.owner_id
ORDER BY c.owner_id, p.id, c.external_customer_id, c.wallet, c.email
