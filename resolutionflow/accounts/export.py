"""All that belongs to one account as a zip: JSON lines for each table, and the files that were attached.

Memory does not grow with it.
"""

import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from django.db import connection, transaction
from django.utils import timezone

from escalations import files
from escalations.models import Attachment
from resolutionflow.accounts.belongings import Belongings
from resolutionflow.accounts.models import Account

ROWS_AT_ONCE = 200


def write(account: Account, file: Path, *, tell: Callable[[str], None]) -> dict[str, int]:
    """The numbers of rows by table. The file is there once it is whole, and only its owner may read it.

    Everything is as of one moment, while people go on working. Raises OSError where it cannot be written.
    """
    part = file.with_name(f"{file.name}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as target, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            counts = _write(account, archive, tell)
            tell("attachments")
            missing = _write_attachments(account, archive)
            manifest = {
                "account": account.slug,
                "name": account.name,
                "exported_at": timezone.now().isoformat(),
                "rows": counts,
                "attachments_missing": missing,
            }
            archive.writestr("manifest.json", json.dumps(manifest, indent=2, ensure_ascii=False))
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    return counts


def _write(account: Account, archive: zipfile.ZipFile, tell: Callable[[str], None]) -> dict[str, int]:
    belongings, counts = Belongings(), {}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0")
        if not connection.savepoint_ids:  # one moment for all tables
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        for table, columns in belongings.to_export():
            tell(table)
            with archive.open(f"{table}.jsonl", "w", force_zip64=True) as lines:
                counts[table] = _write_table(account, belongings.whose(table), table, columns, lines)
    return counts


def _write_attachments(account: Account, archive: zipfile.ZipFile) -> list[str]:
    """Each under its id, which its row names; the ids of those whose files are not there (any more)."""
    missing = []
    for pk in Attachment.objects.filter(session__account=account).values_list("pk", flat=True).iterator():
        try:
            archive.write(files.path_of(pk), f"attachments/{pk}")
        except FileNotFoundError:
            missing.append(str(pk))
    return missing


def _write_table(account: Account, whose: str, table: str, columns: list[str], lines: IO[bytes]) -> int:
    count, names = 0, ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor:
        rows = f"SELECT {names} FROM {table} WHERE {whose}"  # noqa: S608 names of the database's own
        told = f"DECLARE exported NO SCROLL CURSOR FOR SELECT row_to_json(t)::text FROM ({rows}) AS t"  # noqa: S608
        cursor.execute(told, {"account": account.pk})
        while True:
            cursor.execute(f"FETCH {ROWS_AT_ONCE} FROM exported")
            portion = cursor.fetchall()
            if not portion:
                break
            lines.write("".join(f"{line}\n" for (line,) in portion).encode())
            count += len(portion)
        cursor.execute("CLOSE exported")
    return count
