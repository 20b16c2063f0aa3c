"""The documentation page, whose scripts come from the service: it works without internet."""

from html import escape
from pathlib import Path

import fastapi_offline
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles

from app.web.links import path_to

# The URLs are relative, so that a prefix in front of the service changes nothing, and no script
# is in the page itself, so that a strict Content-Security-Policy allows it.
PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<link rel="icon" href="docs/static/favicon.png">
<link rel="stylesheet" href="docs/static/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/static/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
SCRIPT = 'SwaggerUIBundle({dom_id: "#swagger-ui", url: "openapi.json", deepLinking: true})\n'
STATIC = Path(fastapi_offline.__file__).with_name("static")

router = APIRouter(include_in_schema=False)
router.mount("/docs/static", StaticFiles(directory=STATIC))


@router.get("/")
async def redirect_to_docs(request: Request) -> Response:
    return RedirectResponse(path_to(request, "show_docs"))


@router.get("/docs")
async def show_docs(request: Request) -> Response:
    return HTMLResponse(PAGE.format(title=escape(request.app.title)))


@router.get("/docs/start.js")
async def send_start_script() -> Response:
    return Response(SCRIPT, media_type="text/javascript")
