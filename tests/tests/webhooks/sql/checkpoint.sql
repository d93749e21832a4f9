SELECT checkpoint FROM projections.subscriptions WHERE name = $1
