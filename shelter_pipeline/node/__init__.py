"""A volunteer's worker: it asks the API for work over HTTP, fetches, keeps, proves, and knows no catalog."""
