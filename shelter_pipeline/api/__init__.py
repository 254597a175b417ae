"""The HTTP skin: what volunteers' nodes, researchers and old CKAN clients speak to.

A route parses, asks who is there, calls one operation and serialises. Every answer that is
not what was asked for is `{"error": slug, "message": sentence}`, and no traceback leaves.
"""
