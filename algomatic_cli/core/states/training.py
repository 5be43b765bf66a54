"""Training a regime model: fit, validation that never looks ahead, calibration, and the model itself.

Outliers are calibrated on the validation window. Walking forward, the same is done for windows that end earlier; each
fold's held-out log-likelihood a bar is kept beside that of one normal distribution, so that a model which has learnt
nothing shows.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import log
from typing import Any

import numpy as np

from algomatic_cli.core.errors import AlgomaticError
from algomatic_cli.core.features.registry import EVERY
from algomatic_cli.core.features.series import Floats, Ints
from algomatic_cli.core.states.filtering import filter_posterior
from algomatic_cli.core.states.hmm import Chain, Fit, fit_chain, free_parameters
from algomatic_cli.core.states.inputs import Input
from algomatic_cli.core.states.model import Hyperparameters, Model
from algomatic_cli.core.states.profile import State, canonical_order, describe, order_like
from algomatic_cli.core.states.scaling import Encoder, fit_encoder
from algomatic_cli.core.states.window import BARS_PER_PARAMETER, Material, Window, check_size, split

RESTARTS = 4
OOD_QUANTILE = 0.005
DRIFT_BINS = 10
CANDIDATES = (2, 3, 4, 5, 6, 8, 10, 12, 16)

Progress = Callable[[float], None]


@dataclass(frozen=True)
class TrainingPlan:
    """What is to be trained.

    Attributes:
        timeframe, inputs, hyperparameters: the model's.
        auto: choose K by held-out likelihood, whatever the hyperparameters say.
        seed: of every random choice.
        restarts: starts of EM for the final model.
    """

    timeframe: str
    inputs: tuple[Input, ...]
    hyperparameters: Hyperparameters
    auto: bool = False
    seed: int = 0
    restarts: int = RESTARTS


@dataclass(frozen=True)
class Trial:
    """One encoder and chain, and the log-likelihood a bar on its training and validation windows."""

    encoder: Encoder
    fit: Fit
    training: float
    validation: float
    baseline: float


def train(
    materials: Sequence[Material],
    plan: TrainingPlan,
    *,
    earlier: Model | None = None,
    created_at: str,
    libraries: dict[str, str],
    progress: Progress | None = None,
) -> Model:
    """Train a model; its `model_id` is empty until it is saved.

    Args:
        materials: one a symbol.
        plan: what to train.
        earlier: the model before it, whose state numbers are kept where states resemble each other.
        created_at: the instant of training, ISO.
        libraries: versions to keep with the model.
        progress: called with the share of the work done.

    Raises:
        TooFewBarsError, ConstantInputError, AlgomaticError: it cannot be trained on these bars.
    """
    usable = [material.rows(np.isfinite(material.raw).all(axis=1)) for material in materials]
    purge = 1 + max(EVERY[item.key].first for item in plan.inputs)
    hyper = replace(plan.hyperparameters, components=min(plan.hyperparameters.components, len(plan.inputs)))
    _check_inputs(materials, plan.inputs)
    check_size(usable, hyper, purge)
    folds = split(usable, hyper, purge)
    steps = _Steps(progress, len(folds) + plan.auto * len(folds) * len(CANDIDATES))
    candidates: list[dict[str, Any]] = []
    if plan.auto:
        candidates = _candidates(folds, plan, hyper, steps)
        hyper = replace(hyper, n_states=max(candidates, key=lambda row: row["held_out"])["n_states"])
    seeds = np.random.SeedSequence(plan.seed).generate_state(plan.restarts).tolist()
    trials = [_try(fold, plan, hyper, seeds[:1], steps) for fold in folds[:-1]]
    trials.append(_try(folds[-1], plan, hyper, seeds, steps))
    training, validation = folds[-1]
    last = trials[-1]
    chain, states, matched = _named(training, last, plan, earlier)
    edges, reference = _reference(training.raw)
    own = {"created_at": created_at, "libraries": libraries, "data_digest": _digest(usable), "purge_bars": purge}
    facts = own | _facts(plan, folds, trials, chain, matched) | {"candidates": candidates}
    return Model(
        model_id="",
        timeframe=plan.timeframe,
        symbols=tuple(material.symbol for material in materials),
        inputs=plan.inputs,
        encoder=last.encoder,
        chain=chain,
        hyperparameters=hyper,
        ood_threshold=_ood_threshold(last, validation),
        states=states,
        train_start=int(training.timestamp.min()),
        train_end=int(training.timestamp.max()),
        edges=edges,
        reference=reference,
        facts=facts,
    )


def _facts(
    plan: TrainingPlan,
    folds: list[tuple[Window, Window]],
    trials: list[Trial],
    chain: Chain,
    matched: str | None,
) -> dict[str, Any]:
    """What is kept of how the model came about."""
    (training, validation), last = folds[-1], trials[-1]
    return {
        "seed": plan.seed,
        "restarts": plan.restarts,
        "iterations": last.fit.iterations,
        "converged": last.fit.converged,
        "log_likelihood": last.fit.log_likelihood,
        "bic": chain.parameters * log(len(training)) - 2 * last.fit.log_likelihood,
        "train_bars": len(training),
        "train_log_likelihood_per_bar": last.training,
        "validation_start": int(validation.timestamp.min()),
        "validation_end": int(validation.timestamp.max()),
        "validation_bars": len(validation),
        "ood_quantile": OOD_QUANTILE,
        "folds": [_fold_facts(fold, trial) for fold, trial in zip(folds, trials, strict=True)],
        "state_order": "volatility (σ of r1), then mean return" if matched is None else f"as in {matched}",
        "matched_to": matched,
    }


class _Steps:
    """Progress over a known number of fits, each of an unknown number of iterations."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def inside(self, iterations: int) -> None:
        """So many iterations into a fit."""
        if self._progress:
            self._progress((self._done + 1 - 0.5 ** (iterations / 60)) / self._total)

    def finished(self, fits: int = 1) -> None:
        """Fits are done."""
        self._done += fits
        if self._progress:
            self._progress(self._done / self._total)


def _check_inputs(materials: Sequence[Material], inputs: Sequence[Input]) -> None:
    absent = [
        item.name
        for column, item in enumerate(inputs)
        if any(len(material.raw) > EVERY[item.key].first for material in materials)
        and not any(np.isfinite(material.raw[:, column]).any() for material in materials)
    ]
    if absent:
        raise AlgomaticError(
            f"no bar has {', '.join(absent)}",
            next_step="volume-weighted ones need volume, market context a benchmark; leave them out with --features",
        )


def _try(
    fold: tuple[Window, Window], plan: TrainingPlan, hyper: Hyperparameters, seeds: list[int], steps: _Steps
) -> Trial:
    training, validation = fold
    encoder = fit_encoder(plan.inputs, training.raw, hyper.components)
    points = encoder(training.raw)
    fit = fit_chain(points, training.lengths, hyper.n_states, seeds, steps.inside)
    steps.finished()
    unseen = encoder(validation.raw)
    mean, variance = points.mean(axis=0), points.var(axis=0)
    single = -0.5 * (np.log(2 * np.pi * variance) + (unseen - mean) ** 2 / variance).sum(axis=1)
    held_out = _likelihood(fit.chain, unseen, validation.sequence).mean()
    own = _likelihood(fit.chain, points, training.sequence).mean()
    return Trial(encoder, fit, float(own), float(held_out), float(single.mean()))


def _candidates(
    folds: list[tuple[Window, Window]], plan: TrainingPlan, hyper: Hyperparameters, steps: _Steps
) -> list[dict[str, Any]]:
    """Mean held-out log-likelihood a bar for each K that the smallest window can carry."""
    rows = []
    seeds = np.random.SeedSequence(plan.seed).generate_state(1).tolist()
    for n_states in CANDIDATES:
        size = replace(hyper, n_states=n_states)
        if len(folds[0][0]) < BARS_PER_PARAMETER * free_parameters(n_states, hyper.components):
            steps.finished(len(folds))
            continue
        held_out = [_try(fold, plan, size, seeds, steps).validation for fold in folds]
        rows.append({"n_states": n_states, "held_out": float(np.mean(held_out))})
    return rows


def _likelihood(chain: Chain, points: Floats, sequence: Ints) -> Floats:
    return filter_posterior(chain.log_density(points), sequence, chain.start, chain.transition)[1]


def _ood_threshold(trial: Trial, validation: Window) -> float:
    likelihood = _likelihood(trial.fit.chain, trial.encoder(validation.raw), validation.sequence)
    return float(np.quantile(likelihood, OOD_QUANTILE))


def _named(
    training: Window, trial: Trial, plan: TrainingPlan, earlier: Model | None
) -> tuple[Chain, tuple[State, ...], str | None]:
    """The chain with its states in their final order, what they mean, and the model their numbers come from."""
    chain = trial.fit.chain
    density = chain.log_density(trial.encoder(training.raw))
    posterior, _ = filter_posterior(density, training.sequence, chain.start, chain.transition)
    inputs = {item.name: training.raw[:, column] for column, item in enumerate(plan.inputs)}
    states = describe(posterior, chain.transition, training.profile, inputs)
    order = canonical_order(states)
    if earlier is not None:
        order = order[order_like(tuple(states[place] for place in order), earlier.states)]
    return chain.reordered(order), tuple(states[place] for place in order), earlier.model_id if earlier else None


def _reference(raw: Floats) -> tuple[Floats, Floats]:
    """Per input the bounds of ten equal parts of the training bars, and the shares that fell between them."""
    edges = np.quantile(raw, np.linspace(0, 1, DRIFT_BINS + 1)[1:-1], axis=0).T
    return edges, bin_shares(raw, edges)


def bin_shares(raw: Floats, edges: Floats) -> Floats:
    """Shares of the rows of `raw` (bars, inputs) between each input's edges: (inputs, bins)."""
    bins = edges.shape[1] + 1
    places = [np.searchsorted(edges[column], raw[:, column], side="right") for column in range(raw.shape[1])]
    return np.stack([np.bincount(place, minlength=bins) / max(len(raw), 1) for place in places])


def _fold_facts(fold: tuple[Window, Window], trial: Trial) -> dict[str, Any]:
    training, validation = fold
    return {
        "train_bars": len(training),
        "train_end": int(training.timestamp.max()),
        "validation_start": int(validation.timestamp.min()),
        "validation_end": int(validation.timestamp.max()),
        "validation_bars": len(validation),
        "train_log_likelihood_per_bar": trial.training,
        "held_out_log_likelihood_per_bar": trial.validation,
        "held_out_one_normal_per_bar": trial.baseline,
        "converged": trial.fit.converged,
    }


def _digest(usable: Sequence[Material]) -> str:
    digest = hashlib.sha256()
    for material in usable:
        digest.update(material.symbol.encode())
        digest.update(np.ascontiguousarray(material.timestamp).tobytes())
        digest.update(np.ascontiguousarray(material.raw).tobytes())
    return digest.hexdigest()
