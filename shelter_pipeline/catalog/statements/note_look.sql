-- Remember that the engine of our runs has looked for troubles just now.
INSERT INTO alert_look DEFAULT VALUES ON CONFLICT (one) DO UPDATE SET looked_at = now();
