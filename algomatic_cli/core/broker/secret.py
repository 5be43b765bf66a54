"""Secrets at rest: encrypted with a key that is not in the database.

The key is ALGOMATIC_SECRET_KEY (or its _FILE), else a file of our own under the home that only its owner can read, made
on first use. Whoever has the database alone cannot read a secret.
"""

import base64
import hashlib
import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from algomatic_cli.core.errors import ConfigurationError
from algomatic_cli.core.settings import Settings


def seal(plain: str, settings: Settings) -> str:
    """The secret encrypted (Fernet: AES-128-CBC with HMAC-SHA256)."""
    return _cipher(settings).encrypt(plain.encode()).decode()


def unseal(sealed: str, settings: Settings) -> str:
    """The secret in clear.

    Raises:
        ConfigurationError: the key is not the one it was sealed with.
    """
    try:
        return _cipher(settings).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise ConfigurationError(
            "the stored secret cannot be read with the key in force",
            next_step="set ALGOMATIC_SECRET_KEY (or its file) to the key it was stored with, "
            "or get a new secret: algomatic broker rotate-secret",
        ) from None


def _cipher(settings: Settings) -> Fernet:
    configured = settings.general.secret_key
    key = configured.get_secret_value() if configured is not None else _own_key(settings.home.secret_key)
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()))


def _own_key(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    else:
        with os.fdopen(descriptor, "w") as stream:
            stream.write(secrets.token_urlsafe(32))
    if path.stat().st_mode & 0o077:
        raise ConfigurationError(f"{path} can be read by others", next_step=f"chmod 600 {path}")
    key = path.read_text(encoding="utf-8").strip()
    if not key:
        raise ConfigurationError(f"{path} is empty", next_step="restore it from a backup")
    return key
