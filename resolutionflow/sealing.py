"""Keys that come from SECRET_KEY: one per purpose, so that what was sealed for one opens for no other."""

import base64
import hashlib

from cryptography.fernet import Fernet
from django.conf import settings


def key(purpose: str) -> bytes:
    """32 bytes."""
    return hashlib.sha256(f"resolutionflow {purpose}: {settings.SECRET_KEY}".encode()).digest()


def seal(purpose: str) -> Fernet:
    """Encrypts, and decrypts what was encrypted for the same purpose; raises InvalidToken for anything else."""
    return Fernet(base64.urlsafe_b64encode(key(purpose)))
