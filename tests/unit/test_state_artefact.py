"""Models on disk: whole, without pickle, and never mistaken for another."""

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from algomatic_cli.core.errors import AlgomaticError, NotFoundError
from algomatic_cli.core.states import artefact
from algomatic_cli.core.states.artefact import ModelDamagedError, ModelOutdatedError
from algomatic_cli.core.states.model import Model
from tests.unit.states import World, trained, world


@pytest.fixture(scope="module")
def drawn() -> World:
    return world(3_000)


@pytest.fixture(scope="module")
def model(drawn: World) -> Model:
    return trained(drawn)


def at(model: Model, moment: str) -> Model:
    """The same model, trained at another instant."""
    return replace(model, facts=model.facts | {"created_at": moment})


def test_a_model_comes_back_as_it_was_and_assigns_the_same(model: Model, drawn: World, tmp_path: Path) -> None:
    saved = artefact.save(tmp_path, model)
    loaded = artefact.load(tmp_path, saved.model_id)
    for part in ("encoder", "chain"):
        for name, value in vars(getattr(saved, part)).items():
            np.testing.assert_array_equal(getattr(getattr(loaded, part), name), value)
    plain = (
        "model_id",
        "timeframe",
        "symbols",
        "inputs",
        "hyperparameters",
        "states",
        "facts",
        "ood_threshold",
        "train_end",
    )
    assert all(getattr(loaded, name) == getattr(saved, name) for name in plain)
    before, after = (m.assign(drawn.observed, drawn.sequence) for m in (saved, loaded))
    np.testing.assert_array_equal(before.state, after.state)
    np.testing.assert_array_equal(before.log_likelihood, after.log_likelihood)


def test_the_name_is_timeframe_date_and_a_hash_and_two_trainings_never_share_one(model: Model, tmp_path: Path) -> None:
    first = artefact.save(tmp_path, model)
    second = artefact.save(tmp_path, at(model, "2026-01-02T03:04:05.000001Z"))
    assert first.model_id.startswith("1Min-20260102-")
    assert first.model_id != second.model_id
    assert len(first.model_id) <= 50
    assert artefact.names(tmp_path) == sorted([first.model_id, second.model_id])


def test_the_newest_is_by_the_instant_of_training_and_of_its_timeframe(model: Model, tmp_path: Path) -> None:
    for moment in ("2026-01-02T03:04:07Z", "2026-01-02T03:04:09Z", "2026-01-02T03:04:08Z"):
        artefact.save(tmp_path, at(model, moment))
    newest = artefact.newest(tmp_path, "1Min")
    assert newest is not None
    assert newest.facts["created_at"].endswith(":09Z")
    assert artefact.newest(tmp_path, "1Day") is None
    assert artefact.newest(tmp_path / "nowhere", "1Min") is None


def test_the_files_hold_json_and_plain_arrays_and_no_pickle(model: Model, tmp_path: Path) -> None:
    saved = artefact.save(tmp_path, model)
    files = sorted(path.name for path in (tmp_path / saved.model_id).iterdir())
    assert files == ["arrays.npz", "model.json"]
    json.loads((tmp_path / saved.model_id / "model.json").read_text(encoding="utf-8"))
    with zipfile.ZipFile(tmp_path / saved.model_id / "arrays.npz") as archive:
        for name in archive.namelist():
            content = archive.read(name)
            assert content.startswith(b"\x93NUMPY"), name
            assert b"'descr': '<f8'" in content[:128], "an object array would be '|O', and need pickle"
            assert not content[128:].startswith(b"\x80"), "the first byte of a pickle"


def test_no_code_of_the_models_domain_knows_pickle() -> None:
    sources = [path.read_text(encoding="utf-8") for path in Path(artefact.__file__).parent.glob("*.py")]
    assert not [source for source in sources if "import pickle" in source or "joblib" in source]
    assert all("allow_pickle=True" not in source for source in sources)


def test_a_model_needs_nothing_of_the_libraries_that_trained_it(model: Model, tmp_path: Path) -> None:
    import subprocess
    import sys

    saved = artefact.save(tmp_path, model)
    script = (
        "import sys\nfrom pathlib import Path\n"
        "sys.modules['hmmlearn'] = sys.modules['sklearn'] = sys.modules['scipy'] = None\n"
        "from algomatic_cli.core.states import artefact\n"
        f"model = artefact.load(Path({str(tmp_path)!r}), {saved.model_id!r})\n"
        "import numpy as np\n"
        "print(len(model.assign(np.zeros((5, 3)), np.zeros(5, dtype=np.int64))))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "5"), done.stderr


@pytest.mark.parametrize(
    ("file", "change", "said"),
    [
        ("arrays.npz", lambda raw: raw[: len(raw) // 2], "arrays.npz is not the file that was written"),
        ("arrays.npz", lambda raw: raw[:200] + b"\xff" + raw[201:], "arrays.npz is not the file that was written"),
        ("arrays.npz", lambda raw: b"", "arrays.npz is not the file that was written"),
        ("model.json", lambda raw: raw[:300], "model.json is not JSON"),
        ("model.json", lambda raw: b"[]", "cannot be read"),
        ("model.json", lambda raw: b"{}", "model.json has no 'model_id'"),
        ("model.json", lambda raw: raw.replace(b'"min_dwell": 5', b'"min_dwell": 1'), "model.json is not the file"),
        ("model.json", lambda raw: b"\xff\xfe", "cannot be read"),
        ("arrays.npz", None, "arrays.npz is missing"),
        ("model.json", None, "model.json is missing"),
    ],
)
def test_a_damaged_model_is_refused_with_what_is_wrong(
    model: Model, tmp_path: Path, file: str, change: object, said: str
) -> None:
    saved = artefact.save(tmp_path, model)
    path = tmp_path / saved.model_id / file
    if callable(change):
        path.write_bytes(change(path.read_bytes()))
    else:
        path.unlink()
    with pytest.raises(ModelDamagedError, match=said) as caught:
        artefact.load(tmp_path, saved.model_id)
    assert saved.model_id in caught.value.reason
    assert artefact.newest(tmp_path, "1Min") is None
    ((name, found),) = artefact.listing(tmp_path)
    assert name == saved.model_id
    assert isinstance(found, AlgomaticError)


def test_an_unknown_model_is_answered_with_the_nearest_and_no_path_leaves_the_directory(
    model: Model, tmp_path: Path
) -> None:
    saved = artefact.save(tmp_path / "models", model)
    with pytest.raises(NotFoundError) as caught:
        artefact.load(tmp_path / "models", saved.model_id[:-1] + "z")
    assert saved.model_id in str(caught.value.next_step)
    for name in ("", "..", "../models", f"../models/{saved.model_id}"):
        with pytest.raises(NotFoundError):
            artefact.load(tmp_path / "models", name)


def test_a_model_of_another_feature_set_is_refused(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = artefact.save(tmp_path, model)
    monkeypatch.setattr(artefact, "VERSION", "2")
    with pytest.raises(ModelOutdatedError, match="feature set 1, this is 2") as caught:
        artefact.load(tmp_path, saved.model_id)
    assert caught.value.next_step == "algomatic states train TEST --tf 1Min"


def test_a_failed_write_leaves_nothing_behind(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: bytes) -> None:
        if path.name == "model.json":
            raise OSError(28, "No space left on device")
        path.write_bytes(content)

    monkeypatch.setattr(artefact, "_write", full)
    with pytest.raises(OSError, match="No space"):
        artefact.save(tmp_path, model)
    assert list(tmp_path.iterdir()) == []
