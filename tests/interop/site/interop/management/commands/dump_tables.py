import json

from django.db import connection

from interop.json_command import JsonCommand
from interop.stored_rows import stored_rows, tables


class Command(JsonCommand):
    help = "Prints every row of every table as the database stores it, in an order that does not depend on storage."

    def answer(self, **options):
        return {table: sorted(stored_rows(connection, table), key=json.dumps) for table in tables(connection)}
