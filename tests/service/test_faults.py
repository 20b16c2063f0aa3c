"""Every base variant's service answers 503 in bounded time while its database fails, and serves again after that."""

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import make_url, text

from tests.harness import servers
from tests.harness.servers import NewDatabase
from tests.harness.service import NO_CERTIFICATES, calling, wait_until_ready
from tests.harness.warm_process import WarmProcess
from tests.service.proxy import PATIENCE, Proxy, Service, served

pytestmark = [pytest.mark.example, pytest.mark.each_base]
networked = pytest.mark.database("postgresql", "mysql")

ATTEMPTS = 10
# Connections are left before the service closes them, which it does after five seconds.
FRESH = httpx2.Limits(keepalive_expiry=1)


@pytest.fixture(scope="session")
def timed_service(
    warm_process: WarmProcess, project: Path, new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """A service on a database of its own."""
    with new_database() as url, served(warm_process, project, url, tmp_path_factory.mktemp("service")) as made:
        yield made


@pytest.fixture
def patient_service(
    warm_process: WarmProcess, project: Path, new_database: NewDatabase, tmp_path: Path
) -> Iterator[Service]:
    """A service with the default timeouts, for what has to succeed at once."""
    with (
        new_database() as url,
        served(warm_process, project, url, tmp_path, settings={"DB_POOL_SIZE": "2"}) as made,
    ):
        yield made


@pytest.fixture(scope="session")
def own_mysql(tmp_path_factory: pytest.TempPathFactory, scratch: Path) -> Iterator[servers.Server]:
    """A server of MySQL or MariaDB that no one else uses."""
    with servers.mysql(scratch / tmp_path_factory.mktemp("mysql").name, print) as url:
        yield servers.identify(url)


def check_unavailable(response: httpx2.Response) -> None:
    """Check that a response is a 503 that says when to try again."""
    assert response.status_code == 503, response.text
    assert int(response.headers["retry-after"]) >= 1


def recover(request: Callable[[], httpx2.Response]) -> None:
    """Check that a request succeeds again, and is a 503 until then."""
    for _ in range(ATTEMPTS):
        response = request()
        if response.is_success:
            return
        check_unavailable(response)
    pytest.fail(f"{ATTEMPTS} requests failed, the last with {response.text}")


@networked
def test_server_that_does_not_answer_is_503(timed_service: Service) -> None:
    assert timed_service.proxy is not None
    recover(timed_service.write)
    timed_service.proxy.hold()
    with ThreadPoolExecutor(6) as threads:
        answers = [
            threads.submit(request) for request in (timed_service.read, timed_service.write, timed_service.ready) * 2
        ]
    for answer in answers:
        check_unavailable(answer.result())
    check_unavailable(timed_service.read())
    timed_service.proxy.release()
    recover(timed_service.read)
    recover(timed_service.write)
    recover(timed_service.ready)


def test_locked_table_is_503(timed_service: Service) -> None:
    recover(timed_service.write)
    lock, unlock = {
        "sqlite": ("BEGIN IMMEDIATE", "ROLLBACK"),
        "postgresql": ("BEGIN; LOCK TABLE users", "ROLLBACK"),
        "mysql": ("LOCK TABLES users WRITE", "UNLOCK TABLES"),
    }[make_url(timed_service.database).drivername]
    engine = servers.engine(timed_service.database).execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(lock))
        check_unavailable(timed_service.write())
        connection.execute(text(unlock))
    recover(timed_service.write)


def test_database_at_earlier_revision_is_not_ready(timed_service: Service) -> None:
    with servers.engine(timed_service.database).connect() as connection:
        for version, status in (("0000", 200), (None, 503), ("0001", 200)):
            connection.execute(text("DELETE FROM alembic_version"))
            if version is not None:
                connection.execute(text("INSERT INTO alembic_version VALUES (:version)"), {"version": version})
            connection.commit()
            assert timed_service.ready().status_code == status, version


@networked
def test_unmigrated_replica_is_told_from_the_database(
    warm_process: WarmProcess, project: Path, new_database: NewDatabase, tmp_path: Path
) -> None:
    with new_database() as url, new_database() as replica:
        for each in (url, replica):
            warm_process.run(["-m", "alembic", "upgrade", "head"], project, {"DATABASE_URL": each})
        settings = {"DATABASE_URL": url, "DATABASE_READ_URL": replica}
        with calling(warm_process, project, settings, tmp_path, path="") as client:
            for name, each in (("replica", replica), ("database", url)):
                warm_process.run(["-m", "alembic", "downgrade", "base"], project, {"DATABASE_URL": each})
                response = client.get("/health/ready")
                assert response.status_code == 503, response.text
                assert response.json()["detail"] == f"The {name} isn't migrated."


@pytest.mark.database("sqlite")
def test_missing_file_is_503_and_not_created(
    warm_process: WarmProcess, project: Path, new_database: NewDatabase, tmp_path: Path
) -> None:
    with new_database() as url, served(warm_process, project, url, tmp_path) as service:
        file = Path(str(make_url(url).database))
        recover(service.write)
        aside = file.rename(file.with_suffix(".aside"))
        for request in (service.write, service.read, service.ready, service.write):
            check_unavailable(request())
        assert service.ready().json()["detail"] == "The database isn't migrated."
        assert not file.exists()
        aside.rename(file)
        recover(service.read)


@pytest.mark.database("postgresql")
def test_changed_column_type_is_503_until_connections_are_replaced(patient_service: Service) -> None:
    recover(patient_service.write)
    for _ in range(20):  # enough for each connection to prepare the statement
        assert patient_service.read().status_code == 200
    with servers.engine(patient_service.database).begin() as connection:
        connection.execute(text("ALTER TABLE users ALTER name TYPE text"))
    recover(patient_service.read)
    assert [patient_service.read().status_code for _ in range(5)] == [200] * 5


@pytest.mark.database("postgresql")
def test_connection_to_read_only_server_is_replaced(patient_service: Service) -> None:
    name = make_url(patient_service.database).database
    recover(patient_service.write)
    with (
        servers.engine(patient_service.database).execution_options(isolation_level="AUTOCOMMIT").connect() as connection
    ):
        connection.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = :name AND pid <> pg_backend_pid()"
            ),
            {"name": name},
        )
        recover(patient_service.read)
        for _ in range(3):
            check_unavailable(patient_service.write())
        recover(patient_service.read)
        connection.execute(text("SET default_transaction_read_only = off"))
        connection.execute(text(f"ALTER DATABASE {name} RESET default_transaction_read_only"))
    recover(patient_service.write)
    assert [patient_service.write().status_code for _ in range(3)] == [201] * 3


@networked
def test_process_ends_while_a_request_hangs(
    timed_service: Service, warm_process: WarmProcess, project: Path, tmp_path: Path
) -> None:
    url, port = make_url(timed_service.database), servers.free_port()
    assert url.host is not None
    assert url.port is not None
    proxy = Proxy((url.host, url.port))
    reached = url.set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False)
    environment = {"DATABASE_URL": reached, "DB_STATEMENT_TIMEOUT": "600"}
    command = ["-m", "uvicorn", "--factory", "app.main:create_app", f"--port={port}", "--timeout-graceful-shutdown=1"]
    child = warm_process.start(command, project, environment)
    (tmp_path / "port").write_text(str(port))
    address = wait_until_ready(child, tmp_path / "port")
    with ThreadPoolExecutor(1) as threads, httpx2.Client(verify=NO_CERTIFICATES, timeout=PATIENCE) as client:
        proxy.hold()
        request = threads.submit(client.get, f"{address}/api/v1/users")
        assert proxy.keeps.wait(PATIENCE)
        os.kill(child.pid, signal.SIGTERM)
        warm_process.wait(child, PATIENCE)
        assert request.exception() or request.result().status_code >= 500
    proxy.close()


@pytest.mark.database("postgresql")
def test_concurrent_requests_through_transaction_pooler(
    warm_process: WarmProcess,
    project: Path,
    server: servers.Server,
    new_database: NewDatabase,
    scratch: Path,
    tmp_path: Path,
) -> None:
    with servers.pooler(server, scratch / tmp_path.name) as pooler, new_database() as url:
        pooled = make_url(pooler).set(database=make_url(url).database).render_as_string(hide_password=False)
        environment = {"DATABASE_URL": pooled, "DB_POOL": "null"}
        warm_process.run(["-m", "alembic", "upgrade", "head"], project, environment)
        with (
            calling(warm_process, project, environment, tmp_path, timeout=PATIENCE, limits=FRESH) as client,
            ThreadPoolExecutor(16) as threads,
        ):
            users = [{"email": f"{number}@example.com", "name": "Ada"} for number in range(50)]
            written = threads.map(lambda user: client.post("/users", json=user).status_code, users)
            read = threads.map(lambda _: client.get("/users").status_code, range(200))
            assert set(written) == {201}
            assert set(read) == {200}


@pytest.mark.database("mysql")
def test_write_to_read_only_server_is_503(
    warm_process: WarmProcess, project: Path, own_mysql: servers.Server, tmp_path: Path
) -> None:
    with servers.new_database(own_mysql, tmp_path) as url:
        name = make_url(url).database
        with servers.engine(url).execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("CREATE USER IF NOT EXISTS 'plain'@'%' IDENTIFIED BY 'plain'"))
            connection.execute(text(f"GRANT ALL ON {name}.* TO 'plain'@'%'"))
            plain = make_url(url).set(username="plain", password="plain").render_as_string(hide_password=False)
            with served(warm_process, project, plain, tmp_path, url) as service:
                recover(service.write)
                connection.execute(text("SET GLOBAL read_only = 1"))
                check_unavailable(service.write())
                recover(service.read)
                connection.execute(text("SET GLOBAL read_only = 0"))
                recover(service.write)
