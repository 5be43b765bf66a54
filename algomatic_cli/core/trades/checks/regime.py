"""RG001 to RG003: the regime that was known when the entry was made."""

import numpy as np

from algomatic_cli.core.trades.checks.point import NO_STATE, OUT_OF_DISTRIBUTION, Ints, Market, Points
from algomatic_cli.core.trades.checks.verdict import Limit, Verdict, below, decide, known

NO_REGIME = "no regime is stored for a complete bar before the fill; algomatic states assign makes it"
LIKE_NONE = "the market was out of distribution: it has no regime"
NO_LABEL = "the regime's model is not at hand, so its label is unknown"


def against_regime(points: Points, market: Market, where: Ints) -> Verdict:
    """RG001: a long where the regime's label says down, a short where it says up."""
    state, lean = market.state[where], market.lean[where]
    needs = [(state != NO_STATE, NO_REGIME), (state != OUT_OF_DISTRIBUTION, LIKE_NONE), (known(lean), NO_LABEL)]
    numbers = {"state": state.astype(np.float64), "lean": lean, "direction": points.direction[where]}
    return decide("RG001", where, points.direction[where] * lean < 0, needs, numbers=numbers)


def out_of_distribution(market: Market, where: Ints) -> Verdict:
    """RG002: a market that is like none the model has learnt."""
    state = market.state[where]
    needs = [(state != NO_STATE, NO_REGIME)]
    return decide("RG002", where, state == OUT_OF_DISTRIBUTION, needs, numbers={"state": state.astype(np.float64)})


def uncertain(market: Market, where: Ints, limit: Limit) -> Verdict:
    """RG003: the probability of the regime, known at that time, is low."""
    state, probability = market.state[where], market.probability[where]
    needs = [(state != NO_STATE, NO_REGIME), (state != OUT_OF_DISTRIBUTION, LIKE_NONE), (known(probability), NO_REGIME)]
    numbers = {"probability": probability, "state": state.astype(np.float64)}
    return decide("RG003", where, below(probability, limit.value[where]), needs, numbers=numbers, limit=limit)
