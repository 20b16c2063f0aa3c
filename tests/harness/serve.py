"""Serves `app.main:create_app` of the folder it runs in on a free port of the loopback address.

Run as `python serve.py FILE [PREFIX]`; the port is written to FILE once connections queue up on it. PREFIX is what a
proxy takes off the path of a request.
"""

import socket
import sys
from importlib import import_module
from pathlib import Path

import uvicorn

PATIENCE = 60.0  # seconds that the database has to answer in: the machine of a test may be busy
KEEP_ALIVE = 600  # seconds: a busy machine can halt a process for some
with socket.create_server(("127.0.0.1", 0)) as listener:
    target = Path(sys.argv[1])
    draft = target.with_suffix(".draft")
    draft.write_text(str(listener.getsockname()[1]))
    draft.rename(target)
    vars(import_module("app.web.health"))["READY_TIMEOUT"] = PATIENCE
    # Hashes of a few milliseconds, which still are most of what a login takes.
    if Path("app/auth/passwords.py").exists():
        hasher = import_module("pwdlib.hashers.argon2").Argon2Hasher(time_cost=1, memory_cost=4096, parallelism=1)
        vars(import_module("app.auth.passwords"))["HASHER"] = import_module("pwdlib").PasswordHash([hasher])
    # Keys that aren't known are asked for again after a moment, not after a minute.
    if Path("app/auth/keys.py").exists():
        vars(import_module("app.auth.keys")).update(PAUSE=0.3, PAUSE_WITHOUT_KEYS=1)
    root_path = "".join(sys.argv[2:])
    # A client gives an idle connection up before the service does; of the two at once, its request is reset.
    config = uvicorn.Config(
        "app.main:create_app",
        factory=True,
        http="app.web.protocol:Http",
        root_path=root_path,
        timeout_keep_alive=KEEP_ALIVE,
    )
    uvicorn.Server(config).run(sockets=[listener])
