from allauth.account.models import EmailAddress
from django.contrib.auth import authenticate, get_user_model
from django.core.management.base import CommandError

from interop.browser import logs_in
from interop.json_command import JsonCommand


class Command(JsonCommand):
    help = "Logs a user in through Django and, by username and by address, through allauth's page."

    def add_arguments(self, parser):
        parser.add_argument("--user", required=True, help="the username")
        parser.add_argument("--password", required=True)

    def answer(self, user, password, **options):
        found = get_user_model().objects.filter(username=user).first()
        if found is None:
            raise CommandError(f"no user is called {user}")
        before = (found.last_login, found.password)
        answer = {
            "authenticate": authenticate(username=user, password=password) == found,
            "allauth_username": logs_in(found, user, password),
            "allauth_email": logs_in(found, primary_address(found), password),
        }
        found.refresh_from_db()
        return {
            **answer,
            "last_login_set": found.last_login is not None and found.last_login != before[0],
            "rehashed": found.password != before[1],
            "groups": sorted(found.groups.values_list("name", flat=True)),
        }


def primary_address(user):
    address = EmailAddress.objects.filter(user=user, primary=True).first()
    return address.email if address else user.email
