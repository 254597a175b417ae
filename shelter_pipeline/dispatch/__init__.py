"""How work is cut and handed out: batches that suit a host, and what keeps a claim alive.

A batch is one organization and one host, or a mixed batch of hosts with few files; a
big file goes alone. Who owns what is decided in the catalog's statements.
"""
