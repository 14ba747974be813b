from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.sites.models import Site
from django.core.checks import run_checks
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from interop.json_command import JsonCommand


class Command(JsonCommand):
    help = "Prints whether Django finds the database and the project in order."

    def answer(self, **options):
        messages = run_checks(databases=["default"])
        return {
            "pending_migrations": pending_migrations(),
            "check_ok": not messages,
            "check_messages": [str(message) for message in messages],
            "content_types": ContentType.objects.count(),
            "permissions": Permission.objects.count(),
            "sites": list(Site.objects.order_by("pk").values("id", "domain", "name")),
        }


def pending_migrations():
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [str(migration) for migration, _backwards in plan]
