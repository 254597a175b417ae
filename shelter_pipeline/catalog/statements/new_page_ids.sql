-- Numbers for pages that are to be kept, so that they can name one another before they are.
SELECT nextval(pg_get_serial_sequence('exploration_page', 'id')) AS id FROM generate_series(1, :count);
