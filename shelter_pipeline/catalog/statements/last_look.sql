-- When the engine of our runs last looked for troubles, and how long ago that is; no row if never.
SELECT looked_at, extract(epoch FROM now() - looked_at)::double precision AS seconds_ago FROM alert_look;
