"""The least service: FastAPI, an engine, one route; it imports what every service of the template does."""

import os

import email_validator  # noqa: F401
import pydantic_settings  # noqa: F401
import sqlalchemy.orm  # noqa: F401
from fastapi import FastAPI
from sqlalchemy import create_engine, make_url

url = make_url(os.environ["DATABASE_URL"])
if url.get_dialect().is_async:
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine(url).sync_engine
else:
    engine = create_engine(url)

app = FastAPI()


@app.get("/health/live")
async def live() -> dict[str, str]:
    """Say that the process lives."""
    return {"status": "ok"}
