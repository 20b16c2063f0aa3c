"""Services to measure ours by. Each answers three calls of the contract, from the tables of a rendered project.

`GET /api/v1/users/{id}` is a row by its key, `GET /api/v1/posts` a page of 20 with their tags, `POST /api/v1/users` an
insert. `DATABASE_URL` names the database, with the driver.
"""
