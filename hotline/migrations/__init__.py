"""The database's schema as a chain of Alembic revisions that run on SQLite and on PostgreSQL.

`hotline.schema` runs them; `env.py` and `script.py.mako` are read by Alembic, `versions/` holds the revisions.
"""
