"""A second, deliberately simple accountant: Decimal, one deque, one fill after another. It shares no code with ours.

Numbers are kept per lot as quantity, price and fee per unit, at 60 digits; results are compared to 1e-9.
"""

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal, localcontext

from algomatic_cli.core.trades.replay import EventKind, Intent
from tests.unit.trades.history import E, F


@dataclass
class Trade:
    group: int
    long: bool
    gross: Decimal = Decimal(0)
    net: Decimal = Decimal(0)
    exits: list[tuple[int, Decimal]] = field(default_factory=list)
    members: list[int] = field(default_factory=list)
    open_quantity: Decimal = Decimal(0)
    open_basis: Decimal = Decimal(0)


def account(steps: list[F | E], multiplier: str, *, allow_short: bool) -> tuple[list[Trade], list[int]]:
    """(campaigns in order, numbers of fills with an unmatched part) for one instrument, steps in order."""
    with localcontext() as context:
        context.prec = 60
        return _walk(steps, Decimal(multiplier), allow_short)


def _walk(steps: list[F | E], multiplier: Decimal, allow_short: bool) -> tuple[list[Trade], list[int]]:
    lots: deque[list[Decimal]] = deque()
    trades: list[Trade] = []
    unmatched: list[int] = []
    now: Trade | None = None
    number = 0
    for step in steps:
        if isinstance(step, E):
            assert step.kind == EventKind.SPLIT
            ratio = Decimal(step.ratio[0]) / Decimal(step.ratio[1])
            lots = deque([q * ratio, p / ratio, f / ratio] for q, p, f in lots)
            continue
        number += 1
        left, price, long = Decimal(step.quantity), Decimal(step.price), step.side == "B"
        fee = Decimal(step.fee or 0) / left
        if now is not None and now.long != long:
            now.members.append(number)
            won = paid = Decimal(0)
            while left and lots:
                q = min(left, lots[0][0])
                won += (price - lots[0][1]) * q * multiplier * (1 if now.long else -1)
                paid += q * (fee + lots[0][2])
                lots[0][0] -= q
                left -= q
                if not lots[0][0]:
                    lots.popleft()
            now.gross += won
            now.net += won - paid
            now.exits.append((number, won - paid))
            if not lots:
                now = None
        if not left:
            continue
        if now is None:
            if not long and not allow_short and step.intent != Intent.OPEN:
                unmatched.append(number)
                continue
            now = Trade(number, long)
            trades.append(now)
        if number not in now.members:
            now.members.append(number)
        lots.append([left, price, fee])
    if now is not None:
        now.open_quantity = sum((q for q, _, _ in lots), Decimal(0)) * (1 if now.long else -1)
        now.open_basis = sum((q * p for q, p, _ in lots), Decimal(0)) * multiplier
    return trades, unmatched
