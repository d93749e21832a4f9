DELETE FROM projections.subscriptions WHERE name = 'relay'
