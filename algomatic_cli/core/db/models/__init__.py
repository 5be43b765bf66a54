"""The tables, as SQLAlchemy models. `docs/schema.md` says what each column means and why it is as it is."""

from algomatic_cli.core.db.models.base import Base
from algomatic_cli.core.db.models.broker import BrokerConnection, SnapTradeUser
from algomatic_cli.core.db.models.coverage import BarCoverage, BarQuarantine
from algomatic_cli.core.db.models.jobs import JobItem, JobRun, JobStep
from algomatic_cli.core.db.models.journal import JournalEntry
from algomatic_cli.core.db.models.ledger import (
    BrokerAccount,
    Campaign,
    FillMark,
    ImportBatch,
    LedgerEvent,
    QuarantinedFill,
    RealisedEvent,
)
from algomatic_cli.core.db.models.market import ComputedFeature, DataSyncLog, OhlcvBar, Ticker
from algomatic_cli.core.db.models.probes import (
    ProbeRun,
    ProbeStrategy,
    ProbeStrategyVersion,
    ProbeTrial,
    ProbeUnit,
    StrategyProbeResult,
    StrategyProbeTrade,
)
from algomatic_cli.core.db.models.strategies import Strategy
from algomatic_cli.core.db.models.trades import CampaignCheck, CampaignFill, DecisionContext, TradeFill
from algomatic_cli.core.db.models.users import UserAccount, UserProfile, UserRule, Waitlist

__all__ = [
    "BarCoverage",
    "BarQuarantine",
    "Base",
    "BrokerAccount",
    "BrokerConnection",
    "Campaign",
    "CampaignCheck",
    "CampaignFill",
    "ComputedFeature",
    "DataSyncLog",
    "DecisionContext",
    "FillMark",
    "ImportBatch",
    "JobItem",
    "JobRun",
    "JobStep",
    "JournalEntry",
    "LedgerEvent",
    "OhlcvBar",
    "ProbeRun",
    "ProbeStrategy",
    "ProbeStrategyVersion",
    "ProbeTrial",
    "ProbeUnit",
    "QuarantinedFill",
    "RealisedEvent",
    "SnapTradeUser",
    "Strategy",
    "StrategyProbeResult",
    "StrategyProbeTrade",
    "Ticker",
    "TradeFill",
    "UserAccount",
    "UserProfile",
    "UserRule",
    "Waitlist",
]
