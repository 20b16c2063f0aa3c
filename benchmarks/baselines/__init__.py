"""Services to compare with: each serves three calls of the HTTP contract, from the tables of a rendered project.

`GET /api/v1/users/{id}` reads a row by its key, `GET /api/v1/posts` a page of posts with their tags,
and `POST /api/v1/users` inserts a row. `DATABASE_URL` names the database, with the driver.

`full_stack`, `benavlabs` and `s3rius` have the shape of other templates: how a request gets its session, which
statements read and write, and when is committed. They are written by us for this benchmark; no code is copied.
"""
