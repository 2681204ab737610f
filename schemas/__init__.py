"""marshmallow schemas: shapes of bodies that come in and go out. No HTTP, no store."""
