-- Forget troubles that ended long ago, with who was told of them.
DELETE FROM alert WHERE cleared_at < now() - interval '90 days';
