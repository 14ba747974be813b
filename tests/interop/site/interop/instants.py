from datetime import timezone

from django.core.management.base import CommandError
from django.utils.dateparse import parse_datetime


def instant(text):
    """Returns the aware UTC datetime of an ISO 8601 text; a text without an offset is UTC."""
    value = parse_datetime(text)
    if value is None:
        raise CommandError(f"not an ISO 8601 instant: {text}")
    return value.astimezone(timezone.utc) if value.tzinfo else value.replace(tzinfo=timezone.utc)
