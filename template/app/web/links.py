"""Links from one route to another."""

from typing import Any

from fastapi import Request


def path_to(request: Request, name: str, **parameters: Any) -> str:
    """Return the path of a route, with the prefix that a proxy has in front of the service.

    It is that of `request.url_for`, which makes a whole URL in twice the time.
    """
    root_path: str = request.scope.get("root_path", "")
    path: str = request.app.url_path_for(name, **parameters)
    return root_path.rstrip("/") + path
