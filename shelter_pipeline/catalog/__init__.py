"""The Rescue DB: tables, migrations, and every SQL statement of Shelter.

PostgreSQL holds the state of every item; nobody else speaks SQL. Constraints are the
specification: states are checked, one live claim per asset is a unique index, fencing
tokens only rise. Statements that decide who owns what stand in `statements/*.sql`, one
file each, headed by the guarantee they give.
"""
