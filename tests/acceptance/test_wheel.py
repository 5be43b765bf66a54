"""The wheel carries all it needs: built, installed into a clean environment, it migrates a database of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
pytestmark = pytest.mark.wheel


def run(*command: str | Path, cwd: Path, home: Path) -> str:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("DB_", "DATABASE_URL", "ALGOMATIC_"))
    }
    environment["ALGOMATIC_HOME"] = str(home)
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_a_wheel_in_a_clean_environment_upgrades_its_database(tmp_path: Path) -> None:
    home = tmp_path / "home"
    run(sys.executable, "-m", "build", "--wheel", "--outdir", tmp_path / "dist", TOP, cwd=tmp_path, home=home)
    (wheel,) = (tmp_path / "dist").glob("algomatic_cli-*.whl")
    run(sys.executable, "-m", "venv", tmp_path / "clean", cwd=tmp_path, home=home)
    programs = tmp_path / "clean" / "bin"
    run(programs / "pip", "install", "-q", wheel, cwd=tmp_path, home=home)

    run(programs / "algomatic", "db", "upgrade", cwd=tmp_path, home=home)
    status = json.loads(run(programs / "algomatic", "db", "status", "--json", cwd=tmp_path, home=home))
    assert status["mode"] == "embedded"
    assert status["pending"] == 0
    assert status["revision"] == status["head"]
    assert "checkout" not in run(programs / "algomatic", "db", "history", cwd=tmp_path, home=home)
    # What is no Python travels too: bundled bars, the catalogue of strategies, the page's template.
    shown = json.loads(run(programs / "algomatic", "-q", "demo", "--json", cwd=tmp_path, home=home))
    assert (len(shown["series"]), shown["probes"]["units"]) == (11, 100)
    listing = run(
        programs / "python", "-c", "import algomatic_cli; print(algomatic_cli.__file__)", cwd=tmp_path, home=home
    )
    assert str(tmp_path) in listing, "it is the wheel's copy that ran"
