"""Models on disk: one directory a model, `model.json` (what it is) and `arrays.npz` (its numbers).

No pickle: NumPy reads the arrays with allow_pickle=False, so that a model file is data and not a program, and loads
after every upgrade of the libraries that trained it. The JSON holds a checksum of the arrays; a directory appears
whole or not at all.
"""

import hashlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algomatic_cli.core.errors import AlgomaticError, NotFoundError
from algomatic_cli.core.features.registry import VERSION
from algomatic_cli.core.nearest import nearest
from algomatic_cli.core.states.hmm import Chain
from algomatic_cli.core.states.inputs import Input
from algomatic_cli.core.states.model import Hyperparameters, Model
from algomatic_cli.core.states.profile import State
from algomatic_cli.core.states.scaling import Encoder

FORMAT = 1
_JSON, _ARRAYS = "model.json", "arrays.npz"


class ModelDamagedError(AlgomaticError):
    """A model's files cannot be read."""


class ModelOutdatedError(AlgomaticError):
    """The model was trained on another version of the feature set."""


def save(directory: Path, model: Model) -> Model:
    """Write a model below `directory` under a name of its own; returns it with that name.

    The name is the timeframe, the training's date and a hash of everything in the files, the instant of training
    included: two trainings never share one.
    """
    arrays = _packed(model)
    facts = _document(model) | {"arrays_sha256": hashlib.sha256(arrays).hexdigest()}
    day = str(model.facts["created_at"])[:10].replace("-", "")
    model_id = f"{model.timeframe}-{day}-{_mark(facts)}"
    directory.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=directory))
    try:
        _write(scratch / _ARRAYS, arrays)
        _write(scratch / _JSON, json.dumps({"model_id": model_id, **facts}, indent=2).encode())
        scratch.chmod(0o755)
        scratch.rename(directory / model_id)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    return replace(model, model_id=model_id)


def load(directory: Path, model_id: str) -> Model:
    """Read a model.

    Raises:
        NotFoundError: there is none of that name.
        ModelDamagedError: a file is missing, cut, altered, or not what it should be.
        ModelOutdatedError: it was trained on another version of the feature set.
    """
    place = directory / model_id
    if model_id not in names(directory):
        near = nearest(model_id, names(directory))
        raise NotFoundError(
            f"there is no model {model_id}",
            next_step=f"did you mean {near}?" if near else "algomatic states models lists them",
        )
    try:
        facts = json.loads((place / _JSON).read_text(encoding="utf-8"))
        if facts.pop("model_id") != model_id or not model_id.endswith(_mark(facts)):
            raise ValueError(f"{_JSON} is not the file that was written")
        if facts["format"] != FORMAT:
            raise ValueError(f"it is of format {facts['format']}, this version reads {FORMAT}")
        raw = (place / _ARRAYS).read_bytes()
        if hashlib.sha256(raw).hexdigest() != facts["arrays_sha256"]:
            raise ValueError(f"{_ARRAYS} is not the file that was written")
        with np.load(io.BytesIO(raw), allow_pickle=False) as archive:
            model = _unpacked(model_id, facts, {name: archive[name] for name in archive.files})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelDamagedError(
            f"model {model_id} cannot be read: {_what(error)}", next_step=f"train anew, or restore {place}"
        ) from None
    if facts["feature_version"] != VERSION:
        raise ModelOutdatedError(
            f"model {model_id} was trained on feature set {facts['feature_version']}, this is {VERSION}",
            next_step=f"algomatic states train {' '.join(model.symbols)} --tf {model.timeframe}",
        )
    return model


def names(directory: Path) -> list[str]:
    """The names of all models, in order."""
    if not directory.is_dir():
        return []
    return sorted(path.name for path in directory.iterdir() if path.is_dir() and not path.name.startswith("."))


def listing(directory: Path, prefix: str = "") -> Iterator[tuple[str, Model | AlgomaticError]]:
    """Every model whose name begins so, with what it is, or with why it cannot be read."""
    for name in (name for name in names(directory) if name.startswith(prefix)):
        try:
            yield name, load(directory, name)
        except (ModelDamagedError, ModelOutdatedError) as error:
            yield name, error


def newest(directory: Path, timeframe: str) -> Model | None:
    """The model of a timeframe that was trained last, None where there is none that can be read."""
    every = listing(directory, f"{timeframe}-")
    found = [model for _, model in every if isinstance(model, Model)]
    return max(found, key=lambda model: str(model.facts["created_at"]), default=None)


def _document(model: Model) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "feature_version": VERSION,
        "timeframe": model.timeframe,
        "symbols": list(model.symbols),
        "inputs": [asdict(item) for item in model.inputs],
        "hyperparameters": asdict(model.hyperparameters),
        "ood_threshold": model.ood_threshold,
        "states": [state.document() for state in model.states],
        "train_start": model.train_start,
        "train_end": model.train_end,
        "facts": model.facts,
    }


def _packed(model: Model) -> bytes:
    arrays = {f"encoder_{name}": value for name, value in vars(model.encoder).items()}
    arrays |= {f"chain_{name}": value for name, value in vars(model.chain).items()}
    stream = io.BytesIO()
    np.savez(stream, allow_pickle=False, edges=model.edges, reference=model.reference, **arrays)
    return stream.getvalue()


def _unpacked(model_id: str, facts: dict[str, Any], arrays: dict[str, NDArray[np.float64]]) -> Model:
    def part(prefix: str) -> dict[str, NDArray[np.float64]]:
        return {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}

    return Model(
        model_id=model_id,
        timeframe=facts["timeframe"],
        symbols=tuple(facts["symbols"]),
        inputs=tuple(Input(**item) for item in facts["inputs"]),
        encoder=Encoder(**part("encoder_")),
        chain=Chain(**part("chain_")),
        hyperparameters=Hyperparameters(**facts["hyperparameters"]),
        ood_threshold=facts["ood_threshold"],
        states=tuple(State(**state) for state in facts["states"]),
        train_start=facts["train_start"],
        train_end=facts["train_end"],
        edges=arrays["edges"],
        reference=arrays["reference"],
        facts=facts["facts"],
    )


def _mark(facts: dict[str, Any]) -> str:
    """What ends a model's name: a hash of all it says, the checksum of its arrays included."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:10]


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _what(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return f"{Path(error.filename).name} is missing"
    if isinstance(error, json.JSONDecodeError):
        return f"{_JSON} is not JSON ({error})"
    return f"{_JSON} has no {error}" if isinstance(error, KeyError) else str(error)
