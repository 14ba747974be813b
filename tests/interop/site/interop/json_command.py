import json
import sys

from django.core.management.base import BaseCommand


class JsonCommand(BaseCommand):
    """A management command that prints what `answer` returns, as one JSON document."""

    requires_system_checks = []
    reads_input = False

    def handle(self, *args, **options):
        given = json.load(sys.stdin) if self.reads_input else None
        self.stdout.write(json.dumps(self.answer(given=given, **options), default=str))

    def answer(self, given, **options):
        raise NotImplementedError
