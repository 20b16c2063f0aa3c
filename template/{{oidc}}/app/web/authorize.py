"""How "Authorize" in the documentation page logs in at the identity provider, and comes back."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from app.settings import Settings

PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Logged in</title>
</head>
<body>
<script src="authorized.js"></script>
</body>
</html>
"""
# The page that has opened this one asks for the token with the code, and its secret of PKCE.
SCRIPT = """\
const asked = window.opener.swaggerUIRedirectOauth2
const given = new URLSearchParams(location.search)
if (given.has("code") && given.get("state") === asked.state) {
  delete asked.state
  asked.auth.code = given.get("code")
  asked.callback({auth: asked.auth, redirectUrl: asked.redirectUrl})
} else {
  const message = given.get("error_description") || given.get("error") || "There is no code."
  asked.errCb({authId: asked.auth.name, source: "auth", level: "error", message})
}
window.close()
"""

router = APIRouter(include_in_schema=False)


def login_options(settings: Settings) -> dict[str, Any]:
    """Return what the page needs to log in as a public client."""
    return {
        "clientId": settings.oidc_client_id,
        "scopes": "openid profile email",
        "usePkceWithAuthorizationCodeGrant": True,
        # Some providers give a token that can be verified only to who asks for an audience.
        "additionalQueryStringParams": {"audience": settings.oidc_audience},
    }


@router.get("/docs/authorized")
async def show_authorized() -> Response:
    return HTMLResponse(PAGE)


@router.get("/docs/authorized.js")
async def send_authorized_script() -> Response:
    return Response(SCRIPT, media_type="text/javascript")
