"""A server as other people run one: on a TCP port, with a password."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest

from algomatic_cli.core.db.embedded import PARAMETERS, EmbeddedServer
from algomatic_cli.core.home import Home
from tests.conftest import CARELESS

PASSWORD = "p@ss/w%rd:€"


@dataclass(frozen=True)
class ConfiguredServer:
    port: int
    embedded: EmbeddedServer

    @property
    def environment(self) -> dict[str, str]:
        """The DB_* variables that name it."""
        return {"DB_PORT": str(self.port), "DB_HOST": "127.0.0.1", "DB_USER": "trader", "DB_PASSWORD": PASSWORD}


@pytest.fixture(scope="session")
def configured_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConfiguredServer]:
    """A server with a user `trader`, who must give a password and owns the database `algomatic`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    parameters = {**PARAMETERS, **CARELESS, "listen_addresses": "127.0.0.1", "port": str(port)}
    embedded = _ServerOnPort(Home(tmp_path_factory.mktemp("configured")), parameters)
    with embedded.running():
        (embedded.data / "pg_hba.conf").write_text("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
        with psycopg.connect(embedded.url("postgres"), autocommit=True) as administrator:
            administrator.execute("SELECT pg_reload_conf()")
            administrator.execute(
                psycopg.sql.SQL("CREATE ROLE trader LOGIN CREATEDB PASSWORD {}").format(psycopg.sql.Literal(PASSWORD))
            )
            administrator.execute("CREATE DATABASE algomatic OWNER trader")
        yield ConfiguredServer(port, embedded)


class _ServerOnPort(EmbeddedServer):
    """Its socket is named after its port."""

    def url(self, database: str = "algomatic") -> str:
        return f"{super().url(database)}&port={self.parameters['port']}"
