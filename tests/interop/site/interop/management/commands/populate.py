from django.db import connection, transaction
from django.utils import timezone

from interop.instants import instant
from interop.json_command import JsonCommand
from interop.population.belongings import create_belongings
from interop.population.content import create_content
from interop.population.users import PASSWORD, create_users
from interop.stored_rows import tables


class Command(JsonCommand):
    help = "Fills an empty site with awkward users; the same --cutoff and --now give the same rows."

    def add_arguments(self, parser):
        parser.add_argument("--cutoff", required=True, help="ISO 8601; the log-ins lie around it")
        parser.add_argument("--now", help="ISO 8601; what 'recent' counts back from")
        parser.add_argument("--bulk", type=int, default=0, metavar="N", help="plain unverified bots")

    @transaction.atomic
    def answer(self, cutoff, now, bulk, **options):
        cutoff = instant(cutoff)
        now = instant(now) if now else timezone.now()
        users, bots = create_users(cutoff, now, bulk)
        create_belongings(users, cutoff, now)
        create_content(users, cutoff)
        return {
            "cutoff": cutoff.isoformat(),
            "now": now.isoformat(),
            "password": PASSWORD,
            "users": users,
            "bots": bots,
            "tables": {table: row_count(table) for table in tables(connection)},
        }


def row_count(table):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")
        return cursor.fetchone()[0]
