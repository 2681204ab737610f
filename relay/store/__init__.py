"""The durable store: the only home of SQLAlchemy. One code for SQLite and PostgreSQL."""
