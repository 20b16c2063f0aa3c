"""Commands for projects made with the copier-fastapi-sqlalchemy template."""
