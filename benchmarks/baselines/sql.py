"""The SQL that the baselines on asyncpg share."""

import json
import os

import asyncpg

USER = """
SELECT u.id, u.created_at, u.updated_at, u.email, u.name, u.role, u.is_active, u.preferences,
       p.user_id AS profile_id, p.bio, p.avatar_url
FROM users u LEFT JOIN profiles p ON p.user_id = u.id
WHERE u.id = $1
"""
POSTS = """
SELECT id, created_at, updated_at, author_id, title, published
FROM posts ORDER BY created_at DESC, id DESC LIMIT $1
"""
TAGS = """
SELECT pt.post_id, t.name FROM post_tags pt JOIN tags t ON t.id = pt.tag_id
WHERE pt.post_id = ANY($1) ORDER BY t.name
"""
INSERT = """
INSERT INTO users (email, name, role, is_active, preferences) VALUES ($1, $2, $3, $4, $5)
RETURNING id, created_at, updated_at
"""


async def open_pool() -> asyncpg.Pool:
    async def prepare(connection: asyncpg.Connection) -> None:
        await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")

    return await asyncpg.create_pool(os.environ["DATABASE_URL"], init=prepare, min_size=5, max_size=15)
