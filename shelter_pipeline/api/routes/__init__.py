"""The routes, one module for each kind of caller; `api.app` gathers them."""
