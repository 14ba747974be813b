from collections import Counter

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import transaction

from interop.json_command import JsonCommand

# SQLite limits the variables of a statement; deleting in parts removes the same rows.
IDS_PER_STATEMENT = 10_000


class Command(JsonCommand):
    help = "Deletes the users whose ids are on standard input (a JSON array) with QuerySet.delete()."
    reads_input = True

    @transaction.atomic
    def answer(self, given, **options):
        deleted = Counter()
        for start in range(0, len(given), IDS_PER_STATEMENT):
            ids = given[start : start + IDS_PER_STATEMENT]
            _, per_model = get_user_model().objects.filter(pk__in=ids).delete()
            deleted.update({table_of(label): count for label, count in per_model.items() if count})
        return {"deleted": sum(deleted.values()), "tables": dict(sorted(deleted.items()))}


def table_of(label):
    return apps.get_model(label)._meta.db_table
