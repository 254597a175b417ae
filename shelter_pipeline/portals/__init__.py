"""Catalogue formats turned into one record: data.gov's own API, CKAN's Action API, DCAT-US documents.

Each driver turns a portal's words into `domain.records` and invents nothing: what it
cannot read is None with a note, what it cannot keep is a refusal that names the field,
and no bad record or odd page costs any other record. The room reads through whatever
`Reader` it is handed and never opens a connection of its own.
"""
