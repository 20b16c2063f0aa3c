"""Installs the programs that the tests need and this machine lacks, or says which they are.

Run as `python -m tests.harness.programs`, with `--cluster` for those of clusters too.
"""

import os
import sys

from tests.harness.clusters import provider
from tests.harness.servers import LOCAL, can_install, docker_answers, find, install

# Patroni needs the last two to talk to etcd.
OF_CLUSTERS = {
    "haproxy": ["haproxy"],
    "etcd": ["etcd-server"],
    "patroni": ["patroni", "python3-etcd", "python3-dnspython"],
}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def missing(*, cluster: bool = False) -> list[str]:
    """Give the packages of Debian that have the programs which are lacking."""
    packages = []
    starts_mysql = LOCAL in os.environ.get("TEST_MYSQL_URL", LOCAL).split(",")
    lacks_mysql = starts_mysql and not find("mysqld", "mariadbd") and not docker_answers()
    if lacks_mysql or (cluster and not find("mariadbd")):
        packages += ["mariadb-server-core", "mariadb-client-core"]
    if cluster and not provider():
        packages.append("galera-4")
    if cluster:
        packages += [package for program, needed in OF_CLUSTERS.items() if not find(program) for package in needed]
    if not find("pgbouncer"):
        packages.append("pgbouncer")
    if not find(*BROWSERS):
        packages.append("chromium")
    return packages


def main() -> None:
    """Install what is missing, where root can by apt-get; stop with a sentence where something still is."""
    cluster = "--cluster" in sys.argv
    packages = missing(cluster=cluster)
    if packages and can_install():
        print(f"Installing {', '.join(packages)} with apt-get", flush=True)
        install(*packages)
        packages = missing(cluster=cluster)
    if packages:
        raise SystemExit(
            f"The tests need programs that aren't here. On Debian: apt-get install {' '.join(packages)}. Elsewhere,"
            " install MariaDB or MySQL (or set TEST_MYSQL_URL, or start Docker), PgBouncer and Chromium."
        )


if __name__ == "__main__":
    main()
