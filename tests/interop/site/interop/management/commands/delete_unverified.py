from django.db import transaction

from interop.instants import instant
from interop.json_command import JsonCommand
from interop.management.commands.select_unverified import unverified_users


class Command(JsonCommand):
    help = "Selects the users with an unverified primary address and deletes them, in the words of Django's ORM."

    def add_arguments(self, parser):
        parser.add_argument("--cutoff", help="an ISO 8601 instant", required=True)

    @transaction.atomic
    def answer(self, cutoff, **options):
        deleted, _ = unverified_users(instant(cutoff)).delete()
        return deleted
