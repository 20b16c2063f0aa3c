"""The revisions of a rendered project, on the database servers."""
